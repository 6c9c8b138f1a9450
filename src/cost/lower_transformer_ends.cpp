// The two ends of a transformer: embedding or patches; final norm, head and loss.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "cost/lower_transformer.hpp"

namespace reckon {
namespace {

/// Fetching a micro-batch on the first and on the last stage: the loader, sizes that every tensor-parallel rank reads from the device
/// (Megatron-LM's broadcast_data), masks and positions, the loss averaged over replicas.  The device waits.  A guess: with the constants
/// fitted anew the average error of the published runs is the same within 0.1 % for 0 to 300 launches.
constexpr double launches_per_batch = 75;

// Masked-language-model heads run on the masked positions only: 76 of 512 at most in the MLPerf reference (max_predictions_per_seq = 76).
constexpr double masked_share = 76.0 / 512.0;

double sequence_of(const Transformer& model, const Task& task) { return static_cast<double>(task.seq_len > 0 ? task.seq_len : model.seq_len); }

}  // namespace

TransformerShard transformer_shard(const Strategy& s, const Task& task, double seq) {
  TransformerShard x{};
  x.batch = static_cast<double>(s.micro_batch_size);
  x.cp = static_cast<double>(s.context_parallel);
  x.tp = static_cast<double>(s.tensor_parallel);
  x.ep = static_cast<double>(s.expert_parallel);
  x.etp = static_cast<double>(s.expert_tensor());
  x.seq = seq;
  x.sp = s.sequence_parallel && s.tensor_parallel > 1;
  x.tokens = x.batch * seq / x.cp;
  x.norm_tokens = x.sp ? x.tokens / x.tp : x.tokens;
  x.unfused = s.attention == AttentionKind::unfused;
  x.frozen = task.training == Training::lora;
  x.element = activation_bytes(s.precision);
  return x;
}

TransformerEnds::TransformerEnds(const Transformer& model, const Strategy& strategy, const Task& task, const StackFacts& facts)
    : model_(model), strategy_(strategy), facts_(facts), x_(transformer_shard(strategy, task, sequence_of(model, task))) {}

LoweredLayer TransformerEnds::before() const {
  const TransformerShard& x = x_;
  LayerBuilder b(strategy_.precision, facts_, x.element);
  const double values = x.tokens * h(), drop = facts_.dropout ? 1.0 : 0.0;
  if (model_.vocab_size > 0) {
    const double rows = static_cast<double>(model_.vocab_size) / x.tp;
    b.layer().parameters += rows * h() + static_cast<double>(model_.positions == PositionKind::learned ? model_.max_positions : 0) * h();
    // gather rows; add positions; dropout; to (sequence, batch) order.  Backward: scatter-add into the table's gradient.
    const double tables = model_.positions == PositionKind::learned ? 2.0 : 1.0;
    const double passes = 2.0 + (tables > 1.0 ? 3.0 : 0.0) + (facts_.batch_first ? 0.0 : 2.0);
    const double backward = facts_.batch_first ? elementwise_work(values, 1, 2, 0, 4.0).bytes.base() * tables : values * (2.0 * x.element + 8.0);
    Op& op = b.stream("embedding", OpGroup::other, Bytes{values * x.element * passes + x.norm_tokens * h() * drop * (2.0 * x.element + 1.0)},
             Bytes{backward}, Bytes{x.norm_tokens * h() * drop}, 5, 5);
    op.forward_kernel = StreamKernel::embedding;
    op.backward_kernel = StreamKernel::embedding_backward;
  } else {  // patches (ViT)
    const double patch = static_cast<double>(model_.image_channels * model_.patch_size * model_.patch_size);
    b.linear("patches", OpGroup::other, {.rows = x.tokens, .in = patch, .out = h(), .bias = true, .first = true});
  }
  if (x.frozen) b.layer().trainable = 0; else b.layer().trainable = b.layer().parameters;
  if (x.tp > 1 && model_.vocab_size > 0)
    b.message(Group::tensor, x.sp ? Collective::reduce_scatter : Collective::all_reduce, values * x.element, 1, x.sp ? 1 : 0, 0);
  for (std::int64_t i = 0; i < model_.num_embedding_norms; ++i) b.norm("embedding norm", x.norm_tokens, h(), has_bias());
  b.layer().input = Bytes{};
  b.layer().blocking_launches = launches_per_batch;
  return b.take();
}

LoweredLayer TransformerEnds::after() const {
  const TransformerShard& x = x_;
  LayerBuilder b(strategy_.precision, facts_, x.element);
  b.layer().blocking_launches = launches_per_batch;
  b.norm("final norm", x.norm_tokens, h(), has_bias());
  const double out = model_.vocab_size > 0 ? head_rows() : static_cast<double>(model_.num_classes) / x.tp;
  if (out <= 0) return b.take();
  // multi-token prediction reads the head once more for each extra layer
  const double rows = model_.vocab_size > 0 ? (model_.mlm_head ? x.tokens * masked_share : x.tokens) * static_cast<double>(1 + model_.num_mtp_layers) : x.batch;
  b.linear("head", OpGroup::other, {.rows = rows, .in = h(), .out = out, .frozen = x.frozen, .low_precision = false, .saved_rows = x.sp ? x.norm_tokens : rows});
  if (model_.tied_embeddings) {
    b.layer().parameters -= h() * out;
    if (!x.frozen) b.layer().trainable -= h() * out;
  }
  loss(b, rows * out);
  if (x.tp > 1) {
    b.message(Group::tensor, x.sp ? Collective::all_gather : Collective::all_reduce, x.tokens * h() * x.element, x.sp ? 1 : 0, 1, 0);
    if (facts_.messages_by_parameter) {
      b.message(Group::tensor, Collective::all_reduce, x.tokens * 4.0, 1, 0, 0);  // maximum
      b.message(Group::tensor, Collective::all_reduce, x.tokens * 8.0, 1, 0, 0);  // sum and target logit together
      if (x.sp) b.message(Group::tensor, Collective::reduce_scatter, x.tokens * h() * (facts_.wide_reductions ? 4.0 : x.element), 0, 1, 0);
    } else {
      b.message(Group::tensor, Collective::all_reduce, x.tokens * 4.0, 3, 0, 0);  // maximum, sum, target logit
    }
  }
  return b.take();
}

/// Rows of the head on one rank, padding included.
double TransformerEnds::head_rows() const {
  const double share = static_cast<double>(model_.vocab_size) / x_.tp;
  return facts_.vocabulary_multiple > 1.0 ? std::ceil(share / facts_.vocabulary_multiple) * facts_.vocabulary_multiple : std::floor(share);
}

/// Cross-entropy.  Unfused: to fp32 (r2 w4), maximum (r4), subtract (r4 w4), exponential (r4 w4), sum (r4), divide (r4 w4); backward:
/// scale (r4 w4), to 16 bit (r4 w2): Megatron's vocab_parallel_cross_entropy.  Fused: one read of the logits, one write of the gradient.
void TransformerEnds::loss(LayerBuilder& b, double logits) const {
  const TransformerShard& x = x_;
  if (facts_.fused_loss) {
    Op& op = b.stream("loss", OpGroup::other, Bytes{logits * x.element}, Bytes{2.0 * logits * x.element}, Bytes{2.0 * logits * x.element}, 3, 2);  // held: logits and their gradient
    op.forward_kernel = StreamKernel::loss;
    op.backward_kernel = StreamKernel::loss_backward;
  } else {
    b.stream("loss", OpGroup::other, Bytes{logits * (2.0 + 4.0 + 4.0 + 8.0 + 8.0 + 4.0 + 8.0)}, Bytes{logits * (8.0 + 6.0)}, Bytes{logits * (4.0 + x.element)}, 12, 5);
  }
}

}  // namespace reckon
