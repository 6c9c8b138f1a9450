// What a planner is asked.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "cost/job.hpp"

namespace reckon {

/// Values that each dimension of a strategy may take.  An empty list means "all that make sense" (see enumerate.hpp).
struct SearchSpace {
  std::vector<std::int64_t> tensor, pipeline, context, expert, virtual_stages, micro_batch;
  std::vector<Recompute> recompute{Recompute::none, Recompute::selective, Recompute::full};
  std::vector<Sharding> sharding{Sharding::zero1, Sharding::zero3};
  std::vector<Schedule> schedules{Schedule::one_f_one_b, Schedule::interleaved};
};

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
};

}  // namespace reckon
