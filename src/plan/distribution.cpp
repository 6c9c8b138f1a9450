// SPDX-License-Identifier: Apache-2.0
#include "plan/distribution.hpp"

#include <algorithm>
#include <cmath>

namespace reckon {

std::size_t LogBins::count() const { return static_cast<std::size_t>(std::lround(std::log10(most / least) * per_decade)); }

std::vector<double> LogBins::lower_edges() const {
  std::vector<double> out;
  for (std::size_t i = 0; i < count(); ++i) out.push_back(least * std::pow(10.0, static_cast<double>(i) / per_decade));
  return out;
}

std::size_t LogBins::bin(double value) const {
  const double place = std::floor(std::log10(std::max(value, least) / least) * per_decade);
  return std::min(count() - 1, static_cast<std::size_t>(place));
}

SpaceDistribution space_distribution(Searcher& searcher, std::int64_t devices, const std::function<bool()>& go_on) {
  SpaceDistribution out;
  out.devices = devices;
  out.step_time.assign(step_time_bins.count(), 0);
  out.memory.assign(memory_bins.count(), 0);
  const SearchResult found = searcher.search(devices, {.keep = 0, .prune = false, .each = [&](const EvaluatedRow& row) {
                                                         for (std::size_t i = 0; i < row.count; ++i) {
                                                           ++out.memory[memory_bins.bin(row.bytes[i])];
                                                           if (row.fits[i] == 0) continue;
                                                           ++out.step_time[step_time_bins.bin(row.seconds[i])];
                                                           ++out.fitting;
                                                         }
                                                       }, .go_on = go_on});
  if (!found.stopped) out.strategies = found.counts.space;
  return out;
}

}  // namespace reckon
