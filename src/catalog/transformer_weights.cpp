// The weights of transformers: decoders, encoders, encoder-decoders, mixtures of experts, latent attention, patch input.
//
// Shapes are those of the reference implementations in huggingface/transformers; checked against them, family by family, by
// tests/io/hugging_face_test.cpp.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "catalog/weight_shapes.hpp"

namespace reckon {
namespace {

double number(std::int64_t n) { return static_cast<double>(n); }

/// Keys that a query meets on average.  A causal mask lets s/2 through; a window w the sum of min(i, w) over i < s: w - w^2 / (2 s).
double mean_keys(double keys, double window, bool causal, AttentionCount count) {
  const double reach = window > 0 ? std::min(window, keys) : keys;
  if (!causal || count == AttentionCount::whole || keys <= 0) return reach;
  return reach - reach * reach / (2.0 * keys);
}

class TransformerWeights {
 public:
  TransformerWeights(const Transformer& model, std::int64_t seq_len, AttentionCount count)
      : m_(model),
        count_(count),
        seq_(number(tokens_per_sample(model, seq_len))),
        encoder_seq_(model.encoder_seq_len > 0 ? number(model.encoder_seq_len) : seq_) {}

  WeightShapes take() {
    embeddings();
    if (m_.num_encoder_layers > 0) {
      attention_blocks(encoder_seq_, encoder_seq_, number(m_.num_encoder_layers), 0, false);
      mlp(WeightUse::dense_mlp, encoder_seq_, m_.ffn_hidden_size, number(m_.num_encoder_layers));
      norms(number(m_.num_encoder_layers * m_.norms_per_layer));
      attention_blocks(seq_, encoder_seq_, number(m_.num_layers), 0, false);
      norms(number(m_.num_layers));
    }
    layers();
    norms(number(m_.num_final_norms + m_.num_embedding_norms));
    for (std::int64_t i = 0; i < m_.num_mtp_layers; ++i) multi_token_prediction();
    heads();
    return std::move(shapes_);
  }

 private:
  double h() const { return number(m_.hidden_size); }

  void product(WeightUse use, double rows, double in, double out, bool bias, double count) {
    shapes_.push_back({.use = use, .kind = WeightKind::product, .rows = rows, .in = in, .out = out, .bias = bias, .count = count});
  }
  void table(WeightUse use, double in, double out, double count = 1.0) {
    if (in * out * count > 0) shapes_.push_back({.use = use, .kind = WeightKind::table, .in = in, .out = out, .count = count});
  }
  /// `count` norms of the given width (the hidden size when 0).
  void norms(double count, double width = 0, WeightUse use = WeightUse::norms) {
    const double terms = (m_.norm_weight ? 1.0 : 0.0) + (m_.norm == NormKind::layer_norm && m_.norm_bias ? 1.0 : 0.0);
    table(use, terms, width > 0 ? width : h(), count);
  }

  void embeddings() {
    const double width = m_.embedding_dim > 0 ? number(m_.embedding_dim) : h();
    table(WeightUse::input_embedding, number(m_.vocab_size), width);
    if (width < h()) product(WeightUse::input_embedding, seq_, width, h(), false, 1);
    if (m_.positions == PositionKind::learned) table(WeightUse::position_embedding, number(m_.max_positions), h());
    table(WeightUse::other, number(m_.token_types), h());
    table(WeightUse::attention, number(m_.relative_buckets), number(m_.num_heads), m_.num_encoder_layers > 0 ? 2.0 : 1.0);
    if (m_.patch_size > 0) {
      product(WeightUse::input_embedding, seq_ - 1, number(m_.image_channels * m_.patch_size * m_.patch_size), h(), true, 1);
      table(WeightUse::other, 1, h());  // class token
    }
  }

  void layers() {
    const double layers = number(m_.num_layers), experts = number(num_expert_layers(m_));
    std::int64_t windowed = 0;
    if (m_.sliding_window > 0) windowed = m_.num_layers - (m_.window_period > 1 ? m_.num_layers / m_.window_period : 0);
    attention_blocks(seq_, seq_, layers - number(windowed), 0, m_.causal);
    attention_blocks(seq_, seq_, number(windowed), number(m_.sliding_window), m_.causal);
    if (layers > experts) mlp(WeightUse::dense_mlp, seq_, m_.ffn_hidden_size, layers - experts);
    if (experts > 0) expert_blocks(experts);
    norms(layers * number(m_.norms_per_layer));
  }

  /// `count` attention blocks of `rows` queries over `keys` keys.
  void attention_blocks(double rows, double keys, double count, double window, bool causal) {
    if (count <= 0) return;
    const double mean = mean_keys(keys, window, causal, count_);
    const double a = number(m_.num_heads);
    double core = 0;
    if (m_.latent_attention) {
      const LatentAttention& l = *m_.latent_attention;
      latent_projections(l, rows, count);
      core = a * number(l.qk_nope_head_dim + l.qk_rope_head_dim + l.v_head_dim);
    } else {
      const double d = number(m_.head_dim), k = number(m_.num_kv_heads);
      product(WeightUse::attention, rows, h(), a * d, m_.qkv_bias, count);
      product(WeightUse::attention, keys, h(), 2 * k * d, m_.qkv_bias, count);
      product(WeightUse::attention, rows, a * d, h(), m_.attention_output_bias, count);
      if (m_.qk_norm) query_key_norms(a, k, d, count);
      core = 2 * a * d;
    }
    if (m_.attention_sinks) table(WeightUse::attention, 1, a, count);
    shapes_.push_back({.use = WeightUse::attention, .kind = WeightKind::attention, .rows = rows, .in = mean, .out = core, .count = count});
  }

  void query_key_norms(double heads, double kv_heads, double d, double count) {
    if (m_.qk_norm_all_heads) {
      table(WeightUse::norms, 1, (heads + kv_heads) * d, count);
    } else if (m_.qk_norm_per_head) {
      table(WeightUse::norms, heads + kv_heads, d, count);
    } else {
      const double terms = m_.norm == NormKind::layer_norm && m_.norm_bias ? 2 : 1;
      table(WeightUse::norms, 2 * terms, d, count);
    }
  }

  /// DeepSeek-V2 (arXiv 2405.04434, section 2.1): queries and keys/values through low-rank projections, each with a norm in between.
  void latent_projections(const LatentAttention& l, double rows, double count) {
    const double a = number(m_.num_heads), q = number(l.qk_nope_head_dim + l.qk_rope_head_dim);
    const double kv_rank = number(l.kv_lora_rank), q_rank = number(l.q_lora_rank);
    if (q_rank > 0) {
      product(WeightUse::attention, rows, h(), q_rank, m_.qkv_bias, count);
      table(WeightUse::norms, 1, q_rank, count);
      product(WeightUse::attention, rows, q_rank, a * q, false, count);
    } else {
      product(WeightUse::attention, rows, h(), a * q, false, count);
    }
    product(WeightUse::attention, rows, h(), kv_rank + number(l.qk_rope_head_dim), m_.qkv_bias, count);
    table(WeightUse::norms, 1, kv_rank, count);
    product(WeightUse::attention, rows, kv_rank, a * number(l.qk_nope_head_dim + l.v_head_dim), false, count);
    product(WeightUse::attention, rows, a * number(l.v_head_dim), h(), m_.attention_output_bias, count);
  }

  void mlp(WeightUse use, double rows, std::int64_t ffn, double count, double visited = 1.0) {
    const double f = number(ffn);
    product(use, rows, h(), m_.gated_mlp ? 2 * f : f, m_.mlp_bias, count);
    shapes_.back().visited = visited;
    product(use, rows, f, h(), m_.mlp_bias, count);
    shapes_.back().visited = visited;
  }

  void expert_blocks(double layers) {
    const Experts& e = *m_.experts;
    const double n = number(e.num_experts);
    product(WeightUse::router, seq_, h(), n, e.router_bias, layers);
    mlp(WeightUse::experts, seq_, e.expert_ffn_hidden_size, layers * n, number(e.experts_per_token) / n);
    if (e.shared_ffn_hidden_size > 0) mlp(WeightUse::shared_experts, seq_, e.shared_ffn_hidden_size, layers);
    if (e.shared_gate) product(WeightUse::shared_experts, seq_, h(), 1, false, layers);
  }

  /// DeepSeek-V3 (arXiv 2412.19437, section 2.2): norms of the two inputs, a 2h x h projection, one layer, a norm, and the shared head.
  void multi_token_prediction() {
    const std::size_t first = shapes_.size();
    product(WeightUse::other, seq_, 2 * h(), h(), false, 1);
    attention_blocks(seq_, seq_, 1, 0, m_.causal);
    if (m_.experts) {
      expert_blocks(1);
    } else {
      mlp(WeightUse::dense_mlp, seq_, m_.ffn_hidden_size, 1);
    }
    norms(number(m_.norms_per_layer + 3));
    vocabulary_head();
    shapes_.back().shared = true;
    shapes_.back().bias = false;
    for (std::size_t i = first; i < shapes_.size(); ++i) shapes_[i].use = WeightUse::multi_token_prediction;
  }

  void vocabulary_head() {
    const double width = m_.embedding_dim > 0 ? number(m_.embedding_dim) : h();
    if (width < h()) product(WeightUse::output_head, seq_, h(), width, false, 1);
    product(WeightUse::output_head, seq_, width, number(m_.vocab_size), m_.output_bias || m_.mlm_head, 1);
    shapes_.back().shared = m_.tied_embeddings;
  }

  void heads() {
    if (m_.pooler) product(WeightUse::other, 1, h(), h(), true, 1);
    if (m_.mlm_head) {
      product(WeightUse::output_head, seq_, h(), h(), true, 1);
      norms(1);
      product(WeightUse::output_head, 1, h(), 2, true, 1);
    }
    if (m_.vocab_size > 0 && (m_.causal || m_.mlm_head)) vocabulary_head();
    if (m_.num_classes > 0) product(WeightUse::output_head, 1, h(), number(m_.num_classes), true, 1);
  }

  const Transformer& m_;
  AttentionCount count_;
  double seq_, encoder_seq_;
  WeightShapes shapes_;
};

}  // namespace

bool is_expert_layer(const Transformer& model, std::int64_t index) {
  if (!model.experts) return false;
  const std::int64_t k = index - model.experts->num_dense_layers;
  return k >= 0 && k % std::max<std::int64_t>(1, model.experts->layer_period) == 0;
}

std::int64_t num_expert_layers(const Transformer& model) {
  if (!model.experts) return 0;
  const std::int64_t rest = model.num_layers - model.experts->num_dense_layers,
                     period = std::max<std::int64_t>(1, model.experts->layer_period);
  return rest > 0 ? (rest + period - 1) / period : 0;
}

std::int64_t tokens_per_sample(const Transformer& model, std::int64_t seq_len) {
  if (model.patch_size > 0) {
    const std::int64_t side = model.image_size / model.patch_size;
    return side * side + 1;
  }
  return seq_len > 0 ? seq_len : model.seq_len;
}

WeightShapes weight_shapes(const Transformer& model, std::int64_t seq_len, AttentionCount count) {
  return TransformerWeights(model, seq_len, count).take();
}

}  // namespace reckon
