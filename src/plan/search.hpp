// The best strategies for a number of devices.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "cost/step_cost.hpp"
#include "plan/question.hpp"

namespace reckon {

struct Candidate {
  Strategy strategy;
  StepCost cost;
};

struct SearchResult {
  std::int64_t num_devices = 0;
  std::int64_t considered = 0, too_large = 0;  ///< strategies priced, and those of them that do not fit in memory
  std::vector<Candidate> best;                 ///< fastest first, at most `keep`
  std::optional<Candidate> nearest_miss;       ///< smallest footprint, when nothing fits
};

/// Prices every strategy of the space and keeps the `keep` fastest that fit; ties go to the one enumerated first.
SearchResult search(const Question& question, std::int64_t num_devices, std::size_t keep);

/// Indices of the points that no other point beats in both coordinates (smaller is better), by the first coordinate.
std::vector<std::size_t> pareto_front(const std::vector<double>& first, const std::vector<double>& second);

}  // namespace reckon
