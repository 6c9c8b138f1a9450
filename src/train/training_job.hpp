// What the trainer is asked to do: model, strategy, optimiser, amounts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "catalog/architecture.hpp"
#include "catalog/strategy.hpp"
#include "kernels/op/backend.hpp"

namespace reckon::train {

enum class OptimizerKind { adamw, sgd, lamb };

struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::adamw;
  double learning_rate = 6e-4, least_learning_rate = 6e-5;  ///< cosine from the first to the second after the warm-up
  std::int64_t warmup_steps = 10;
  double beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8, weight_decay = 0.1;  ///< SGD takes beta1 as its momentum
  double clip = 1.0;                                                     ///< largest norm of the gradient; 0 = no clipping
};

struct TrainingJob {
  Architecture architecture;
  Strategy strategy;
  OptimizerSettings optimizer;
  std::int64_t seq_len = 0, steps = 0;
  std::uint64_t seed = 1;
  Backend backend = Backend::cpu;  ///< what the kernels run on

  const Transformer& model() const { return *architecture.transformer(); }
  /// Tokens of a step over all ranks.
  std::int64_t tokens_per_step() const { return strategy.global_batch_size * seq_len; }
};

/// The rate at `step` (from 1): rises linearly over the warm-up, then falls along a half cosine to the least at the last step.
double learning_rate(const OptimizerSettings& settings, std::int64_t step, std::int64_t steps);

/// Throws UsageError for what the trainer does not train, naming it and what to choose: architectures with parts that it lacks, strategies
/// that do not divide the model, precisions other than fp32 and bf16.
void check_job(const TrainingJob& job);

}  // namespace reckon::train
