// Dense decoders with a plain two-matrix MLP: GPT and what descends from it.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "io/hugging_face_families.hpp"

namespace reckon {
namespace {

void gpt2(Fields& f, Transformer&) {
  if (f.flag("add_cross_attention", false)) f.fail("add_cross_attention", "a decoder with cross attention is not described by this reader");
}

/// No biases on queries, keys and values; local layers alternate with global ones.
void gpt_neo(Fields& f, Transformer& t) {
  t.qkv_bias = false;
  const std::vector<std::string> kinds = f.texts("attention_layers");
  const std::int64_t window = f.whole({"window_size"}, 256, field_limit::positions);
  for (const std::string& kind : kinds)
    if (kind == "local") t.sliding_window = window;
  if (t.sliding_window > 0) {  // global first: every second layer is full, in number
    t.window_period = 2;
    f.note("global and local attention alternate, global first: taken as local first");
  }
}

void gpt_neox(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "attention_bias", true);
  t.parallel_residual = f.flag("use_parallel_residual", true);
}

void gptj(Fields&, Transformer& t) { t.qkv_bias = t.attention_output_bias = false; }

void gpt_bigcode(Fields& f, Transformer& t) {
  if (f.flag("multi_query", true)) t.num_kv_heads = 1;
}

/// The position table has two rows more than positions; opt-350m's tables are narrower than its stack.
void opt(Fields& f, Transformer& t) {
  t.seq_len = t.max_positions;
  t.max_positions += 2;
  const bool affine = f.flag("layer_norm_elementwise_affine", true), bias = f.flag("enable_bias", true);
  t.norm_weight = t.norm_bias = affine;
  t.qkv_bias = t.attention_output_bias = t.mlp_bias = bias;
  const bool final_norm = f.flag("do_layer_norm_before", true) && !f.flag("_remove_final_layer_norm", false);
  t.num_final_norms = final_norm ? 1 : 0;
  const std::int64_t width = f.whole({"word_embed_proj_dim"}, t.hidden_size, field_limit::width);
  if (width > t.hidden_size) f.fail("word_embed_proj_dim", fmt::format("{} exceeds the hidden size {}", width, t.hidden_size));
  if (width < t.hidden_size) t.embedding_dim = width;
}

void bloom(Fields&, Transformer& t) { t.max_positions = 0; }

/// falcon-7b: one key-value head whatever num_kv_heads says (it says 71) and one norm; the new architecture has groups and two norms.
void falcon(Fields& f, Transformer& t) {
  const bool groups = f.flag("new_decoder_architecture", false), multi_query = f.flag("multi_query", true);
  const bool beside = f.flag("parallel_attn", true) || groups;
  if (!groups) t.num_kv_heads = multi_query ? 1 : t.num_heads;
  const std::int64_t norms = f.whole({"num_ln_in_parallel_attn"}, groups ? 2 : 1, 2);
  t.norms_per_layer = !beside || (groups && norms == 2) ? 2 : 1;
  t.parallel_residual = beside;
  t.qkv_bias = t.attention_output_bias = t.mlp_bias = f.flag("bias", false);
  if (f.flag("alibi", false)) t.positions = PositionKind::none;
}

/// The names of Falcon's first release: "RefinedWeb" is the 40B code, "RefinedWebModel" that of 1B and 7B.
void refined_web(Fields& f, Transformer& t) {
  t.parallel_residual = true;
  t.num_kv_heads = f.whole({"n_head_kv"}, t.num_heads, field_limit::heads);
  check_kv_heads(f, t);
  t.qkv_bias = t.attention_output_bias = t.mlp_bias = f.flag("bias", false);
}
void refined_web_model(Fields& f, Transformer& t) {
  falcon(f, t);
  if (f.flag("multi_query", true)) t.num_kv_heads = 1;
}

/// MosaicML's names; all its biases are off, those of the norms too.
void mpt(Fields& f, Transformer& t) {
  t.num_layers = f.need({"n_layers"}, "the number of layers", field_limit::layers);
  t.hidden_size = f.need({"d_model"}, "the hidden size", field_limit::width);
  t.num_heads = t.num_kv_heads = f.need({"n_heads"}, "the number of attention heads", field_limit::heads);
  t.head_dim = divided_head_dim(f, t);
  const double ratio = f.number("expansion_ratio", 4.0, 0.001, 1000.0);
  t.ffn_hidden_size = static_cast<std::int64_t>(ratio * static_cast<double>(t.hidden_size));
  t.vocab_size = f.need({"vocab_size"}, "the size of the vocabulary", field_limit::vocabulary);
  t.max_positions = f.need({"max_seq_len"}, "the longest sequence", field_limit::positions);
  t.tied_embeddings = f.flag("tie_word_embeddings", true);
  const bool biased = !f.flag("no_bias", true);
  t.qkv_bias = t.attention_output_bias = t.mlp_bias = t.norm_bias = biased;
  if (const auto node = f.object("attn_config")) {
    Fields attention(*node);
    t.num_kv_heads =
        attention.whole({"kv_n_heads"}, attention.text("attn_type", "") == "multiquery_attention" ? 1 : t.num_heads, field_limit::heads);
    if (t.num_heads % t.num_kv_heads != 0)
      attention.fail("kv_n_heads", fmt::format("{} does not divide {} heads", t.num_kv_heads, t.num_heads));
    if (attention.flag("alibi", true)) t.positions = PositionKind::none;
  }
  if (t.positions == PositionKind::learned && !f.flag("learned_pos_emb", true)) t.positions = PositionKind::none;
}

/// Attention and MLP share one norm; the output projection has a bias.
void phi(Fields& f, Transformer& t) { t.qk_norm = f.flag("qk_layernorm", false); }

void starcoder2(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "use_bias", true);
  t.mlp_bias = t.qkv_bias;
  read_window(f, t, 1);
}

void attention_and_mlp_bias(Fields& f, Transformer& t) {
  read_attention_bias(f, t, "attention_bias", false);
  t.mlp_bias = f.flag("mlp_bias", false);
}

void persimmon(Fields& f, Transformer& t) { t.qk_norm = f.flag("qk_layernorm", true); }

Transformer rotary(Transformer t, bool tied) {
  t.positions = PositionKind::rotary;
  t.tied_embeddings = tied;
  return t;
}
Transformer one_norm(Transformer t) {
  t.parallel_residual = true;
  t.norms_per_layer = 1;
  return t;
}
Transformer with_output_bias(Transformer t) {
  t.output_bias = true;
  return t;
}
Transformer alibi(Transformer t) {
  t.positions = PositionKind::none;
  t.num_embedding_norms = 1;
  return t;
}
Transformer squared_relu_rms(Transformer t) {
  t.norm = NormKind::rms_norm;
  return t;
}

}  // namespace

void append_gpt_families(std::vector<Family>& out) {
  const Transformer plain = gpt_start();
  const std::vector<Family> list{
      {"RefinedWeb", "falcon", rotary(plain, true), refined_web, false, true},
      {"RefinedWebModel", "falcon", rotary(plain, true), refined_web_model, false, true},
      {"arcee", "arcee", squared_relu_rms(rotary(plain, false)), attention_and_mlp_bias},
      {"bloom", "bloom", alibi(plain), bloom, false, true},
      {"codegen", "gpt", with_output_bias(one_norm(rotary(plain, false))), gptj, false, true},
      {"falcon", "falcon", rotary(plain, true), falcon, false, true},
      {"gpt2", "gpt", plain, gpt2, false, true},
      {"gpt_bigcode", "gpt", plain, gpt_bigcode, false, true},
      {"gpt_neo", "gpt", plain, gpt_neo, false, true},
      {"gpt_neox", "gpt", rotary(plain, false), gpt_neox},
      {"gptj", "gpt", with_output_bias(one_norm(rotary(plain, false))), gptj, false, true},
      {"mpt", "mpt", plain, mpt, true},
      {"nemotron", "nemotron", rotary(plain, false), attention_and_mlp_bias},
      {"opt", "opt", plain, opt},
      {"persimmon", "persimmon", rotary(plain, false), persimmon},
      {"phi", "phi", with_output_bias(one_norm(rotary(plain, false))), phi},
      {"starcoder2", "starcoder", rotary(plain, true), starcoder2},
  };
  out.insert(out.end(), list.begin(), list.end());
}

}  // namespace reckon
