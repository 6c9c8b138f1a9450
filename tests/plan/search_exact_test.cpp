// The search against the definition: pricing everything, one strategy at a time, with what `reckon predict` calls.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cost/step_terms.hpp"
#include "random_question.hpp"

namespace reckon {
namespace {

struct Decided {
  double seconds, bytes;
  bool fits;
};

/// Every strategy of the space as an exhaustive search decides it, by ordinal.
std::vector<Decided> decide_all(const RandomQuestion& asked, SearchResult& result, std::size_t keep) {
  std::vector<Decided> out;
  Searcher searcher(asked.question);
  result = searcher.search(asked.devices, {.keep = keep, .prune = false, .each = [&out](const EvaluatedRow& row) {
                                             EXPECT_EQ(row.ordinal, static_cast<std::int64_t>(out.size()));
                                             for (std::size_t i = 0; i < row.count; ++i) out.push_back({row.seconds[i], row.bytes[i], row.fits[i] == 1});
                                           }, .go_on = {}});
  return out;
}

std::vector<Strategy> strategies(const RandomQuestion& asked) {
  std::vector<Strategy> out;
  for_each_strategy(asked.question, asked.devices, [&out](const Strategy& s) { out.push_back(s); });
  return out;
}

/// The smallest footprint of those whose offloaded state the host can hold; of all when it can hold none's.
double smallest_that_the_host_allows(const RandomQuestion& asked, const std::vector<Decided>& decided) {
  const std::vector<Strategy> list = strategies(asked);
  std::vector<std::pair<double, std::size_t>> by_size;
  for (std::size_t i = 0; i < decided.size(); ++i) by_size.emplace_back(decided[i].bytes, i);
  std::sort(by_size.begin(), by_size.end());
  for (const auto& [bytes, i] : by_size)
    if (step_cost(asked.question.job(list[i])).host <= host_memory_share(asked.cluster.node)) return bytes;
  return by_size.front().first;
}

TEST(ExactSearch, PrunedIsExhaustive) {
  std::int64_t spaces = 0, cut = 0, nothing = 0;
  for (std::uint64_t seed = 0; seed < 260; ++seed) {
    const RandomQuestion asked(seed);
    SearchResult all;
    const std::vector<Decided> decided = decide_all(asked, all, 5);
    // blocks wait in batches of every length, down to one
    const std::size_t waiting = seed % 2 == 0 ? std::size_t{1} << 16 : 1 + seed % 97;
    const SearchResult pruned = Searcher(asked.question).search(asked.devices, {.keep = 5, .prune = true, .each = {}, .go_on = {}, .waiting = waiting});

    ASSERT_EQ(static_cast<std::int64_t>(decided.size()), all.counts.space) << seed;
    ASSERT_EQ(all.counts.evaluated, all.counts.space) << seed;
    const SearchCounts& c = pruned.counts;
    ASSERT_EQ(c.space, all.counts.space) << seed;
    ASSERT_EQ(c.evaluated + c.cut_by_memory + c.cut_by_compute + c.cut_by_pipeline, c.space) << seed;
    ASSERT_EQ(pruned.best.size(), all.best.size()) << seed;
    for (std::size_t i = 0; i < all.best.size(); ++i) ASSERT_EQ(describe(pruned.best[i].strategy), describe(all.best[i].strategy)) << seed;
    // the list by hand: sort all that fit
    std::vector<std::pair<double, std::size_t>> fitting;
    for (std::size_t i = 0; i < decided.size(); ++i)
      if (decided[i].fits) fitting.emplace_back(decided[i].seconds, i);
    std::sort(fitting.begin(), fitting.end());
    ASSERT_EQ(all.too_large, all.counts.space - static_cast<std::int64_t>(fitting.size())) << seed;
    ASSERT_EQ(all.best.size(), std::min<std::size_t>(5, fitting.size())) << seed;
    for (std::size_t i = 0; i < all.best.size(); ++i)
      ASSERT_NEAR(all.best[i].cost.time.total().base(), fitting[i].first, 1e-12 * fitting[i].first) << seed;
    ASSERT_EQ(pruned.nearest_miss.has_value(), all.nearest_miss.has_value()) << seed;
    if (all.nearest_miss) {
      const double smallest = smallest_that_the_host_allows(asked, decided);
      ASSERT_NEAR(pruned.nearest_miss->cost.memory.total().base(), smallest, 1e-12 * smallest) << seed;
      ++nothing;
    }
    spaces += c.space > 0 ? 1 : 0;
    cut += c.space - c.evaluated;
  }
  EXPECT_GE(spaces, 200);
  EXPECT_GT(cut, 0);
  EXPECT_GT(nothing, 5);
}

TEST(ExactSearch, TablesAddUpToTheStepCostOfPredict) {
  std::int64_t compared = 0, beyond_host = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const RandomQuestion asked(1000 + seed);
    SearchResult all;
    const std::vector<Decided> decided = decide_all(asked, all, 1);
    const std::vector<Strategy> list = strategies(asked);
    ASSERT_EQ(list.size(), decided.size());
    const std::size_t stride = std::max<std::size_t>(1, list.size() / 60) | 1U;
    for (std::size_t i = seed % stride; i < list.size(); i += stride) {
      const StepCost cost = step_cost(asked.question.job(list[i]));
      ASSERT_TRUE(std::isfinite(decided[i].seconds) && decided[i].seconds > 0) << describe(list[i]);
      ASSERT_NEAR(decided[i].seconds / cost.time.total().base(), 1.0, 1e-12) << seed << " " << describe(list[i]);
      ASSERT_NEAR(decided[i].bytes / cost.memory.total().base(), 1.0, 1e-12) << seed << " " << describe(list[i]);
      const Bytes host = host_memory_share(asked.cluster.node);
      ASSERT_EQ(decided[i].fits, cost.fits(asked.question.usable_memory()) && cost.host <= host) << seed << " " << describe(list[i]);
      beyond_host += cost.fits(asked.question.usable_memory()) && cost.host > host ? 1 : 0;
      ++compared;
    }
  }
  EXPECT_GT(compared, 1000);
  EXPECT_GT(beyond_host, 20);
}

TEST(ExactSearch, EveryStrategyOfTheWholeSpaceIsSound) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const RandomQuestion asked(2000 + seed);
    for (const Strategy& s : strategies(asked)) {
      ASSERT_TRUE(problems(s, asked.devices).empty()) << describe(s) << ": " << problems(s, asked.devices).front().message;
      const Problems between = problems(s, *asked.architecture.transformer());
      ASSERT_TRUE(between.empty()) << describe(s) << ": " << between.front().message;
    }
  }
}

TEST(ExactSearch, OneSearcherGivesAtEverySizeWhatAFreshOneGives) {
  const RandomQuestion asked(7);
  Searcher kept(asked.question);
  for (const std::int64_t n : {64, 8, 24, 16, 64, 1}) {
    const SearchResult a = kept.search(n, {.keep = 3, .prune = true, .each = {}, .go_on = {}}), b = search(asked.question, n, 3);
    ASSERT_EQ(a.best.size(), b.best.size());
    for (std::size_t i = 0; i < a.best.size(); ++i) ASSERT_EQ(describe(a.best[i].strategy), describe(b.best[i].strategy));
    EXPECT_EQ(a.counts.evaluated, b.counts.evaluated);
  }
}

}  // namespace
}  // namespace reckon
