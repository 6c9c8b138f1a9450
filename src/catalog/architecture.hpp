// The neural network as plain numbers, its parameter count and the work of a token.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/quantity.hpp"
#include "catalog/provenance.hpp"

namespace reckon {

/// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434).  q_lora_rank 0 means no compression of the queries.
struct LatentAttention {
  std::int64_t q_lora_rank = 0, kv_lora_rank = 0, qk_nope_head_dim = 0, qk_rope_head_dim = 0, v_head_dim = 0;
};

/// Mixture of experts in place of the MLP.  Which layers have one: see is_expert_layer().
struct Experts {
  std::int64_t num_experts = 0, experts_per_token = 0;
  std::int64_t expert_ffn_hidden_size = 0;
  std::int64_t shared_ffn_hidden_size = 0;  ///< all shared experts together; 0 = none
  std::int64_t num_dense_layers = 0;        ///< leading layers with the plain MLP (first_k_dense_replace)
  std::int64_t layer_period = 1;            ///< of the layers after them the first, and every n-th from it, is MoE
  std::int64_t num_groups = 1;              ///< experts are chosen from the best `groups_per_token` groups (DeepSeek-V3: 8 and 4) ...
  std::int64_t groups_per_token = 1;        ///< ... which bounds the nodes that a token is sent to
  bool router_bias = false;                 ///< DeepSeek's e_score_correction_bias, gpt-oss's router bias
  bool shared_gate = false;                 ///< Qwen2-MoE: a hidden -> 1 gate on the shared expert
};

enum class NormKind { layer_norm, rms_norm };
enum class PositionKind { learned, rotary, none };

/// A stack of attention + MLP layers: decoder (causal) or encoder, with optional second stack (T5) and patch input (ViT).
struct Transformer {
  std::int64_t num_layers = 0, hidden_size = 0, num_heads = 0, num_kv_heads = 0, head_dim = 0;
  std::int64_t ffn_hidden_size = 0, vocab_size = 0;
  std::int64_t seq_len = 0;        ///< tokens in a training sequence; 0 in a description that does not say
  std::int64_t max_positions = 0;  ///< rows of the learned position table; the default of --seq-len otherwise
  bool gated_mlp = false, causal = true, tied_embeddings = false;
  NormKind norm = NormKind::layer_norm;
  PositionKind positions = PositionKind::rotary;
  bool qkv_bias = false, attention_output_bias = false, mlp_bias = false, qk_norm = false;
  bool qk_norm_all_heads = false;             ///< one norm over all heads together (OLMo 2), not one of head_dim shared by the heads
  bool qk_norm_per_head = false;              ///< each head has weights of its own (Cohere, StableLM 2)
  bool attention_sinks = false;               ///< one learned logit a head (gpt-oss)
  bool norm_weight = true, norm_bias = true;  ///< the affine terms of the norms; the bias only with layer_norm
  bool output_bias = false;                   ///< of the vocabulary projection (GPT-J, Phi)
  bool parallel_residual = false;             ///< attention and MLP read the same input (GPT-NeoX, Falcon)
  std::int64_t norms_per_layer = 2;           ///< 1 for falcon-7b, 4 for gemma 2 and 3
  std::int64_t num_final_norms = 1;
  std::int64_t num_embedding_norms = 0;  ///< BERT, BLOOM: a norm after the embedding
  std::int64_t embedding_dim = 0;        ///< OPT-350m: tables narrower than the hidden size, projected in and out; 0 = hidden_size
  std::int64_t sliding_window = 0;       ///< 0 = full attention
  std::int64_t window_period = 1;        ///< with a window: every n-th layer is full (gemma: 2 or 6); 1 = all windowed
  std::optional<Experts> experts;
  std::optional<LatentAttention> latent_attention;
  std::int64_t num_mtp_layers = 0;  ///< multi-token-prediction layers (DeepSeek-V3)

  // encoders
  std::int64_t token_types = 0;  ///< BERT segment embeddings
  bool pooler = false;           ///< BERT: dense h x h on the first token
  bool mlm_head = false;         ///< BERT pre-training head: dense h x h, norm, tied decoder with bias, and the 2-way head
  std::int64_t num_classes = 0;  ///< ViT: classification head in place of the vocabulary
  std::int64_t patch_size = 0, image_size = 0, image_channels = 0;
  // encoder-decoder (T5): `num_layers` decoder layers with cross attention over `num_encoder_layers` encoder layers
  std::int64_t num_encoder_layers = 0, encoder_seq_len = 0;
  std::int64_t relative_buckets = 0;  ///< T5 relative position table (buckets x heads, one per stack)
};

/// ResNet v1.5 (He et al. 2015, arXiv 1512.03385, with the stride in the 3x3 convolution).
struct ResNet {
  std::vector<std::int64_t> stage_blocks;  ///< {3, 4, 6, 3} for ResNet-50
  std::int64_t stem_channels = 64, bottleneck_expansion = 4, image_size = 224, num_classes = 1000;
  std::int64_t image_channels = 3;
  bool bottleneck = true;  ///< false: two 3x3 convolutions a block (ResNet-18, -34), expansion 1
};

/// Diffusion U-Net of Stable Diffusion (Rombach et al. 2022; SDXL: Podell et al. 2023).
struct UNet {
  std::int64_t model_channels = 0, num_res_blocks = 0, num_head_channels = 0, context_dim = 0;
  std::int64_t context_len = 77, in_channels = 4, out_channels = 4, latent_size = 0;
  std::vector<std::int64_t> channel_mult, attention_resolutions;  ///< resolutions as down-sampling factors (1, 2, 4)
  std::vector<std::int64_t> transformer_depth;                    ///< blocks at each level, same length as channel_mult
  std::int64_t pooled_dim = 0;                                    ///< SDXL vector conditioning; 0 = none
  std::int64_t num_heads = 0;     ///< SD 1.x: fixed number of heads instead of head channels; 0 = by channels
  bool linear_projection = true;  ///< SD 2.x and XL project by a matrix, 1.x by a 1x1 convolution
};

struct Architecture {
  std::string name;
  std::string family;  ///< model_type or gpt, llama, moe, bert, resnet, unet, vit, t5: for reports only, never for cost
  std::variant<Transformer, ResNet, UNet> body;
  Provenance provenance;
  std::vector<std::string> notes;  ///< what a reader left out or assumed

  const Transformer* transformer() const { return std::get_if<Transformer>(&body); }
};

/// Whether layer `index` (from 0) has experts: index >= num_dense_layers and (index - num_dense_layers) % layer_period == 0.
bool is_expert_layer(const Transformer& model, std::int64_t index);
std::int64_t num_expert_layers(const Transformer& model);

/// Tokens that one sample brings into the stack: patches and class token for a ViT, else `seq_len`, the model's own when that is 0.
std::int64_t tokens_per_sample(const Transformer& model, std::int64_t seq_len = 0);

/// Parameters by use.  total() counts what a checkpoint holds, tied tables once.
struct ParameterCount {
  double input_embedding = 0, position_embedding = 0, output_head = 0;  ///< output_head is 0 when tied
  double attention = 0, dense_mlp = 0, experts = 0, shared_experts = 0, router = 0, norms = 0, other = 0;
  double inactive_experts = 0;        ///< of `experts`, those that a token does not visit
  double multi_token_prediction = 0;  ///< not in total(): published totals leave it out
  double total() const {
    return input_embedding + position_embedding + output_head + attention + dense_mlp + experts + shared_experts + router + norms + other;
  }
  double active() const { return total() - inactive_experts; }
};

/// Exact for the 19 published totals of tests/catalog/parameter_count_test.cpp.
/// Source: the weight shapes of each family's reference implementation (huggingface/transformers and diffusers).
ParameterCount parameter_count(const Architecture& architecture);

/// How the masked half of causal attention is counted in a model-FLOP figure.
/// `causal_half`: only pairs that the mask lets through, s/2 keys a query (Dao 2023; our MFU).
/// `whole`: all s keys, the convention of Chowdhery et al. 2022 (PaLM, arXiv 2204.02311, appendix B), of Megatron-LM and most printed MFUs.
enum class AttentionCount { causal_half, whole };

/// Model FLOP of one training sample, forward and backward: 3 x the forward pass, no recompute.
///
///   2 x 3 x (weights of matrix products, with the output head, without table look-ups) x tokens
///   + 2 x 3 x layers x heads x (d_qk + d_v) x keys x tokens
///
/// With d_qk = d_v = head_dim that is 6 N + 12 L a d s a token, the second term halved by `causal_half`.  A sliding window w < s leaves
/// w - w^2 / (2 s) keys (`whole`: w).  Experts count by those that a token visits; multi-token-prediction layers count in full, each with
/// one more pass of the output head.  `seq_len` 0 = the model's own; images and latents have no sequence and ignore it.
/// Throws UsageError when neither the call nor the model says a sequence length.
Flops model_flops_per_sample(const Architecture& architecture, std::int64_t seq_len, AttentionCount count = AttentionCount::causal_half);

/// The same in FLOP per token: per sample / seq_len (decoder tokens for an encoder-decoder).  For image and latent models, which have no
/// tokens to train on, it is FLOP per sample.
double model_flops_per_token(const Architecture& architecture, std::int64_t seq_len, AttentionCount count = AttentionCount::causal_half);

}  // namespace reckon
