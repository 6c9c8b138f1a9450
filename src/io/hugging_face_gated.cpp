// Dense decoders with a gated MLP: llama and what descends from it.  Read in the configuration and modelling code of transformers 4.57.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "io/hugging_face_families.hpp"

namespace reckon {
namespace {

void llama(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "attention_bias", false);
  t.mlp_bias = f.flag("mlp_bias", false);
}

void mistral(Fields& f, Transformer& t) { read_window(f, t, 1); }

/// Queries, keys and values have biases that no field mentions; the output projection has none.
void qwen2(Fields& f, Transformer& t) {
  t.qkv_bias = true;
  read_window(f, t, 1, 0, false);
}

/// The file's intermediate_size is the sum of the gate's and the value's width.
void qwen(Fields& f, Transformer& t) {
  t.qkv_bias = true;
  if (t.ffn_hidden_size % 2 != 0)
    f.fail("intermediate_size", fmt::format("{} is odd: this family states twice the width", t.ffn_hidden_size));
  t.ffn_hidden_size /= 2;
  t.max_positions = f.whole({"seq_length"}, t.max_positions, field_limit::positions);
}

void qwen3(Fields& f, Transformer& t) {
  t.qk_norm = true;
  read_attention_bias(f, t, "attention_bias", false);
  read_window(f, t, 1, 0, false);
}

void gemma2(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "attention_bias", false);
  read_window(f, t, 2, 4096);
}

void gemma3(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "attention_bias", false);
  read_window(f, t, 6, 4096);
}

void olmo2(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "attention_bias", false);
  t.qk_norm = t.qk_norm_all_heads = true;
  read_window(f, t, 4);
}

void cohere(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "attention_bias", false);
  t.qk_norm = t.qk_norm_per_head = f.flag("use_qk_norm", false);
  read_window(f, t, 4);
}

void stablelm(Fields& f, Transformer& t) {
  t.qkv_bias = f.flag("use_qkv_bias", false);
  t.qk_norm = t.qk_norm_per_head = f.flag("qk_layernorm", false);
  t.parallel_residual = f.flag("use_parallel_residual", false);
  if (t.parallel_residual) t.norms_per_layer = 1;
}

void glm(Fields& f, Transformer& t) { t.qkv_bias = f.flag("attention_bias", true); }

void helium(Fields& f, Transformer& t) {
  t.qkv_bias = f.flag("attention_bias", false);
  t.mlp_bias = f.flag("mlp_bias", false);
}

/// THUDM's own names: multi-query groups, padded vocabulary.
void chatglm(Fields& f, Transformer& t) {
  if (f.flag("multi_query_attention", false))
    t.num_kv_heads = f.need({"multi_query_group_num"}, "the number of key-value heads", field_limit::heads);
  check_kv_heads(f, t);
  t.vocab_size = f.whole({"padded_vocab_size"}, t.vocab_size, field_limit::vocabulary);
  t.qkv_bias = f.flag("add_qkv_bias", true);
  if (f.flag("add_bias_linear", false)) t.qkv_bias = t.attention_output_bias = t.mlp_bias = true;
}

void exaone4(Fields& f, Transformer& t) {
  t.qk_norm = true;
  const bool pattern_is_text = f.any("sliding_window_pattern") && f.any("sliding_window_pattern")->is_string();
  if (!pattern_is_text) return read_window(f, t, 4);
  // "LLLG": three windowed layers, then a full one
  const std::string pattern = f.text("sliding_window_pattern", "");
  t.sliding_window = f.whole({"sliding_window"}, 0, field_limit::positions, 0);
  t.window_period = static_cast<std::int64_t>(pattern.size());
}

void seed_oss(Fields& f, Transformer& t) {
  t.qkv_bias = f.flag("attention_bias", true);
  t.attention_output_bias = f.flag("attention_out_bias", false);
  t.mlp_bias = f.flag("mlp_bias", false);
}

void ernie(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "use_bias", false);
  t.mlp_bias = t.qkv_bias;
}

void hunyuan(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "attention_bias", false);
  t.qk_norm = true;
}

void internlm2(Fields& f, Transformer& t) { read_attention_bias(f, t, "bias", false); }

void no_change(Fields&, Transformer&) {}

Transformer tied(Transformer t) {
  t.tied_embeddings = true;
  return t;
}
Transformer with_norms(Transformer t, std::int64_t norms) {
  t.norms_per_layer = norms;
  return t;
}
Transformer with_layer_norm(Transformer t, bool bias, bool weight = true) {
  t.norm = NormKind::layer_norm;
  t.norm_bias = bias;
  t.norm_weight = weight;
  return t;
}
Transformer parallel(Transformer t) {
  t.parallel_residual = true;
  t.norms_per_layer = 1;
  return t;
}
/// Files of the larger members leave out what the class has as default.
Transformer gemma3_start() {
  Transformer t = tied(with_norms(llama_start(), 4));
  t.qk_norm = true;
  t.num_heads = 8;
  t.num_kv_heads = 4;
  t.head_dim = 256;
  t.vocab_size = 262208;
  return t;
}

}  // namespace

void append_gated_families(std::vector<Family>& out) {
  const Transformer plain = llama_start();
  const std::vector<Family> list{
      {"baichuan", "llama", plain, no_change},
      {"chatglm", "glm", plain, chatglm},
      {"cohere", "cohere", tied(parallel(with_layer_norm(plain, false))), cohere},
      {"cohere2", "cohere", tied(parallel(with_layer_norm(plain, false))), cohere},
      {"ernie4_5", "ernie", tied(plain), ernie},
      {"exaone4", "exaone", plain, exaone4},
      {"gemma", "gemma", tied(plain), llama},
      {"gemma2", "gemma", tied(with_norms(plain, 4)), gemma2},
      {"gemma3_text", "gemma", gemma3_start(), gemma3},
      {"glm", "glm", plain, glm},
      {"glm4", "glm", with_norms(plain, 4), glm},
      {"granite", "granite", plain, llama},
      {"helium", "helium", plain, helium},
      {"hunyuan_v1_dense", "hunyuan", plain, hunyuan},
      {"internlm2", "llama", plain, internlm2},
      {"llama", "llama", plain, llama},
      {"ministral", "mistral", plain, mistral},
      {"mistral", "mistral", plain, mistral},
      {"olmo", "olmo", with_layer_norm(plain, false, false), llama},
      {"olmo2", "olmo", plain, olmo2},
      {"olmo3", "olmo", plain, olmo2},
      {"phi3", "phi", plain, mistral},
      {"qwen", "qwen", plain, qwen},
      {"qwen2", "qwen", plain, qwen2},
      {"qwen2_5_vl", "qwen", plain, qwen2},
      {"qwen2_5_vl_text", "qwen", plain, qwen2},
      {"qwen2_vl", "qwen", plain, qwen2},
      {"qwen2_vl_text", "qwen", plain, qwen2},
      {"qwen3", "qwen", plain, qwen3},
      {"qwen3_vl_text", "qwen", plain, qwen3},
      {"seed_oss", "seed", plain, seed_oss},
      {"smollm3", "llama", tied(plain), llama},
      {"stablelm", "stablelm", with_layer_norm(plain, true), stablelm},
      {"yi", "llama", plain, llama},
  };
  out.insert(out.end(), list.begin(), list.end());
}

}  // namespace reckon
