// The time and memory of one layer for one micro-batch on one device.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cost/job.hpp"
#include "cost/lowered.hpp"

namespace reckon {

/// Seconds of one micro-batch.  Compute is the larger of device time and host launch time; messages are what is exposed.
struct LayerTime {
  Seconds forward, backward_input, backward_weight, recompute;
  Seconds tensor, context, expert;               ///< exposed messages, forward + backward + recompute
  Seconds tensor_forward, context_forward, expert_forward;  ///< the forward share of those
  Seconds total() const { return forward + backward_input + backward_weight + recompute + tensor + context + expert; }
  Seconds forward_total() const { return forward + tensor_forward + context_forward + expert_forward; }
  Seconds backward_total() const { return total() - forward_total(); }
  LayerTime& operator+=(const LayerTime& b);
  friend LayerTime operator*(const LayerTime& a, double k);
};

/// What one micro-batch leaves in memory until its backward pass, and what a layer needs while it runs.
struct LayerMemory {
  Bytes saved;      ///< after the recompute policy
  Bytes transient;  ///< largest extra while the layer's backward pass runs: what recomputation brings back
};

/// How many ranks share a processor when all of the strategy compute at once; 1 for devices of their own.  Ranks beyond the processors of a
/// node take turns: their compute takes so many times as long (measured without competition).
double shared_processors(const Job& job);

/// Groups' placements, worked out once for a strategy.
struct Placements {
  GroupPlacement tensor, context, expert, expert_tensor, pipeline, data, expert_data, shard, replica;
};
Placements placements_of(const Strategy& strategy, const Cluster& cluster);

/// Whether the strategy's recompute policy runs this op's forward again.
bool recomputed(const Op& op, const Strategy& strategy);

/// Device time of an op's forward pass, and of the parts of its backward pass.
Seconds forward_time(const Op& op, const Job& job);
Seconds backward_input_time(const Op& op, const Job& job);
Seconds backward_weight_time(const Op& op, const Job& job);

/// One message of a layer, as the run's software sends it.
Seconds message_time(const Message& message, const Job& job, const Placements& placements);

LayerTime layer_time(const LoweredLayer& layer, const Job& job, const Placements& placements, bool recompute_full);
LayerMemory layer_memory(const LoweredLayer& layer, const Strategy& strategy, bool recompute_full);

}  // namespace reckon
