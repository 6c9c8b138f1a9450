// What a planner is asked.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "cost/job.hpp"

namespace reckon {

/// Values that each dimension of a strategy may take.  An empty list means "all that make sense" (see strategy_space.hpp).
///
/// As it stands here the space holds what the common stacks of 2026 do without patches; whole_space() opens every dimension that the cost
/// model prices.
struct SearchSpace {
  std::vector<std::int64_t> tensor, pipeline, context, expert, virtual_stages, micro_batch;
  std::vector<std::int64_t> expert_tensor{1};
  std::vector<Precision> precision;               ///< empty = that of the question
  std::vector<Recompute> recompute{Recompute::none, Recompute::selective, Recompute::full};
  std::vector<Sharding> sharding{Sharding::zero1, Sharding::zero3};
  std::vector<Schedule> schedules{Schedule::one_f_one_b, Schedule::interleaved};
  std::vector<GroupOrder> orders{GroupOrder::data_inside};
  std::vector<bool> sequence_parallel{true};      ///< where there is tensor parallelism
  std::vector<bool> offload_activations{false}, offload_optimizer{false};
  bool recompute_layers = false;    ///< full recompute of some of a stage's layers: every number of them
  bool shard_groups = false;        ///< shard groups smaller than the replicas: every divisor
  bool zero2_accumulates = true;    ///< zero2 with several micro-batches; priced with one reduction a step, as stacks do that keep gradients whole
  bool uneven_ends = false;         ///< first and last stage with up to `most_fewer` layers fewer than the others
  bool sharded_pipelines = false;   ///< zero3 with pipeline or expert parallelism too: gathers in every micro-batch
};

/// Every dimension open but one: zero2 with several micro-batches is left out, since its price (one reduction a step) and its memory (split
/// gradients) are those of different implementations.
SearchSpace whole_space();

/// A model, a place and a batch, without the strategy.
struct Question {
  const Architecture* architecture;
  const Cluster* cluster;
  const ComputeCalibration* compute;
  const LinkCalibration* links;
  const Stack* stack;
  Task task;
  Precision precision = Precision::bf16;
  AttentionKind attention = AttentionKind::flash;
  std::int64_t global_batch_size = 1;
  double memory_margin = 0.06;  ///< share of device memory kept free for fragmentation
  SearchSpace space;

  Job job(const Strategy& strategy) const { return {architecture, cluster, compute, links, stack, task, strategy}; }
  Bytes usable_memory() const { return cluster->device.memory * (1.0 - memory_margin); }
};

}  // namespace reckon
