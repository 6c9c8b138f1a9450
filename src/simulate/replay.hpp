// A pipeline schedule in time: when each stage runs each action, without contention.  Exact and order-free: a stage runs as far as its
// inputs reach, so no event queue is needed (the order of a schedule is fixed, its times are sums and maxima). SPDX-License-Identifier:
// Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "simulate/schedule.hpp"

namespace reckon {

struct TimedAction {
  Action action;
  double start = 0, end = 0;  ///< seconds; an action that runs with the next one has the same
};

struct PipelineTimeline {
  std::vector<std::vector<TimedAction>> stages;
  double makespan = 0;
  double period = 0;                     ///< longest time from a stage's first action to its last: a step without a barrier at its end
  double busy(std::size_t stage) const;  ///< seconds of the stage's actions
  /// Share of stage time in which nothing runs, up to the makespan: 1 - sum of busy / (stages * makespan).
  double bubble_share() const;
};

/// Times of all actions.  A forward pass waits for the one before it in the stages' chain and its transfer, a backward pass for the one
/// behind; an action starts when its stage is free.  With `times.transfer_blocks` every forward and backward pass takes a transfer more and
/// nothing else waits for it.  Throws InternalError when the schedule waits for itself.
PipelineTimeline replay(const PipelineSchedule& schedule, const PipelineTimes& times);

/// Activations of whole micro-batches of a stage that are held at most: a forward pass adds one chunk's share, the backward pass takes it
/// away, `weight_share` of it only with the weight gradient where the schedule splits.
std::vector<double> peak_micro_batches(const PipelineTimeline& timeline, const PipelineShape& shape,
                                       double weight_share = weight_gradient_share);

}  // namespace reckon
