// Would the planner have chosen what the engineers of a published run chose?
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "plan/replay.hpp"
#include "plan/search.hpp"

namespace reckon {

/// A published run planned again: the same model, devices, batch and precision on the same software.
struct ChoiceCheck {
  std::string id;
  Strategy chosen;              ///< by the engineers
  Seconds measured, predicted;  ///< of that strategy
  bool chosen_fits = false;     ///< by the memory model, without margin and within its error
  std::vector<Candidate> best;  ///< of the planner, fastest first
  std::int64_t space = 0;       ///< strategies of the space
  std::int64_t faster = 0;      ///< those that fit and are predicted faster than the chosen one

  /// The predicted step time, over that of the chosen strategy, minus one, of the planner's strategy that comes nearest to it.
  double nearest() const;
  /// Some strategy of the planner's best is within `share` of the chosen one.
  bool agrees(double share) const { return !best.empty() && std::abs(nearest()) <= share; }
};

/// Searches `space` for the run's question and keeps the `keep` best.  Throws CalibrationError as replay does.
ChoiceCheck check_choice(const PublishedRun& run, const CalibrationSet& set, const SearchSpace& space, std::size_t keep);

}  // namespace reckon
