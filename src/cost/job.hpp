// Everything that one prediction needs, by reference: a question is a value, nothing is global.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "calibration/compute.hpp"
#include "calibration/links.hpp"
#include "calibration/stack.hpp"
#include "catalog/architecture.hpp"
#include "catalog/device.hpp"
#include "catalog/strategy.hpp"

namespace reckon {

enum class Optimizer { adamw, lamb, sgd };

/// What is trained and how, apart from the parallel strategy.
struct Task {
  Training training = Training::pretrain;
  Optimizer optimizer = Optimizer::adamw;
  std::int64_t seq_len = 0;        ///< tokens in a sequence; 0 = the architecture's own
  std::int64_t lora_rank = 16;     ///< with Training::lora: on the four attention matrices
  double expert_imbalance = 1.0;   ///< tokens of the busiest expert rank over the mean
  bool compiled = false;           ///< torch.compile: element-wise chains fused
  bool async_tensor = false;       ///< tensor-parallel messages overlapped whatever the stack's default
};

/// One prediction's inputs.  All pointers stay valid for the call and are never null.
struct Job {
  const Architecture* architecture;
  const Cluster* cluster;
  const ComputeCalibration* compute;
  const LinkCalibration* links;
  const Stack* stack;
  Task task;
  Strategy strategy;
};

}  // namespace reckon
