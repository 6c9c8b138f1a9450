// What a step costs outside the micro-batches: gradient reduction, parameter gathers, the optimiser.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cost/step_cost.hpp"

namespace reckon {

/// Parameters that one device of a stage holds before data-parallel sharding.
struct StageParameters {
  double dense = 0, expert = 0, trainable_dense = 0, trainable_expert = 0;
};
StageParameters parameters_of(const LoweredModel& model, const Stage& stage);

/// Data-parallel communication that compute does not hide, per step.
///
/// none: one all-reduce of the gradients.  zero1, zero2: reduce-scatter and all-gather of the parameters.  zero3 (FSDP, Zhao et al.
/// 2023, arXiv 2304.11277): every layer's weights are gathered for the forward and again for the backward pass of every micro-batch,
/// its gradients reduce-scattered; a gather runs under the layer before it.
Seconds exposed_data_time(const Job& job, const LoweredModel& model, const std::vector<Stage>& stages, const std::vector<LayerTime>& times,
                          const Placements& placements);

/// Gradient norm and clip, update, cast to the working weights, zeroing: memory-bound passes over this device's share.
Seconds optimizer_time(const Job& job, const LoweredModel& model, const std::vector<Stage>& stages);

/// True when the shard group is smaller than the group that reduces gradients: every group keeps a whole copy.
bool splits_replicas(const Strategy& strategy);

/// Ranks over which the optimiser state of dense weights is split: 1 without sharding, else the shard group.
double shard_ranks(const Strategy& strategy);

}  // namespace reckon
