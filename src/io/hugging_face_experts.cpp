// Mixtures of experts: Mixtral, Qwen, DeepSeek, gpt-oss, Llama 4 and others.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "io/hugging_face_families.hpp"

namespace reckon {
namespace {

FieldNames expert_names() { return {"num_local_experts", "num_experts", "n_routed_experts"}; }
FieldNames visit_names() { return {"num_experts_per_tok", "num_experts_per_token", "moe_topk"}; }

/// Experts in every `decoder_sparse_step`-th layer, except in those of `mlp_only_layers`.
void sparse_steps(Fields& f, Transformer& t) {
  const std::int64_t step = f.whole({"decoder_sparse_step"}, 1, field_limit::layers);
  const std::vector<std::int64_t> dense = f.wholes("mlp_only_layers", field_limit::layers, 0);
  if (!t.experts) return;
  std::vector<bool> is_expert(static_cast<std::size_t>(t.num_layers));
  for (std::int64_t i = 0; i < t.num_layers; ++i)
    is_expert[static_cast<std::size_t>(i)] = (i + 1) % step == 0 && std::find(dense.begin(), dense.end(), i) == dense.end();
  place_experts(f, t, is_expert);
}

void mixtral(Fields& f, Transformer& t) {
  read_experts(f, t, {expert_names(), visit_names(), false});
  read_window(f, t, 1);
}

void qwen2_moe(Fields& f, Transformer& t) {
  t.qkv_bias = f.flag("qkv_bias", true);
  read_experts(f, t, {expert_names(), visit_names()});
  if (t.experts) {
    t.experts->shared_ffn_hidden_size =
        f.need({"shared_expert_intermediate_size"}, "the width of the shared expert", field_limit::width, 0);
    t.experts->shared_gate = t.experts->shared_ffn_hidden_size > 0;
  }
  sparse_steps(f, t);
  read_window(f, t, 1, 0, false);
}

void qwen3_moe(Fields& f, Transformer& t) {
  t.qk_norm = true;
  read_attention_bias(f, t, "attention_bias", false);
  read_experts(f, t, {expert_names(), visit_names()});
  sparse_steps(f, t);
  read_window(f, t, 1, 0, false);
}

/// The first `first_k_dense_replace` layers are dense, after them every layer whose index `moe_layer_freq` divides has experts.
void dense_first(Fields& f, Transformer& t) {
  const std::int64_t first = f.whole({"first_k_dense_replace"}, 0, field_limit::layers, 0);
  const std::int64_t period = f.whole({"moe_layer_freq"}, 1, field_limit::layers);
  if (first > t.num_layers) f.fail("first_k_dense_replace", fmt::format("{} dense layers of {}", first, t.num_layers));
  t.num_mtp_layers = f.whole({"num_nextn_predict_layers", "mtp_num_hidden_layers"}, 0, field_limit::layers, 0);
  if (t.num_mtp_layers > 0)
    f.note(fmt::format("{} multi-token-prediction layer(s) are in the file: trained, but not in the published parameter count",
                       t.num_mtp_layers));
  if (!t.experts) return;
  std::vector<bool> is_expert(static_cast<std::size_t>(t.num_layers));
  for (std::int64_t i = 0; i < t.num_layers; ++i) is_expert[static_cast<std::size_t>(i)] = i >= first && i % period == 0;
  place_experts(f, t, is_expert);
}

void shared_like_experts(Fields& f, Transformer& t) {
  const std::int64_t shared = f.whole({"n_shared_experts"}, 0, field_limit::experts, 0);
  if (t.experts) t.experts->shared_ffn_hidden_size = shared * t.experts->expert_ffn_hidden_size;
}

/// Latent attention: the class's head_dim is only its rotary part, never the width of a head.
void latent_attention(Fields& f, Transformer& t) {
  LatentAttention& l = *t.latent_attention;
  l.q_lora_rank = f.whole({"q_lora_rank"}, 0, field_limit::width, 0);
  l.kv_lora_rank = f.need({"kv_lora_rank"}, "the rank of the compressed keys and values", field_limit::width);
  l.qk_nope_head_dim = f.need({"qk_nope_head_dim"}, "the unrotated width of a query head", field_limit::width);
  l.qk_rope_head_dim = f.need({"qk_rope_head_dim"}, "the rotated width of a query head", field_limit::width);
  l.v_head_dim = f.need({"v_head_dim"}, "the width of a value head", field_limit::width);
  t.head_dim = l.qk_nope_head_dim + l.qk_rope_head_dim;
  t.num_kv_heads = t.num_heads;
  t.qkv_bias = t.attention_output_bias = f.flag("attention_bias", false);
}

void deepseek_v2(Fields& f, Transformer& t) {
  latent_attention(f, t);
  if (!f.has("n_routed_experts")) {
    f.any("n_routed_experts");
    return;  // a dense member of the family
  }
  read_experts(f, t, {expert_names(), visit_names()});
  shared_like_experts(f, t);
  dense_first(f, t);
}

void deepseek_v3(Fields& f, Transformer& t) {
  deepseek_v2(f, t);
  if (t.experts) t.experts->router_bias = true;
}

void glm4_moe(Fields& f, Transformer& t) {
  t.qkv_bias = f.flag("attention_bias", false);
  t.qk_norm = f.flag("use_qk_norm", false);
  read_experts(f, t, {expert_names(), visit_names()});
  shared_like_experts(f, t);
  dense_first(f, t);
  if (t.experts) t.experts->router_bias = true;
}

void dots1(Fields& f, Transformer& t) {
  glm4_moe(f, t);
  t.qk_norm = true;
  read_attention_bias(f, t, "attention_bias", false);
}

/// Biases on everything, a learned sink a head, every second layer with a window of 128.
void gpt_oss(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "attention_bias", true);
  read_experts(f, t, {expert_names(), visit_names(), false});
  if (t.experts) t.experts->router_bias = true;
  read_window(f, t, 2, 128);
}

void olmoe(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "attention_bias", false);
  t.qk_norm = t.qk_norm_all_heads = true;
  read_experts(f, t, {expert_names(), visit_names(), false});
}

void phimoe(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "attention_bias", false);
  t.output_bias = f.flag("lm_head_bias", false);
  read_experts(f, t, {expert_names(), visit_names(), false});
  read_window(f, t, 1);
}

void granitemoe(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "attention_bias", false);
  read_experts(f, t, {expert_names(), visit_names(), false});
}

/// `intermediate_size` is an expert's width (and the shared expert's), `intermediate_size_mlp` that of the dense layers between.
void llama4(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "attention_bias", false);
  read_experts(f, t, {expert_names(), visit_names(), false});
  const std::int64_t dense = f.whole({"intermediate_size_mlp"}, 16384, field_limit::width);
  const std::int64_t step = f.whole({"interleave_moe_layer_step"}, 1, field_limit::layers);
  const std::vector<std::int64_t> listed = f.wholes("moe_layers", field_limit::layers, 0);
  if (t.experts) {
    t.experts->shared_ffn_hidden_size = t.experts->expert_ffn_hidden_size;
    std::vector<bool> is_expert(static_cast<std::size_t>(t.num_layers));
    for (std::int64_t i = 0; i < t.num_layers; ++i)
      is_expert[static_cast<std::size_t>(i)] =
          listed.empty() ? (i + 1) % step == 0 : std::find(listed.begin(), listed.end(), i) != listed.end();
    place_experts(f, t, is_expert);
    t.ffn_hidden_size = dense;
  }
  const std::int64_t chunk = f.whole({"attention_chunk_size"}, 0, field_limit::positions, 0);
  const std::int64_t every = f.whole({"no_rope_layer_interval"}, 4, field_limit::layers);
  if (chunk > 0) {
    t.sliding_window = chunk;
    t.window_period = every;
    f.note(fmt::format("attention in chunks of {} tokens, full in every {}-th layer: taken as a sliding window", chunk, every));
  }
}

/// Databricks' names, in two nested objects.
void dbrx(Fields& f, Transformer& t) {
  t.num_layers = f.need({"n_layers"}, "the number of layers", field_limit::layers);
  t.hidden_size = f.need({"d_model"}, "the hidden size", field_limit::width);
  t.num_heads = t.num_kv_heads = f.need({"n_heads"}, "the number of attention heads", field_limit::heads);
  t.head_dim = divided_head_dim(f, t);
  t.vocab_size = f.need({"vocab_size"}, "the size of the vocabulary", field_limit::vocabulary);
  t.max_positions = f.whole({"max_seq_len"}, 0, field_limit::positions);
  t.tied_embeddings = f.flag("tie_word_embeddings", false);
  if (const auto node = f.object("attn_config")) {
    Fields attention(*node);
    t.num_kv_heads = attention.whole({"kv_n_heads"}, 1, field_limit::heads);
    if (t.num_heads % t.num_kv_heads != 0)
      attention.fail("kv_n_heads", fmt::format("{} does not divide {} heads", t.num_kv_heads, t.num_heads));
  }
  const auto node = f.object("ffn_config");
  if (!node) f.fail("ffn_config", "missing: the object with the sizes of the experts");
  Fields ffn(*node);
  t.ffn_hidden_size = ffn.need({"ffn_hidden_size"}, "the width of an expert", field_limit::width);
  read_experts(ffn, t, {{"moe_num_experts"}, {"moe_top_k"}, false});
}

void ernie4_5_moe(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "use_bias", false);
  t.mlp_bias = t.output_bias = t.qkv_bias;
  read_experts(f, t, {{"moe_num_experts"}, {"moe_k"}});
  const std::int64_t shared = f.whole({"moe_num_shared_experts"}, 0, field_limit::experts, 0);
  const std::int64_t first = f.whole({"moe_layer_start_index"}, 1, field_limit::layers, 0);
  const std::int64_t last = f.whole({"moe_layer_end_index"}, -1, field_limit::layers, -1);
  const std::int64_t step = f.whole({"moe_layer_interval"}, 1, field_limit::layers);
  if (!t.experts) return;
  t.experts->shared_ffn_hidden_size = shared * t.experts->expert_ffn_hidden_size;
  t.experts->router_bias = true;
  std::vector<bool> is_expert(static_cast<std::size_t>(t.num_layers));
  for (std::int64_t i = 0; i < t.num_layers; ++i)
    is_expert[static_cast<std::size_t>(i)] = (i + 1) % step == 0 && i >= first && (last < 0 || i <= last);
  place_experts(f, t, is_expert);
}

Transformer latent_start() {
  Transformer t = llama_start();
  t.latent_attention.emplace();
  return t;
}
Transformer gpt_oss_start() {
  Transformer t = llama_start();
  t.mlp_bias = t.attention_sinks = true;
  return t;
}
Transformer layer_norm_start(bool bias) {
  Transformer t = llama_start();
  t.norm = NormKind::layer_norm;
  t.norm_bias = bias;
  return t;
}
Transformer tied_start() {
  Transformer t = llama_start();
  t.tied_embeddings = true;
  return t;
}

}  // namespace

void append_expert_families(std::vector<Family>& out) {
  const Transformer plain = llama_start();
  const std::vector<Family> list{
      {"dbrx", "moe", layer_norm_start(false), dbrx, true},
      {"deepseek_v2", "deepseek", latent_start(), deepseek_v2},
      {"deepseek_v3", "deepseek", latent_start(), deepseek_v3},
      {"dots1", "moe", plain, dots1},
      {"ernie4_5_moe", "moe", tied_start(), ernie4_5_moe},
      {"glm4_moe", "moe", plain, glm4_moe},
      {"gpt_oss", "moe", gpt_oss_start(), gpt_oss},
      {"granitemoe", "moe", plain, granitemoe},
      {"kimi_k2", "deepseek", latent_start(), deepseek_v3},
      {"llama4_text", "moe", plain, llama4},
      {"mixtral", "moe", plain, mixtral},
      {"olmoe", "moe", plain, olmoe},
      {"phimoe", "moe", layer_norm_start(true), phimoe},
      {"qwen2_moe", "moe", plain, qwen2_moe},
      {"qwen3_moe", "moe", plain, qwen3_moe},
      {"qwen3_vl_moe_text", "moe", plain, qwen3_moe},
  };
  out.insert(out.end(), list.begin(), list.end());
}

}  // namespace reckon
