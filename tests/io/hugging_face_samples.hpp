// Small Hugging Face configs as key -> JSON text, to be changed one key at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>

#include "io/hugging_face.hpp"

namespace reckon::samples {

using Members = std::map<std::string, std::string>;  // key -> JSON text

inline std::string object(const Members& members) {
  std::string text;
  for (const auto& [key, value] : members) text += fmt::format("{}\"{}\": {}", text.empty() ? "" : ", ", key, value);
  return "{" + text + "}";
}

inline Members with(Members base, const Members& changes) {
  for (const auto& [key, value] : changes) base[key] = value;
  return base;
}
inline Members without(Members base, const std::string& key) {
  base.erase(key);
  return base;
}

inline Members llama() {
  return {{"model_type", "\"llama\""},      {"hidden_size", "64"},       {"num_hidden_layers", "2"}, {"num_attention_heads", "4"},
          {"num_key_value_heads", "2"},     {"intermediate_size", "96"}, {"vocab_size", "100"},      {"max_position_embeddings", "128"},
          {"tie_word_embeddings", "false"}, {"rms_norm_eps", "1e-05"}};
}
inline Members mixtral() {
  return with(llama(), {{"model_type", "\"mixtral\""}, {"num_local_experts", "4"}, {"num_experts_per_tok", "2"}});
}
inline Members deepseek() {
  return with(llama(), {{"model_type", "\"deepseek_v3\""},
                        {"n_routed_experts", "8"},
                        {"num_experts_per_tok", "2"},
                        {"n_shared_experts", "1"},
                        {"moe_intermediate_size", "32"},
                        {"first_k_dense_replace", "1"},
                        {"n_group", "4"},
                        {"topk_group", "2"},
                        {"q_lora_rank", "16"},
                        {"kv_lora_rank", "8"},
                        {"qk_nope_head_dim", "8"},
                        {"qk_rope_head_dim", "4"},
                        {"v_head_dim", "8"}});
}
inline Members gpt2() {
  return {{"model_type", "\"gpt2\""}, {"n_embd", "64"}, {"n_layer", "2"}, {"n_head", "4"}, {"n_positions", "32"}, {"vocab_size", "100"}};
}
inline Members t5() {
  return {{"model_type", "\"t5\""}, {"d_model", "64"},  {"d_kv", "16"},       {"d_ff", "96"},
          {"num_layers", "2"},      {"num_heads", "4"}, {"vocab_size", "100"}};
}
inline Members vit() {
  return {{"model_type", "\"vit\""},   {"hidden_size", "64"}, {"num_hidden_layers", "2"}, {"num_attention_heads", "4"},
          {"intermediate_size", "96"}, {"image_size", "32"},  {"patch_size", "8"}};
}
inline Members resnet() {
  return {
      {"model_type", "\"resnet\""}, {"embedding_size", "64"}, {"depths", "[3, 4]"}, {"hidden_sizes", "[256, 512]"}, {"num_labels", "10"}};
}
inline Members unet() {
  return {{"_class_name", "\"UNet2DConditionModel\""},
          {"block_out_channels", "[32, 64]"},
          {"attention_head_dim", "4"},
          {"cross_attention_dim", "48"},
          {"down_block_types", "[\"CrossAttnDownBlock2D\", \"DownBlock2D\"]"},
          {"sample_size", "16"},
          {"up_block_types", "[\"UpBlock2D\", \"CrossAttnUpBlock2D\"]"},
          {"layers_per_block", "1"}};
}

inline Architecture read(const std::string& text, const std::string& as = "") {
  return architecture_from_config(parse_json(text, "config.json").root(), "x", as);
}
inline Architecture read(const Members& members, const std::string& as = "") { return read(object(members), as); }
inline Transformer transformer(const Members& members) { return *read(members).transformer(); }
inline double parameters(const Members& members) { return parameter_count(read(members)).total(); }

}  // namespace reckon::samples
