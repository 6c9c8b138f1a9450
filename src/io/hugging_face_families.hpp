// What is special about each model family of Hugging Face transformers, as a table: where a family starts from and what its fields change.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "catalog/architecture.hpp"
#include "io/hugging_face_fields.hpp"

namespace reckon {

/// One `model_type`.  `start` holds what files of the family do not say (class defaults and the shape of its code); the common fields are
/// read over it, then `adjust` reads the family's own.
struct Family {
  std::string_view model_type, group;
  Transformer start;
  void (*adjust)(Fields&, Transformer&) = nullptr;
  bool own_names = false;        ///< `adjust` reads the whole stack itself
  bool ffn_from_hidden = false;  ///< an absent or null MLP width means 4 x hidden
};

/// All families, ordered by model_type.
std::vector<Family> families();

void append_gated_families(std::vector<Family>& out);
void append_gpt_families(std::vector<Family>& out);
void append_expert_families(std::vector<Family>& out);
void append_encoder_families(std::vector<Family>& out);

/// Decoder with RMS norm, gated MLP and rotary positions, untied: the start of llama and its descendants.
Transformer llama_start();
/// Decoder with layer norm, plain MLP, biases everywhere, learned positions, tied: the start of gpt2 and its descendants.
Transformer gpt_start();

/// Layers, widths, heads, vocabulary, positions, tied tables: section "common names" of the file format.  Checks divisibility.
void read_stack(Fields& f, Transformer& t, bool ffn_from_hidden);
/// The MLP's width under any of its names; 4 x hidden when absent and `from_hidden`.
std::int64_t read_ffn(Fields& f, const Transformer& t, bool from_hidden);
/// hidden_size / num_heads, checked.
std::int64_t divided_head_dim(const Fields& f, const Transformer& t);
/// num_heads % num_kv_heads, checked.
void check_kv_heads(const Fields& f, const Transformer& t);

/// `key` (default `fallback`) switches biases of queries, keys and values and of the output projection.
void read_attention_bias(Fields& f, Transformer& t, std::string_view key, bool fallback);
/// Sliding-window attention: `sliding_window`, unless `use_sliding_window` is false; which layers from `layer_types`,
/// `sliding_window_pattern` or every `full_period`-th full (1: none is).
void read_window(Fields& f, Transformer& t, std::int64_t full_period, std::int64_t default_window = 0, bool default_use = true);

/// Names of a mixture's fields; sizes that are no field of the family are passed as found.
struct ExpertNames {
  FieldNames experts, per_token;
  bool own_width = true;  ///< `moe_intermediate_size`; false: an expert is as wide as `intermediate_size`
};
/// Reads the expert fields into t.experts; leaves it empty when the file says 0 experts.
void read_experts(Fields& f, Transformer& t, const ExpertNames& names);
/// Puts the dense layers at the listed indices; exact in number always, in place when the list is regular (else a note says so).
void place_experts(Fields& f, Transformer& t, const std::vector<bool>& is_expert);

}  // namespace reckon
