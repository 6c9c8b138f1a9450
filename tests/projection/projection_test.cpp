// SPDX-License-Identifier: Apache-2.0
#include "projection/projection.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace reckon {
namespace {

RunPlan perfect_run() {
  RunPlan run;
  run.units = 1e9;
  run.failures.failures_per_device_day = 0;
  run.failures.checkpoint_stall = Seconds{};
  run.price = dollars_per_hour * 2.0;
  return run;
}

TEST(Projection, MultipliesStepsDevicesAndPrice) {
  // 1e9 tokens at 1e6 a step = 1,000 steps of 3.6 s = 1 h; 64 devices = 64 device-hours at $2 = $128
  const Projection p = project(Seconds{3.6}, 1e6, 64, perfect_run());

  EXPECT_DOUBLE_EQ(p.steps, 1000.0);
  EXPECT_DOUBLE_EQ(p.wall_time.in(hours), 1.0);
  EXPECT_DOUBLE_EQ(p.device_hours, 64.0);
  EXPECT_EQ(p.cost_micro_usd, 128'000'000);
}

TEST(Projection, CountsAStartedStepAsAWholeOne) { EXPECT_DOUBLE_EQ(project(Seconds{1.0}, 3e8, 8, perfect_run()).steps, 4.0); }

TEST(Projection, ReserveIsPaidButDoesNotTakeTime) {
  RunPlan run = perfect_run();
  run.reserve = 0.25;

  const Projection p = project(Seconds{3.6}, 1e6, 64, run);

  EXPECT_DOUBLE_EQ(p.wall_time.in(hours), 1.0);
  EXPECT_EQ(p.cost_micro_usd, 160'000'000);
}

TEST(Projection, EnergyIsPowerTimesTimeTimesPue) {
  RunPlan run = perfect_run();
  run.device_power = watts * 1000.0;
  run.pue = 1.5;
  EXPECT_NEAR(project(Seconds{3.6}, 1e6, 64, run).energy.base() / 3.6e6, 64 * 1.0 * 1.5, 1e-9);  // kWh
}

TEST(Goodput, NoFailuresAndNoCheckpointsLoseNothing) {
  FailureModel m;
  m.failures_per_device_day = 0;
  m.checkpoint_stall = Seconds{};
  EXPECT_DOUBLE_EQ(goodput(1 << 20, m).value, 1.0);
}

TEST(Goodput, FollowsYoungByHand) {
  // 1,000 devices at 0.0864 failures a device-day: one failure every 1e3 s... MTTF = 86400 / 86.4 = 1,000 s
  FailureModel m;
  m.failures_per_device_day = 0.0864;
  m.checkpoint_stall = Seconds{2.0};
  m.restart = Seconds{50.0};
  m.planned_per_unexpected = 0.0;

  const Goodput g = goodput(1000, m);

  const double tau = std::sqrt(2.0 * 2.0 * 1000.0);  // 63.2 s
  EXPECT_NEAR(g.mean_time_to_failure.base(), 1000.0, 1e-9);
  EXPECT_NEAR(g.checkpoint_interval.base(), tau, 1e-9);
  EXPECT_NEAR(g.value, (1.0 - tau / 2000.0 - 0.05) / (1.0 + 2.0 / tau), 1e-12);
}

TEST(Goodput, SharesAddUpToTheWallTime) {
  const Goodput g = goodput(16384, FailureModel{});
  EXPECT_NEAR(g.value + g.checkpoint_share + g.lost_share + g.restart_share, 1.0, 1e-12);
}

/// Llama Team 2024, arXiv 2407.21783, section 3.3.4: more than 90 % effective training time on 16,384 H100s.
TEST(Goodput, Llama3TrainsMoreThanNineTenthsOfTheTime) {
  const double value = goodput(16384, FailureModel{}).value;
  EXPECT_GT(value, 0.85);
  EXPECT_LT(value, 0.97);
}

TEST(Goodput, NeverFallsToZeroOrBelow) {
  for (const std::int64_t n : {1, 8, 1024, 100'000, 10'000'000}) EXPECT_GT(goodput(n, FailureModel{}).value, 0.0) << n;
}

}  // namespace
}  // namespace reckon
