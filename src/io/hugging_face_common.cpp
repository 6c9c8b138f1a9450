// Fields that mean the same in most families.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "io/hugging_face_families.hpp"

namespace reckon {
namespace {

FieldNames hidden_names() { return {"hidden_size", "n_embd", "d_model", "n_embed"}; }
FieldNames head_names() { return {"num_attention_heads", "n_head", "num_heads", "n_heads"}; }
FieldNames kv_names() { return {"num_key_value_heads", "n_head_kv", "num_kv_heads"}; }

/// The period p with which every p-th layer is full, when the list is that regular.
std::int64_t regular_period(const std::vector<bool>& full) {
  const auto first = std::find(full.begin(), full.end(), true);
  if (first == full.end()) return 1;
  const std::int64_t period = first - full.begin() + 1;
  for (std::size_t i = 0; i < full.size(); ++i)
    if (full[i] != ((static_cast<std::int64_t>(i) + 1) % period == 0)) return 0;
  return period;
}

void set_window(Fields& f, Transformer& t, std::int64_t window, const std::vector<bool>& full) {
  const auto count = std::count(full.begin(), full.end(), true);
  if (count == static_cast<std::ptrdiff_t>(full.size())) return;
  t.sliding_window = window;
  t.window_period = regular_period(full);
  if (t.window_period != 0) return;
  t.window_period = std::max<std::int64_t>(2, (t.num_layers + count / 2) / std::max<std::int64_t>(1, count));
  f.note(fmt::format("{} of {} layers attend fully, at irregular places: taken as every {}-th", count, t.num_layers, t.window_period));
}

/// A size that the file states, or that the family's start holds as the default of its class (then a note says so).
std::int64_t stated_or_default(Fields& f, const FieldNames& names, std::string_view meaning, std::int64_t most, std::int64_t start) {
  if (start == 0) return f.need(names, meaning, most);
  if (const auto value = f.maybe(names, most)) return *value;
  f.note(fmt::format("{} is not in the file: {}, the default of its class", names.front(), start));
  return start;
}

}  // namespace

Transformer llama_start() {
  Transformer t;
  t.gated_mlp = true;
  t.norm = NormKind::rms_norm;
  return t;
}

Transformer gpt_start() {
  Transformer t;
  t.tied_embeddings = true;
  t.positions = PositionKind::learned;
  t.qkv_bias = t.attention_output_bias = t.mlp_bias = true;
  return t;
}

std::int64_t divided_head_dim(const Fields& f, const Transformer& t) {
  if (t.hidden_size % t.num_heads == 0) return t.hidden_size / t.num_heads;
  f.fail(f.present(head_names()), fmt::format("{} heads do not divide the hidden size {}", t.num_heads, t.hidden_size),
         "correct one of them, or state head_dim");
}

void check_kv_heads(const Fields& f, const Transformer& t) {
  if (t.num_kv_heads > t.num_heads || t.num_heads % t.num_kv_heads != 0) {
    f.fail(f.present(kv_names()), fmt::format("{} key-value heads do not divide {} heads", t.num_kv_heads, t.num_heads),
           "write a divisor of the number of heads");
  }
}

std::int64_t read_ffn(Fields& f, const Transformer& t, bool from_hidden) {
  const FieldNames names{"intermediate_size", "n_inner", "ffn_hidden_size", "d_ff", "ffn_dim"};
  if (from_hidden) return f.whole(names, 4 * t.hidden_size, field_limit::width);
  return f.need(names, "the width of the MLP", field_limit::width);
}

void read_stack(Fields& f, Transformer& t, bool ffn_from_hidden) {
  t.num_layers = f.need({"num_hidden_layers", "n_layer", "num_layers", "n_layers"}, "the number of layers", field_limit::layers);
  t.hidden_size = f.need(hidden_names(), "the hidden size", field_limit::width);
  const bool default_heads = t.num_heads > 0 && !f.has(f.present(head_names()));
  t.num_heads = stated_or_default(f, head_names(), "the number of attention heads", field_limit::heads, t.num_heads);
  t.num_kv_heads = f.whole(kv_names(), default_heads ? t.num_kv_heads : t.num_heads, field_limit::heads);
  check_kv_heads(f, t);
  const auto stated_head_dim = f.maybe({"head_dim", "kv_channels"}, field_limit::width);
  if (!t.latent_attention) t.head_dim = stated_head_dim ? *stated_head_dim : t.head_dim > 0 ? t.head_dim : divided_head_dim(f, t);
  t.ffn_hidden_size = read_ffn(f, t, ffn_from_hidden);
  t.vocab_size =
      stated_or_default(f, {"vocab_size", "padded_vocab_size"}, "the size of the vocabulary", field_limit::vocabulary, t.vocab_size);
  const FieldNames positions{"max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx"};
  if (t.positions == PositionKind::learned) {
    t.max_positions = f.need(positions, "the rows of the position table", field_limit::positions);
  } else {
    t.max_positions = f.whole(positions, 0, field_limit::positions);
  }
  t.tied_embeddings = f.flag("tie_word_embeddings", t.tied_embeddings);
}

void read_attention_bias(Fields& f, Transformer& t, std::string_view key, bool fallback) {
  t.qkv_bias = t.attention_output_bias = f.flag(key, fallback);
}

void read_window(Fields& f, Transformer& t, std::int64_t full_period, std::int64_t default_window, bool default_use) {
  const std::int64_t window = f.whole({"sliding_window"}, default_window, field_limit::positions, 0);
  const std::vector<std::string> types = f.texts("layer_types");
  const auto from = f.maybe({"max_window_layers"}, field_limit::positions, 0);
  const std::int64_t period = f.whole({"sliding_window_pattern"}, full_period, field_limit::layers);
  const bool used = f.flag("use_sliding_window", default_use);
  if (!types.empty() && static_cast<std::int64_t>(types.size()) != t.num_layers)
    f.fail("layer_types", fmt::format("{} entries for {} layers", types.size(), t.num_layers), "write one entry a layer");
  if (!used || window == 0) return;
  std::vector<bool> full(static_cast<std::size_t>(t.num_layers), false);
  for (std::int64_t i = 0; i < t.num_layers; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (!types.empty()) {
      full[at] = types[at] == "full_attention";
    } else if (from) {
      full[at] = i < *from;
    } else {
      full[at] = period > 1 && (i + 1) % period == 0;
    }
  }
  set_window(f, t, window, full);
}

void read_experts(Fields& f, Transformer& t, const ExpertNames& names) {
  Experts e = t.experts.value_or(Experts{});
  e.num_experts = f.need(names.experts, "the number of experts", field_limit::experts, 0);
  if (e.num_experts == 0) {
    t.experts.reset();
    return;
  }
  e.experts_per_token = f.need(names.per_token, "the experts that a token visits", field_limit::experts);
  if (e.experts_per_token > e.num_experts)
    f.fail(f.present(names.per_token), fmt::format("a token cannot visit {} of {} experts", e.experts_per_token, e.num_experts));
  const auto width = f.maybe({"moe_intermediate_size"}, field_limit::width);
  e.expert_ffn_hidden_size = names.own_width && width ? *width : t.ffn_hidden_size;
  e.num_groups = f.whole({"n_group"}, 1, field_limit::experts);
  e.groups_per_token = f.whole({"topk_group"}, e.num_groups, field_limit::experts);
  if (e.num_experts % e.num_groups != 0) f.fail("n_group", fmt::format("{} groups do not divide {} experts", e.num_groups, e.num_experts));
  if (e.groups_per_token > e.num_groups)
    f.fail("topk_group", fmt::format("a token cannot visit {} of {} groups", e.groups_per_token, e.num_groups));
  t.experts = e;
}

void place_experts(Fields& f, Transformer& t, const std::vector<bool>& is_expert) {
  Experts& e = *t.experts;
  const auto count = std::count(is_expert.begin(), is_expert.end(), true);
  if (count == 0) {
    f.note("no layer of the file has experts: planned as a dense network");
    t.experts.reset();
    return;
  }
  const auto first = std::find(is_expert.begin(), is_expert.end(), true);
  const auto second = std::find(first + 1, is_expert.end(), true);
  e.num_dense_layers = first - is_expert.begin();
  e.layer_period = second == is_expert.end() ? t.num_layers : second - first;
  for (std::int64_t i = 0; i < t.num_layers; ++i) {
    if (is_expert_layer(t, i) == is_expert[static_cast<std::size_t>(i)]) continue;
    e.num_dense_layers = t.num_layers - count;
    e.layer_period = 1;
    f.note(fmt::format("{} of {} layers are dense, at irregular places: sizes are exact, but stages are balanced as if those came first",
                       e.num_dense_layers, t.num_layers));
    return;
  }
}

std::vector<Family> families() {
  std::vector<Family> all;
  append_gated_families(all);
  append_gpt_families(all);
  append_expert_families(all);
  append_encoder_families(all);
  std::sort(all.begin(), all.end(), [](const Family& a, const Family& b) { return a.model_type < b.model_type; });
  return all;
}

}  // namespace reckon
