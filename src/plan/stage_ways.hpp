// Ways to run the layers of a model, priced with the terms of step_cost, for best_partition.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cost/job.hpp"
#include "plan/stage_partition.hpp"

namespace reckon {

/// One way: the degrees, micro-batch, recompute policy and sharding of `job.strategy` on the devices of `job.cluster`, a stage taking
/// tensor x context x data of them.  The embedding counts with the first layer, the head with the last.
///
///   time         compute and messages of a layer, one micro-batch forward and backward
///   state        weights, gradients and optimiser state of a layer; the head's own activations
///   capacity     `usable` less what every stage holds whatever its layers: framework, communication, workspace
///   hand_over    a micro-batch to the next stage and its gradient back
///
/// Data-parallel messages, the optimiser and stragglers are left out: they hardly depend on the division.
StageWay stage_way(const Job& job, std::size_t kind, Bytes usable);

}  // namespace reckon
