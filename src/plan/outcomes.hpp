// Plans compared by what they give: the best for each wish, and those that nothing beats.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"

namespace reckon {

/// One plan, carried through to the end of the run.
struct Outcome {
  double devices = 0;
  Seconds time;
  Dollars cost;
  Joules energy;
};

/// A wish and the plan that fulfils it best; nothing when none does.
struct Wish {
  std::string name;
  std::optional<std::size_t> best;
};

/// fastest, cheapest, least energy; with a deadline the cheapest by then, with a budget the fastest within it.  Ties go to the lower cost,
/// then to the shorter time, then to the first.
std::vector<Wish> best_by_wish(const std::vector<Outcome>& outcomes, std::optional<Seconds> deadline, std::optional<Dollars> budget);

/// Indices of the outcomes that no other matches in devices, time and cost and beats in one of them; ascending.
std::vector<std::size_t> outcome_front(const std::vector<Outcome>& outcomes);

}  // namespace reckon
