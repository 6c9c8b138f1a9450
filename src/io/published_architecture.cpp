// The architecture block of a run.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "io/published_fields.hpp"
#include "io/published_runs.hpp"

namespace reckon {
namespace {

LatentAttention read_latent_attention(const JsonNode& node) {
  node.refuse_unknown({"q_lora_rank", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"});
  LatentAttention mla;
  mla.q_lora_rank = node.at("q_lora_rank", "a whole number, 0 for uncompressed queries").integer(0, largest_size);
  mla.kv_lora_rank = size_at(node, "kv_lora_rank");
  mla.qk_nope_head_dim = size_at(node, "qk_nope_head_dim");
  mla.qk_rope_head_dim = size_at(node, "qk_rope_head_dim");
  mla.v_head_dim = size_at(node, "v_head_dim");
  return mla;
}

Experts read_experts(const JsonNode& node, const Transformer& t) {
  Experts e;
  e.num_experts = size_at(node, "num_experts");
  e.experts_per_token = node.at("experts_per_token", "a whole number").integer(1, e.num_experts);
  const std::int64_t width = size_or_zero(node, "expert_ffn_hidden_size");
  e.expert_ffn_hidden_size = width > 0 ? width : t.ffn_hidden_size;
  const std::int64_t shared = node.has("num_shared_experts") ? node.at("num_shared_experts").integer(0, 1000) : 0;
  e.shared_ffn_hidden_size = shared * e.expert_ffn_hidden_size;
  if (const auto dense = node.find("num_dense_layers")) e.num_dense_layers = dense->integer(0, t.num_layers);
  return e;
}

/// What the family says of a transformer and the block does not.
void apply_family(const std::string& family, Transformer& t) {
  const bool old = family == "gpt" || family == "bert";
  t.norm = old ? NormKind::layer_norm : NormKind::rms_norm;
  t.positions = old ? PositionKind::learned : PositionKind::rotary;
  t.qkv_bias = t.attention_output_bias = t.mlp_bias = old;
  t.tied_embeddings = old;
  t.max_positions = t.seq_len;
  if (family != "bert") return;
  t.causal = false;
  // MLPerf's samples are packed from two sequences on average (PACKING_FACTOR of the submissions) and attention stays within each
  t.sliding_window = t.seq_len / 2;
  t.token_types = 2;
  t.num_embedding_norms = 1;
  t.num_final_norms = 0;  // the norms follow their sublayers
  t.pooler = t.mlm_head = true;
}

/// Takes the other choice of tied embeddings when `params` agrees with it at least four times better and the family's is more than 1 % off.
/// A table of tokens weighs 3 % and more in small models; in large ones neither choice can be told and the family's stays.
void settle_tied_embeddings(Architecture& architecture, double params) {
  auto& t = std::get<Transformer>(architecture.body);
  const auto error = [&architecture, params] { return std::abs(parameter_count(architecture).total() / params - 1.0); };
  const double usual = error();
  t.tied_embeddings = !t.tied_embeddings;
  if (usual > 0.01 && error() <= usual / 4.0)
    architecture.notes.push_back(
        fmt::format("embeddings taken as {}: {:.4g} parameters are stated", t.tied_embeddings ? "tied" : "untied", params));
  else
    t.tied_embeddings = !t.tied_embeddings;
}

Transformer read_transformer(const JsonNode& node, const std::string& family) {
  Transformer t;
  t.num_layers = size_at(node, "num_layers");
  t.hidden_size = size_at(node, "hidden_size");
  t.num_heads = size_at(node, "num_heads");
  t.num_kv_heads = size_at(node, "num_kv_heads");
  t.head_dim = size_at(node, "head_dim");
  t.ffn_hidden_size = size_at(node, "ffn_hidden_size");
  t.vocab_size = size_at(node, "vocab_size");
  t.seq_len = size_at(node, "seq_len");
  t.gated_mlp = node.at("gated_mlp", "true or false").boolean();
  if (t.num_heads % t.num_kv_heads != 0)
    node.at("num_kv_heads").fail(fmt::format("num_kv_heads {} does not divide num_heads {}", t.num_kv_heads, t.num_heads));
  apply_family(family, t);
  if (const auto tied = node.find("tied_embeddings")) t.tied_embeddings = tied->boolean();
  if (family == "moe") t.experts = read_experts(node, t);
  if (const auto mla = node.find("multi_head_latent_attention")) t.latent_attention = read_latent_attention(*mla);
  return t;
}

std::vector<std::int64_t> read_sizes(const JsonNode& node) {
  std::vector<std::int64_t> sizes;
  for (const JsonNode& item : node.items()) sizes.push_back(item.integer(1, largest_size));
  if (sizes.empty()) node.fail("the list is empty");
  return sizes;
}

UNet read_unet(const JsonNode& node) {
  node.refuse_unknown({"model_channels", "channel_mult", "num_res_blocks", "attention_resolutions", "num_head_channels",
                       "transformer_depth", "context_dim", "latent", "image"});
  UNet u;
  u.model_channels = size_at(node, "model_channels");
  u.channel_mult = read_sizes(node.at("channel_mult", "[1, 2, 4, 4]"));
  u.num_res_blocks = size_at(node, "num_res_blocks");
  u.attention_resolutions = read_sizes(node.at("attention_resolutions", "[4, 2, 1]"));
  u.num_head_channels = size_at(node, "num_head_channels");
  u.context_dim = size_at(node, "context_dim");
  const JsonNode depth = node.at("transformer_depth", "a whole number, or one for each level");
  if (depth.is_array())
    u.transformer_depth = read_sizes(depth);
  else
    u.transformer_depth.assign(u.channel_mult.size(), depth.integer(1, 1000));
  if (u.transformer_depth.size() != u.channel_mult.size())
    depth.fail(fmt::format("{} depths for {} levels", u.transformer_depth.size(), u.channel_mult.size()));
  const JsonNode latent = node.at("latent", "[channels, height, width]");
  const std::vector<std::int64_t> shape = read_sizes(latent);
  if (shape.size() != 3 || shape[1] != shape[2]) latent.fail("the latent is not [channels, n, n]", "such as [4, 64, 64]");
  u.in_channels = u.out_channels = shape[0];
  u.latent_size = shape[1];
  const JsonNode image = node.at("image", "pixels of a side");
  if (image.integer(1, largest_size) % u.latent_size != 0) image.fail("the latent does not divide the image");
  return u;
}

}  // namespace

Architecture run_architecture(const JsonNode& node) {
  Architecture architecture;
  architecture.name = node.at("name", "a text").string();
  if (architecture.name.empty()) node.at("name").fail("the name is empty");
  architecture.family = node.at("family", "such as \"llama\"").choice({"gpt", "llama", "moe", "bert", "resnet", "unet"});
  double params = 0;
  if (const auto stated = node.find("params"); stated && !stated->is_null()) params = stated->number(1.0, 1e18);

  if (architecture.family == "resnet") {
    node.refuse_unknown({"name", "family", "params"});
    ResNet body;
    body.stage_blocks = {3, 4, 6, 3};
    architecture.body = body;
    return architecture;
  }
  if (architecture.family == "unet") {
    node.refuse_unknown({"name", "family", "params", "unet"});
    architecture.body = read_unet(node.at("unet", "{model_channels, ...}"));
    return architecture;
  }
  std::vector<std::string> keys{"name",     "family",          "params",    "num_layers", "hidden_size", "num_heads",      "num_kv_heads",
                                "head_dim", "ffn_hidden_size", "gated_mlp", "vocab_size", "seq_len",     "tied_embeddings"};
  if (architecture.family == "moe")
    keys.insert(keys.end(), {"num_experts", "experts_per_token", "expert_ffn_hidden_size", "num_shared_experts", "num_dense_layers"});
  if (architecture.family == "moe" || architecture.family == "llama") keys.push_back("multi_head_latent_attention");
  node.refuse_unknown(keys);
  architecture.body = read_transformer(node, architecture.family);
  if (params > 0 && !node.has("tied_embeddings") && architecture.family != "bert") settle_tied_embeddings(architecture, params);
  return architecture;
}

}  // namespace reckon
