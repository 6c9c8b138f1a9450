// SPDX-License-Identifier: Apache-2.0
#include "plan/distribution.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "random_question.hpp"

namespace reckon {
namespace {

TEST(LogBins, HoldTheirEdges) {
  const std::vector<double> edges = step_time_bins.lower_edges();
  ASSERT_EQ(edges.size(), 180U);  // nine decades of 20
  for (std::size_t i = 0; i < edges.size(); ++i) EXPECT_EQ(step_time_bins.bin(edges[i] * 1.001), i);
  EXPECT_EQ(step_time_bins.bin(0.0), 0U);
  EXPECT_EQ(step_time_bins.bin(1e30), 179U);
}

TEST(Distribution, CountsEveryStrategyOnce) {
  const RandomQuestion asked(3);
  Searcher searcher(asked.question);
  const SpaceDistribution d = space_distribution(searcher, asked.devices, {});
  const SearchResult all = searcher.search(asked.devices, {.keep = 1, .prune = false, .each = {}, .go_on = {}});

  EXPECT_GT(d.strategies, 0);
  EXPECT_EQ(std::accumulate(d.memory.begin(), d.memory.end(), std::int64_t{0}), d.strategies);
  EXPECT_EQ(std::accumulate(d.step_time.begin(), d.step_time.end(), std::int64_t{0}), d.fitting);
  EXPECT_EQ(d.fitting, d.strategies - all.too_large);
}

}  // namespace
}  // namespace reckon
