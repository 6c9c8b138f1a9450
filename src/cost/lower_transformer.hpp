// What the layers of a transformer and its two ends share.  Internal to src/cost.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cost/layer_builder.hpp"
#include "cost/lower.hpp"

namespace reckon {

/// The sizes of a strategy as the formulas use them.
struct TransformerShard {
  double batch, seq, cp, tp, ep, etp;
  double tokens;        ///< of one micro-batch on one context rank
  double norm_tokens;   ///< of those, where norms and residuals run (split by sequence parallelism)
  bool sp, unfused, frozen;
  double element;
};

TransformerShard transformer_shard(const Strategy& strategy, const Task& task, double seq);

/// What stands before the first layer (embedding or patches) and after the last one (norm, head, loss).
class TransformerEnds {
 public:
  TransformerEnds(const Transformer& model, const Strategy& strategy, const Task& task, const StackFacts& facts);
  LoweredLayer before() const;
  LoweredLayer after() const;

 private:
  double h() const { return static_cast<double>(model_.hidden_size); }
  bool has_bias() const { return model_.norm == NormKind::layer_norm; }
  double head_rows() const;
  void loss(LayerBuilder& b, double logits) const;

  const Transformer& model_;
  const Strategy& strategy_;
  const StackFacts& facts_;
  TransformerShard x_;
};

}  // namespace reckon
