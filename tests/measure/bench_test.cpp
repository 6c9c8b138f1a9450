// Summaries of samples, passes, and a small measurement of everything: correctness and plausibility, never a speed.
// SPDX-License-Identifier: Apache-2.0
#include "measure/bench.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.hpp"
#include "measure/compute_run.hpp"
#include "measure/link_run.hpp"
#include "measure/machine.hpp"
#include "measure/storage_run.hpp"
#include "runtime/pace.hpp"

namespace reckon::measure {
namespace {

TEST(Bench, TheMedianStandsAgainstOneSlowSampleButScatterIsUnstable) {
  const Timed calm = summary({1.00, 1.01, 1.02, 1.01, 1.00, 1.02, 9.0, 1.01, 1.00, 1.02, 1.01, 1.01, 1.0, 1.02, 1.01}, 0.05);
  EXPECT_NEAR(calm.median.base(), 1.01, 1e-9);
  EXPECT_TRUE(calm.stable);
  EXPECT_LE(calm.low, calm.median);
  EXPECT_LT(calm.high.base(), 1.1);

  EXPECT_FALSE(summary({1.0, 2.0, 3.0}, 0.15).stable);
}

TEST(Bench, OneSlowPassOfThreeDoesNotDecide) {
  const auto pass = [](double seconds, bool stable) {
    return Timed{.median = Seconds{seconds}, .low = Seconds{seconds}, .high = Seconds{seconds}, .count = 4, .stable = stable};
  };

  const Timed together = over_passes({pass(1.0, true), pass(5.0, true), pass(1.02, true)}, 0.1);
  EXPECT_EQ(together.median.base(), 1.02);
  EXPECT_EQ(together.count, 12);
  EXPECT_TRUE(together.stable);
  EXPECT_FALSE(over_passes({pass(1.0, true), pass(5.0, false), pass(1.02, false)}, 0.1).stable);
  EXPECT_FALSE(over_passes({pass(1.0, true), pass(2.0, true), pass(4.0, true)}, 0.1).stable);
}

TEST(Pace, IsSlowAgainstTheBestMedianOfFive) {
  Pace pace(0.1, Seconds{1.0});
  for (const double p : {1.3, 1.3, 1.3, 1.3}) EXPECT_FALSE(pace.slow(Seconds{p}));  // nothing to hold them against yet
  EXPECT_FALSE(pace.slow(Seconds{1.3}));
  EXPECT_FALSE(pace.slow(Seconds{1.0}));  // one lucky reading is not the best
  EXPECT_FALSE(pace.slow(Seconds{1.4}));
  EXPECT_EQ(pace.best().base(), 1.3);
  for (const double p : {1.0, 1.0, 1.0}) EXPECT_FALSE(pace.slow(Seconds{p}));
  EXPECT_EQ(pace.best().base(), 1.0);
  EXPECT_FALSE(pace.slow(Seconds{1.09}));
  EXPECT_TRUE(pace.slow(Seconds{1.11}));
  for (const bool slow : {true, false, false, false}) pace.keep(slow);
  EXPECT_EQ(pace.slow_share(), 0.25);
}

TEST(Pace, PatienceEnds) {
  Pace pace(0.1, Seconds{1.0});
  EXPECT_TRUE(pace.again(Seconds{0.6}));
  EXPECT_TRUE(pace.again(Seconds{0.6}));
  EXPECT_FALSE(pace.again(Seconds{0.1}));
}

TEST(Pace, OfThisProcessorIsATimeThatAMicrobenchmarkCanTake) {
  const double taken = pace_of_processor().base();
  EXPECT_GT(taken, 1e-6);
  EXPECT_LT(taken, 0.1);
}

TEST(Bench, TakesSlowSamplesAgainWhileThereIsPatience) {
  Rules rules;
  rules.pace = std::make_shared<Pace>(-0.999, Seconds{0.05});  // everything is slow,
  for (int i = 0; i < 5; ++i) rules.pace->slow(Seconds{1e-4});  // from the fifth on
  const Bench bench(Backend::cpu, Communicator(), rules);
  const Timed t = bench.time([](int) {});
  EXPECT_GE(t.count, rules.least_samples);
  EXPECT_GE(rules.pace->spent().base(), 0.05);
}

TEST(Bench, RepeatsShortWorkAndCountsTurns) {
  const Bench bench(Backend::cpu, Communicator(), Rules{});
  int calls = 0, last = -1;
  const Timed t = bench.time([&](int turn) {
    EXPECT_EQ(turn, last + 1);
    last = turn;
    ++calls;
  });
  EXPECT_GT(calls, 1000);
  EXPECT_LT(t.median.base(), 1e-4);
}

TEST(Bench, AWrongResultIsFound) {
  EXPECT_NO_THROW(check_close({1.0, 2.0}, {1.00001, 2.0}, 1e-4, "a test"));
  EXPECT_THROW(check_close({1.0, 2.1}, {1.0, 2.0}, 1e-4, "a test"), DeviceError);
  EXPECT_THROW(check_close({1.0}, {1.0, 2.0}, 1e-4, "a test"), DeviceError);
  EXPECT_THROW(check_close({0.0 / 0.0 * 0}, {0.0}, 1e-4, "a test"), DeviceError);
}

TEST(Arena, MovesOnAndHoldsNumbersThatBothTypesRead) {
  const Arena arena(Backend::cpu, 1 << 20, true, 3);
  EXPECT_NE(arena.at<float>(0, 1000), arena.at<float>(1, 1000));
  EXPECT_EQ(arena.at<float>(0, 1000), arena.at<float>(0, 1000));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LE(std::abs(arena.at<float>(2, 1000)[i]), 1.01f);
    EXPECT_LE(std::abs(widen(arena.at<Bf16>(2, 1000)[i])), 1.0f);
  }
  EXPECT_THROW(arena.at<float>(0, 1 << 20), InternalError);
}

TEST(ComputeRun, MeasuresWhatItsPlanCounts) {
  ComputePlan plan = quick_compute_plan();
  plan.gemm_sides = {32, 64};
  plan.stream_values = {1 << 10};
  plan.head_dims = {16};
  Rules rules;
  rules.at_least = Seconds{2e-5};
  rules.at_most = Seconds{1e-3};
  const Bench bench(Backend::cpu, Communicator(), rules);
  Samples samples;
  std::int64_t advanced = 0;

  measure_compute(bench, plan, samples, [&] { ++advanced; });

  EXPECT_EQ(advanced, count_of(plan));
  EXPECT_EQ(std::int64_t(samples.gemm.size() + samples.attention.size() + samples.streams.size()), advanced);
  for (const GemmSample& s : samples.gemm) {
    EXPECT_GT(s.time.median.base(), 0);
    EXPECT_LT((flops_of(s.shape) / s.time.median).base(), 1e14);
  }
  for (const StreamSample& s : samples.streams) EXPECT_GT(s.traffic.base(), 0) << name_of(s.kernel);
}

TEST(ComputeRun, MeasuresShapesOfItsOwnOnce) {
  ComputePlan plan = quick_compute_plan();
  plan.precisions = {Precision::fp32};
  plan.gemm_sides = {32};
  plan.products = {{GemmRole::forward, {48, 40, 24, 1}}, {GemmRole::forward, {32, 32, 32, 1}}};  // the second is the grid's
  plan.attention_heads = {};
  plan.attentions = {{.batch = 2, .heads = 3, .kv_heads = 3, .seq_q = 16, .seq_kv = 48, .head_dim = 16, .causal = false}};
  plan.stream_values = {};
  plan.arena = 1 << 12;  // smaller than what they need
  Rules rules;
  rules.at_least = Seconds{2e-5};
  rules.at_most = Seconds{1e-3};
  Samples samples;

  measure_compute(Bench(Backend::cpu, Communicator(), rules), plan, samples, [] {});

  ASSERT_EQ(samples.gemm.size(), 4U);
  EXPECT_EQ(samples.gemm.back().shape, (GemmShape{48, 40, 24, 1}));
  ASSERT_EQ(samples.attention.size(), 2U);
  EXPECT_EQ(samples.attention[0].shape.batch, 2);
  EXPECT_EQ(samples.attention[0].shape.seq_kv, 48);
}

TEST(LinkRun, OneRankHasNothingToMeasure) {
  Samples samples;
  measure_links(Communicator(), link_plan(4096, true), samples, [] {});
  measure_overlap(Communicator(), Rules{}, samples);
  EXPECT_TRUE(samples.links.empty() && samples.overlap.empty());
  EXPECT_EQ(group_sizes(12), (std::vector<std::int64_t>{2, 3, 4, 6, 12}));
}

TEST(StorageRun, WritesReadsAndLeavesNothing) {
  const auto folder = std::filesystem::temp_directory_path() / "reckon-storage-test";
  std::filesystem::create_directory(folder);
  Samples samples;
  measure_storage(Communicator(), folder, 1 << 16, samples);
  ASSERT_EQ(samples.storage.size(), 2u);
  EXPECT_GT(samples.storage[0].time.median.base(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove(folder);

  EXPECT_THROW(measure_storage(Communicator(), folder / "missing", 1 << 16, samples), Error);
}

TEST(Machine, SaysSomethingOfItself) {
  const Machine m = this_machine();
  EXPECT_FALSE(m.processor.empty());
  EXPECT_GT(m.memory.base(), 1e6);
  EXPECT_EQ(today().size(), 10u);
}

}  // namespace
}  // namespace reckon::measure
