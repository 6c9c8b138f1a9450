// The messages of a step on the links of the cluster, all groups at once: who meets whom on which link, and what that costs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cost/job.hpp"
#include "simulate/message_contention.hpp"
#include "simulate/step_simulation.hpp"
#include "simulate/topology.hpp"

namespace reckon {

struct LinkLoad {
  std::string link;  ///< e.g. "node 12, NIC 3, up"
  double bytes = 0;  ///< in one step
  double share = 0;  ///< of what the link can carry while data-parallel messages are under way
};

struct Contention {
  std::vector<double> reduce_end;           ///< by stage, beside those of the simulation without contention
  double added = 0;                         ///< seconds that sharing links adds to the step by data-parallel messages
  double gather = 0;                        ///< seconds of the slowest parameter gather
  std::vector<LinkLoad> loads;              ///< the busiest links, busiest first, by data-parallel messages
  std::vector<MessageContention> messages;  ///< tensor, context, expert, pipeline
  double added_messages = 0;                ///< seconds that these add to the step
};

/// The model-parallel messages are slowed down kind by kind (message_contention.hpp) and the step is simulated with them; against
/// data-parallel ones they are not set.  Then the gradient reductions: runs those of all stages from the times at which they start in
/// `simulation`, then the parameter gathers.  A reduction is a set of rings over the group's nodes, one a member inside the node, so that
/// all of them use their own NIC; alone it takes the closed form's time on a fabric without oversubscription.  Tensor ranks do the same on
/// their own rails; the first stands for all.  `scatter`: the nodes of the job are drawn at random from the cluster's order (a fragmented
/// allocation) instead of side by side.
Contention simulate_contention(const StepPlan& plan, const StepSimulation& simulation, const Job& job, bool scatter, std::uint64_t seed);

}  // namespace reckon
