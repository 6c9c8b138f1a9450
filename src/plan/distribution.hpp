// How step time and memory are spread over a whole space of strategies: counts in bins, not rows.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "plan/search.hpp"

namespace reckon {

/// Bins of equal ratio; what lies outside falls into the first or last.
struct LogBins {
  double least, most;
  int per_decade;
  std::size_t count() const;
  std::vector<double> lower_edges() const;
  std::size_t bin(double value) const;
};
constexpr LogBins step_time_bins{1e-3, 1e6, 20};        ///< seconds
constexpr LogBins memory_bins{1e9, 1e15, 20};           ///< bytes

struct SpaceDistribution {
  std::int64_t devices = 0, strategies = 0, fitting = 0;
  std::vector<std::int64_t> step_time;          ///< of those that fit in memory
  std::vector<std::int64_t> memory;             ///< of all
};

/// Decides every strategy of one size.  `stopped` as in SearchOptions::go_on leaves `strategies` at 0.
SpaceDistribution space_distribution(Searcher& searcher, std::int64_t devices, const std::function<bool()>& go_on);

}  // namespace reckon
