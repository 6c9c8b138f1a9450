// The messages of a step on the links of the cluster, all groups at once: who meets whom on which link, and what that costs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cost/job.hpp"
#include "simulate/link_use.hpp"
#include "simulate/step_simulation.hpp"

namespace reckon {

struct LinkLoad {
  std::string link;  ///< e.g. "node 12, NIC 3, up and 31 alike"
  double bytes = 0;  ///< over each of them in one step
  double share = 0;  ///< of what the link could carry in the step
};

/// How much longer the messages of a kind take in all than they would alone.
struct MessageContention {
  Stream stream = Stream::compute;
  double slowdown = 1;
};

struct Contention {
  std::vector<double> reduce_end;           ///< by stage, beside those of the simulation without contention
  double added_model = 0;                   ///< seconds that sharing adds to the step when only model-parallel messages share links
  double added_data = 0;                    ///< likewise data-parallel messages
  double added = 0;                         ///< all of them together
  double gather = 0;                        ///< exposed seconds of the slowest parameter gather
  std::vector<LinkLoad> loads;              ///< all links that carry something, busiest first; alike ones once
  std::vector<MessageContention> messages;  ///< by kind, where there are any; all together
};

/// Runs the step three times on the links (shared_step.hpp): model-parallel messages alone, data-parallel ones alone, all together, and
/// compares with the step whose messages share nothing.  Message times are those of a fabric without oversubscription, side by side: what
/// sharing costs is found here, not assumed.
Contention simulate_contention(const Job& job, const ClusterLayout& layout);

}  // namespace reckon
