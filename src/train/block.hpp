// One transformer layer: norm, attention, residual, norm, MLP or experts, residual; forward, and backward from what it kept.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "train/attention_core.hpp"
#include "train/mlp.hpp"

namespace reckon::train {

/// What a layer's backward pass needs.  With full recompute only `x` outlives the forward pass.
template <class T>
struct BlockKept {
  Buffer<T> x, attention_input, qkv, middle, mlp_input, hidden, active;  ///< middle: after the first residual sum
  NormStatistics<T> first_norm, second_norm;
  AttentionKept<T> attention;
  ExpertsKept<T> experts;
  bool only_input = false;
};

template <class T>
class Block {
 public:
  /// Layer `index` of the model with its weights drawn.
  Block(const Scene<T>& scene, std::int64_t index);

  /// x: (rows, hidden) outside tensor-parallel regions.
  Buffer<T> forward(Buffer<T> x, BlockKept<T>& kept);
  /// The gradient of x.
  Buffer<T> backward(Buffer<T> dout, BlockKept<T>& kept);

  std::vector<Unit<T>*> units();

 private:
  Buffer<T> run_forward(BlockKept<T>& kept);
  Buffer<T> mlp_forward(BlockKept<T>& kept);
  Buffer<T> mlp_backward(const T* dout, BlockKept<T>& kept);
  Buffer<T> attention_part_backward(const T* dmiddle, BlockKept<T>& kept);

  const Scene<T>* scene_;
  bool gated_, has_experts_;
  std::int64_t width_;  ///< of the MLP on this tensor rank
  std::unique_ptr<Unit<T>> unit_, expert_unit_;
  Norm first_norm_, second_norm_;
  Linear qkv_, output_, up_, down_;
  Experts experts_;
};

}  // namespace reckon::train
