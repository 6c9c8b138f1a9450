// Does the planner pick the strategy that is really fastest?
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "plan/replay.hpp"

namespace reckon {

/// Runs that differ in nothing but their strategy: same source, software, model, sequence, batch, devices and precision.
struct RegretGroup {
  std::string name;  ///< model, devices, batch
  std::size_t strategies = 0;
  double regret = 0;  ///< measured time of the strategy predicted fastest over the best measured one, minus one
};

/// All groups of at least `least` different strategies among the runs that were priced; `runs` and `replays` in the same order.
std::vector<RegretGroup> regret_groups(const std::vector<PublishedRun>& runs, const std::vector<Replay>& replays, std::size_t least = 3);

}  // namespace reckon
