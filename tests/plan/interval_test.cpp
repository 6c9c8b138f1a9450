// Intervals, regret and cross-validation by arithmetic and by small made-up sets of runs.
// SPDX-License-Identifier: Apache-2.0
#include "plan/interval.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../cost/scene.hpp"
#include "io/validate_document.hpp"
#include "plan/cross_validation.hpp"
#include "plan/fit_interval.hpp"
#include "plan/fit_stack.hpp"
#include "plan/regret.hpp"

namespace reckon {
namespace {

const IntervalRule rule{.factor = 2.0, .pooled = 0.1, .unseen_stack = 0.2, .unseen_device = 0.06, .per_doubling = 0.01};

Stack with_residuals(std::int64_t runs, double spread) {
  Stack stack;
  stack.residuals = {.runs = runs, .spread = spread, .most_devices = 64, .devices = {"h100"}};
  return stack;
}

TEST(Interval, AStackWithoutRunsGetsTheWideSpread) { EXPECT_DOUBLE_EQ(expected_spread(rule, Stack{}, "h100", 8), 0.2); }

TEST(Interval, ATracedStackWithoutRunsMayTakeAnyHostTime) {
  Stack stack;
  stack.facts.traced = true;
  EXPECT_DOUBLE_EQ(expected_spread(rule, stack, "h100", 8), std::hypot(0.2, 0.6));
}

TEST(Interval, FewRunsAreDrawnToThePooledSpread) {
  EXPECT_NEAR(expected_spread(rule, with_residuals(5, 0.0), "h100", 8), std::sqrt(0.5 * 0.01), 1e-12);
  EXPECT_NEAR(expected_spread(rule, with_residuals(100000, 0.03), "h100", 8), 0.03, 1e-4);
}

TEST(Interval, UnseenDevicesAndLargerScaleWidenIt) {
  const Stack stack = with_residuals(1000000, 0.08);
  EXPECT_NEAR(expected_spread(rule, stack, "b200", 8), 0.1, 1e-5);                           // 0.08 and 0.06 in quadrature
  EXPECT_NEAR(expected_spread(rule, stack, "h100", 64 * 64), std::hypot(0.08, 0.06), 1e-5);  // six doublings beyond 64
}

TEST(Interval, IsSymmetricInTheLogarithm) {
  const StepInterval i = step_interval(rule, Seconds{10.0}, 0.1);
  EXPECT_NEAR(i.high / Seconds{10.0}, std::exp(0.2), 1e-12);
  EXPECT_NEAR(i.low * i.high.base() / Seconds{100.0}, 1.0, 1e-12);
}

/// Runs of one model on 8 devices that differ in tensor and data parallelism; the step times are given.
std::vector<PublishedRun> sweep(const std::vector<std::pair<std::int64_t, double>>& tensor_and_time) {
  std::vector<PublishedRun> out;
  for (const auto& [tp, time] : tensor_and_time) {
    PublishedRun run;
    run.architecture = small_llama();
    run.cluster = shipped().catalog.cluster_for("h100");
    run.strategy.tensor_parallel = tp;
    run.strategy.data_parallel = 8 / tp;
    run.strategy.global_batch_size = 64;
    run.step_time = Seconds{time};
    out.push_back(run);
  }
  return out;
}

std::vector<Replay> predicted(const std::vector<double>& times) {
  std::vector<Replay> out;
  for (const double t : times) {
    Replay r;
    r.cost.time.forward = Seconds{t};
    out.push_back(r);
  }
  return out;
}

TEST(Regret, ComparesThePickWithTheBestMeasured) {
  const std::vector<PublishedRun> runs = sweep({{1, 2.0}, {2, 1.0}, {4, 1.2}});
  const std::vector<RegretGroup> groups = regret_groups(runs, predicted({3.0, 2.0, 1.9}));  // picks the third, the second was best
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].strategies, 3U);
  EXPECT_NEAR(groups[0].regret, 0.2, 1e-12);
}

TEST(Regret, NeedsThreeStrategiesAndOneBatch) {
  std::vector<PublishedRun> runs = sweep({{1, 2.0}, {2, 1.0}, {4, 1.2}});
  EXPECT_TRUE(regret_groups({runs[0], runs[1]}, predicted({1.0, 2.0})).empty());
  runs[2].strategy.global_batch_size = 128;
  EXPECT_TRUE(regret_groups(runs, predicted({1.0, 2.0, 3.0})).empty());
}

TEST(Medians, LeaveTheNamedStackOut) {
  StackTable table;
  const std::vector<double> slowdowns{1.0, 1.1, 1.4};
  const std::vector<std::string> ids{"a", "b", "c"};
  for (std::size_t i = 0; i < ids.size(); ++i) table.entries[ids[i]].constants.product_slowdown = slowdowns[i];
  EXPECT_DOUBLE_EQ(median_constants(table, ids, "").product_slowdown, 1.1);
  EXPECT_DOUBLE_EQ(median_constants(table, ids, "b").product_slowdown, 1.2);
}

TEST(CrossValidation, AModelLeftOutIsPredictedFromTheOthers) {
  // two models made with one set of constants: what the one teaches holds for the other
  Stack truth = shipped().set.stack("nemo-2024");
  truth.constants.product_slowdown = 1.3;
  std::vector<PublishedRun> runs;
  for (const int model : {0, 1}) {
    for (PublishedRun run : sweep({{1, 1.0}, {2, 1.0}, {4, 1.0}})) {
      run.stack = "nemo-2024";
      run.architecture.name = model == 0 ? "small" : "wide";
      if (model == 1) std::get<Transformer>(run.architecture.body).ffn_hidden_size *= 2;
      run.step_time = replay(run, shipped().set, truth).cost.time.total();
      runs.push_back(run);
    }
  }
  std::vector<SourcedRun> sourced;
  for (const PublishedRun& run : runs) sourced.push_back({&run, "made up"});
  for (const Replay& r : cross_validated(sourced, shipped().set, LeaveOut::model)) EXPECT_LT(std::abs(r.relative_error), 0.03);
  // without any run of the stack the default constants speak, with the wide interval
  for (const Replay& r : cross_validated(sourced, shipped().set, LeaveOut::stack))
    EXPECT_DOUBLE_EQ(r.spread, shipped().set.stacks.interval.unseen_stack);
}

TEST(Traces, RecomputeNothingAndKeepTheirOwnHostTimeWithoutRuns) {
  std::vector<PublishedRun> runs = sweep({{1, 1.0}, {2, 1.0}});
  runs[0].stack = "nemo-2024";
  runs[1].stack = "vtrain-traces";
  for (PublishedRun& run : runs) run.strategy.recompute = Recompute::full;
  const std::vector<SourcedRun> sourced{{&runs[0], ""}, {&runs[1], ""}};
  const std::vector<Replay> replays = cross_validated(sourced, shipped().set, LeaveOut::stack);
  EXPECT_FALSE(replays[0].traced);
  EXPECT_GT(replays[0].cost.time.recompute.base(), 0.0);
  EXPECT_TRUE(replays[1].traced);
  EXPECT_EQ(replays[1].cost.time.recompute.base(), 0.0);
  EXPECT_EQ(host_time_range(shipped().set.stack("vtrain-traces").facts).usual, 50.0);
  EXPECT_EQ(host_time_range(shipped().set.stack("nemo-2024").facts).usual, 6.0);
  EXPECT_DOUBLE_EQ(replays[1].spread, std::hypot(shipped().set.stacks.interval.unseen_stack, 0.6));
}

TEST(Errors, AverageOverGroupsWithRuns) {
  const ErrorSummary mean = average({summarise({0.1}), summarise({-0.2, 0.4}), summarise({})});
  EXPECT_EQ(mean.n, 3U);
  EXPECT_NEAR(mean.mean, 0.5 * (0.1 + 0.3), 1e-12);
  EXPECT_NEAR(mean.bias, 0.5 * (0.1 + 0.1), 1e-12);
  EXPECT_NEAR(mean.worst, 0.4, 1e-12);
}

TEST(Traces, AreNotCountedAmongTheMeasured) {
  const std::vector<PublishedRun> runs = sweep({{1, 1.0}, {2, 2.0}, {4, 4.0}});
  std::vector<Replay> replays(3);
  replays[1].traced = true;
  const std::vector<ReplayedFile> files{{"a.json", "a", runs, replays}, {"b.json", "b", {runs[0]}, {replays[1]}}};
  const std::vector<ReplayedFile> measured = measured_alone(files);
  ASSERT_EQ(measured.size(), 1U);  // b has nothing left
  ASSERT_EQ(measured[0].runs.size(), 2U);
  EXPECT_EQ(measured[0].runs[1].step_time.base(), 4.0);
  EXPECT_EQ(measured[0].replays.size(), 2U);
}

TEST(Residuals, AreMeansOfOneStack) {
  std::vector<PublishedRun> runs = sweep({{1, 1.0}, {2, 1.0}});
  runs[0].stack = runs[1].stack = "nemo-2024";
  std::vector<Replay> replays(2);
  replays[0].relative_error = 0.10;
  replays[1].relative_error = -0.10;
  const std::vector<SourcedRun> sourced{{&runs[0], ""}, {&runs[1], ""}};
  const StackResiduals r = residuals_of("nemo-2024", sourced, replays, shipped().set);
  EXPECT_EQ(r.runs, 2);
  EXPECT_NEAR(r.spread, 0.5 * (std::log(1.1) - std::log(0.9)), 1e-12);
  EXPECT_EQ(r.most_devices, 8);
  EXPECT_EQ(residuals_of("torchtitan", sourced, replays, shipped().set).runs, 0);
}

TEST(Generations, NameAFinerStackByIdOrContainer) {
  CalibrationSet set;
  for (const char* id : {"default", "coarse", "old", "new"}) set.stacks.entries[id].id = id;
  set.stacks.generations = {{"coarse", "_v3.0_", "", "old"}, {"coarse", "", "26.", "new"}};
  PublishedRun run;
  run.stack = "coarse";
  run.id = "mlperf_v3.0_x";
  EXPECT_EQ(set.stack_of(run).id, "old");
  run.id = "other";
  EXPECT_EQ(set.stack_of(run).id, "coarse");
  run.detail.container = "26.04";
  EXPECT_EQ(set.stack_of(run).id, "new");
  run.stack = "never seen";
  EXPECT_EQ(set.stack_of(run).id, "default");
}

}  // namespace
}  // namespace reckon
