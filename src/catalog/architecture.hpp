// The neural network as plain numbers, and its parameter count.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "catalog/provenance.hpp"

namespace reckon {

/// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434).  q_lora_rank 0 means no compression of the queries.
struct LatentAttention {
  std::int64_t q_lora_rank = 0, kv_lora_rank = 0, qk_nope_head_dim = 0, qk_rope_head_dim = 0, v_head_dim = 0;
};

/// Mixture of experts in place of the MLP.
struct Experts {
  std::int64_t num_experts = 0, experts_per_token = 0;
  std::int64_t expert_ffn_hidden_size = 0;
  std::int64_t shared_ffn_hidden_size = 0;  ///< all shared experts together; 0 = none
  std::int64_t num_dense_layers = 0;        ///< leading layers with the plain MLP (first_k_dense_replace)
  std::int64_t layer_period = 1;            ///< every n-th layer after them is MoE
  bool router_bias = false;                 ///< DeepSeek's e_score_correction_bias
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
  bool parallel_residual = false;      ///< attention and MLP read the same input (GPT-NeoX, Falcon)
  std::int64_t norms_per_layer = 2;    ///< 1 for falcon-7b, 4 for gemma 2 and 3
  std::int64_t num_final_norms = 1;
  std::int64_t num_embedding_norms = 0;  ///< BERT, BLOOM: a norm after the embedding
  std::int64_t sliding_window = 0;       ///< 0 = full attention
  std::int64_t window_period = 1;        ///< with a window: every n-th layer is full (gemma: 2 or 6); 1 = all windowed
  std::optional<Experts> experts;
  std::optional<LatentAttention> latent_attention;
  std::int64_t num_mtp_layers = 0;  ///< multi-token-prediction layers (DeepSeek-V3)

  // encoders
  std::int64_t token_types = 0;      ///< BERT segment embeddings
  bool pooler = false;               ///< BERT: dense h x h on the first token
  bool mlm_head = false;             ///< BERT pre-training head: dense h x h, norm, tied decoder with bias, and the 2-way head
  std::int64_t num_classes = 0;      ///< ViT: classification head in place of the vocabulary
  std::int64_t patch_size = 0, image_size = 0, image_channels = 0;
  // encoder-decoder (T5): `num_layers` decoder layers with cross attention over `num_encoder_layers` encoder layers
  std::int64_t num_encoder_layers = 0, encoder_seq_len = 0;
  std::int64_t relative_buckets = 0;  ///< T5 relative position table (buckets x heads, one per stack)
};

/// Bottleneck ResNet v1.5 (He et al. 2015).
struct ResNet {
  std::vector<std::int64_t> stage_blocks;  ///< {3, 4, 6, 3} for ResNet-50
  std::int64_t stem_channels = 64, bottleneck_expansion = 4, image_size = 224, num_classes = 1000;
};

/// Diffusion U-Net of Stable Diffusion (Rombach et al. 2022; SDXL: Podell et al. 2023).
struct UNet {
  std::int64_t model_channels = 0, num_res_blocks = 0, num_head_channels = 0, context_dim = 0;
  std::int64_t context_len = 77, in_channels = 4, latent_size = 0;
  std::vector<std::int64_t> channel_mult, attention_resolutions;  ///< resolutions as down-sampling factors (1, 2, 4)
  std::vector<std::int64_t> transformer_depth;                    ///< blocks at each level, same length as channel_mult
  std::int64_t pooled_dim = 0;                                    ///< SDXL vector conditioning; 0 = none
  std::int64_t num_heads = 0;                                     ///< SD 1.x: fixed number of heads instead of head channels; 0 = by channels
  bool linear_projection = true;                                  ///< SD 2.x and XL project by a matrix, 1.x by a 1x1 convolution
};

struct Architecture {
  std::string name;
  std::string family;  ///< model_type or gpt, llama, moe, bert, resnet, unet, vit, t5: for reports only, never for cost
  std::variant<Transformer, ResNet, UNet> body;
  Provenance provenance;
  std::vector<std::string> notes;  ///< what a reader left out or assumed

  const Transformer* transformer() const { return std::get_if<Transformer>(&body); }
};

/// Parameters by use.  total() counts what a checkpoint holds, tied tables once.
struct ParameterCount {
  double input_embedding = 0, position_embedding = 0, output_head = 0;  ///< output_head is 0 when tied
  double attention = 0, dense_mlp = 0, experts = 0, shared_experts = 0, router = 0, norms = 0, other = 0;
  double inactive_experts = 0;  ///< of `experts`, those that a token does not visit
  double multi_token_prediction = 0;  ///< not in total(): published totals leave it out
  double total() const { return input_embedding + position_embedding + output_head + attention + dense_mlp + experts + shared_experts + router + norms + other; }
  double active() const { return total() - inactive_experts; }
};

/// Exact for the 19 published totals of tests/catalog/parameter_count_test.cpp.
/// Source: the weight shapes of each family's reference implementation (huggingface/transformers).
ParameterCount parameter_count(const Architecture& architecture);

}  // namespace reckon
