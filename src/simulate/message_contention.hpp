// Tensor-, context-, expert- and pipeline-parallel messages on shared links: all groups of a kind send at once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "cost/job.hpp"
#include "simulate/step_plan.hpp"

namespace reckon {

/// How much longer a kind of message takes because the groups share links.
struct MessageContention {
  Stream stream = Stream::compute;
  double slowdown = 1;       ///< of the message: the busiest link's load over that of one group alone, at least 1
  double shared_groups = 0;  ///< groups of the kind that cross that link
};

/// Slowdown of every kind of model-parallel message of the job.
///
/// In the steady state all groups of a kind send the same bytes at about the same time.  Max-min sharing of equal flows gives those that
/// cross the busiest link capacity / load each, which is the least rate of all; a group ends with its slowest flow.  So the slowdown is
/// max over links of (load / capacity) with all groups, over the same with one group alone.  Rings for tensor and context messages, all
/// pairs for experts, one flow from every device of a stage to the next for pipelines.  `places`: the place of each of the job's nodes in
/// the cluster's order.
std::vector<MessageContention> message_contention(const Job& job, const std::vector<std::int64_t>& places);

/// The plan with its messages that much longer: what had compute beside it may stick out.
StepPlan with_slower_messages(const StepPlan& plan, const std::vector<MessageContention>& contention);

}  // namespace reckon
