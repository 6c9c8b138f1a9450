// SPDX-License-Identifier: Apache-2.0
#include "plan/strategy_space.hpp"

#include <gtest/gtest.h>

#include <set>

#include "../cost/scene.hpp"
#include "plan/fit_stack.hpp"
#include "plan/search.hpp"

namespace reckon {
namespace {

struct Asked {
  Architecture architecture = small_llama();
  Cluster cluster = shipped().catalog.cluster_for("h100");
  LinkCalibration links = link_calibration(shipped().set.links, cluster.device, cluster.fabric, shipped().set.stack("default").facts);
  Question question{&architecture, &cluster, &shipped().set.device("h100-sxm-80gb"), &links, &shipped().set.stack("default"), {}, Precision::bf16, AttentionKind::flash, 128, 0.06, {}};
};

std::vector<Strategy> all(const Question& q, std::int64_t devices) {
  std::vector<Strategy> out;
  for_each_strategy(q, devices, [&](const Strategy& s) { out.push_back(s); });
  return out;
}

TEST(Enumerate, EveryStrategyIsSound) {
  const Asked asked;
  for (const std::int64_t n : {1, 2, 8, 24, 64, 96}) {
    for (const Strategy& s : all(asked.question, n)) {
      ASSERT_EQ(s.num_devices(), n) << describe(s);
      ASSERT_TRUE(problems(s, n).empty()) << describe(s) << ": " << problems(s, n).front().message;
      ASSERT_TRUE(problems(s, *asked.architecture.transformer()).empty()) << describe(s) << ": " << problems(s, *asked.architecture.transformer()).front().message;
    }
  }
}

TEST(Enumerate, NeverTheSameTwice) {
  const Asked asked;
  std::set<std::string> seen;
  for (const Strategy& s : all(asked.question, 64)) ASSERT_TRUE(seen.insert(describe(s)).second) << describe(s);
  EXPECT_GT(seen.size(), 100U);
}

TEST(Enumerate, ARestrictedSpaceIsASubset) {
  Asked asked;
  const std::size_t whole = all(asked.question, 64).size();
  asked.question.space.tensor = {4};
  const std::vector<Strategy> some = all(asked.question, 64);
  EXPECT_LT(some.size(), whole);
  ASSERT_FALSE(some.empty());
  for (const Strategy& s : some) EXPECT_EQ(s.tensor_parallel, 4);
}

TEST(Enumerate, ExpertsOnlyForMixtures) {
  Asked asked;
  for (const Strategy& s : all(asked.question, 16)) EXPECT_EQ(s.expert_parallel, 1);
  std::get<Transformer>(asked.architecture.body).experts = Experts{.num_experts = 8, .experts_per_token = 2, .expert_ffn_hidden_size = 14336};
  std::set<std::int64_t> degrees;
  for (const Strategy& s : all(asked.question, 16)) degrees.insert(s.expert_parallel);
  EXPECT_EQ(degrees, (std::set<std::int64_t>{1, 2, 4, 8}));
}

TEST(Search, FindsWhatPricingEverythingFinds) {
  const Asked asked;
  const SearchResult found = search(asked.question, 32, 3);

  double best = 1e300;
  std::int64_t priced = 0, tight = 0;
  for (const Strategy& s : all(asked.question, 32)) {
    const StepCost cost = step_cost(asked.question.job(s));
    ++priced;
    if (cost.fits(asked.cluster.device.memory * (1.0 - asked.question.memory_margin))) best = std::min(best, cost.time.total().base());
    else ++tight;
  }
  ASSERT_FALSE(found.best.empty());
  EXPECT_DOUBLE_EQ(found.best.front().cost.time.total().base(), best);
  EXPECT_EQ(found.counts.space, priced);
  EXPECT_LE(found.too_large, tight);
  EXPECT_EQ(found.best.size(), 3U);
  EXPECT_LE(found.best[0].cost.time.total(), found.best[1].cost.time.total());
}

TEST(Search, NamesTheNearestMissWhenNothingFits) {
  Asked asked;
  asked.architecture = small_llama();
  std::get<Transformer>(asked.architecture.body).num_layers = 512;  // about 112 B parameters on one device
  const SearchResult found = search(asked.question, 1, 3);
  EXPECT_TRUE(found.best.empty());
  ASSERT_TRUE(found.nearest_miss.has_value());
  EXPECT_GT(found.nearest_miss->cost.memory.total(), asked.cluster.device.memory);
}

TEST(Search, MoreMemoryNeverMakesThePlanSlower) {
  Asked asked;
  const double tight = search(asked.question, 8, 1).best.front().cost.time.total().base();
  asked.cluster.device.memory *= 2.0;
  EXPECT_LE(search(asked.question, 8, 1).best.front().cost.time.total().base(), tight);
}

TEST(Fit, RecoversTheConstantsThatMadeTheData) {
  // runs predicted with known constants; the fit starts elsewhere and must explain them
  Asked asked;
  Stack truth = shipped().set.stack("default");
  truth.constants.product_slowdown = 1.25;
  truth.constants.stream_slowdown = 1.8;
  std::vector<PublishedRun> runs;
  for (const std::int64_t mb : {1, 2, 4}) {
    for (const std::int64_t tp : {1, 2, 8}) {
      PublishedRun run;
      run.architecture = small_llama();
      run.architecture.name = "llama " + std::to_string(mb) + " " + std::to_string(tp);
      run.cluster = asked.cluster;
      run.strategy.tensor_parallel = tp;
      run.strategy.data_parallel = 8 / tp;
      run.strategy.micro_batch_size = mb;
      run.strategy.global_batch_size = 64;
      run.strategy.sharding = Sharding::zero1;
      run.step_time = replay(run, shipped().set, truth).cost.time.total();
      runs.push_back(run);
    }
  }
  std::vector<const PublishedRun*> pointers;
  for (const PublishedRun& run : runs) pointers.push_back(&run);

  const StackFit fit = fit_stack(pointers, shipped().set, shipped().set.stack("default"));

  EXPECT_LT(fit.after.median, 0.01);
  EXPECT_NEAR(fit.stack.constants.product_slowdown, 1.25, 0.06);

  // two of the nine on a slow node: the others still say what they said
  runs[1].step_time *= 1.5, runs[5].step_time *= 1.4;
  const StackFit spoilt = fit_stack(pointers, shipped().set, shipped().set.stack("default"));
  EXPECT_LT(spoilt.after.median, 0.03);
  EXPECT_NEAR(spoilt.stack.constants.product_slowdown, 1.25, 0.06);
}

}  // namespace
}  // namespace reckon
