// Loops of reinforcement learning and data feeds, by arithmetic.
// SPDX-License-Identifier: Apache-2.0
#include "projection/rollout.hpp"

#include <gtest/gtest.h>

#include "projection/projection.hpp"

namespace reckon {
namespace {

RolloutPolicy policy() {
  RolloutPolicy p;
  p.parameters = 1e9;
  p.weights = Bytes{2e9};
  p.cache_per_token = Bytes{1e5};
  p.bandwidth = BytesPerSecond{1e12};
  p.rate = FlopsPerSecond{1e14};
  return p;
}

TEST(Rollout, PartsFollowFromBytesAndWork) {
  const RolloutLoop grpo{.prompt = 100, .response = 200, .concurrent = 10, .devices = 1, .scored = 1, .critics = 0, .epochs = 1};
  const RolloutCost c = rollout_cost(grpo, policy(), 0.02);

  EXPECT_DOUBLE_EQ(c.prefill, 2e9 * 100 / 1e14);
  // a step reads 2 GB and 10 sequences of 200 tokens on average: 2.2 ms for 10 tokens; 200 of them
  EXPECT_DOUBLE_EQ(c.decode, 200 * 2.2e-3 / 10);
  EXPECT_DOUBLE_EQ(c.scoring, 2e9 * 300 / 1e14);
  EXPECT_DOUBLE_EQ(c.critic, 0);
  EXPECT_DOUBLE_EQ(c.share(), (c.prefill + c.decode + c.scoring) / 0.02);
}

TEST(Rollout, ManySequencesAreBoundByWorkNotByReading) {
  RolloutLoop loop{.prompt = 0, .response = 100, .concurrent = 1e5, .devices = 4};
  RolloutPolicy p = policy();
  p.cache_per_token = Bytes{1};
  EXPECT_DOUBLE_EQ(rollout_cost(loop, p, 1).decode, 100 * 2e9 / 1e14);  // device-seconds of a sequence do not depend on the copy's size
}

TEST(Rollout, PpoTrainsItsCriticAndEpochsSpreadTheGeneration) {
  RolloutLoop ppo{.prompt = 100, .response = 200, .concurrent = 10, .devices = 1, .scored = 3, .critics = 1, .epochs = 1};
  const RolloutCost one = rollout_cost(ppo, policy(), 0.02);
  EXPECT_DOUBLE_EQ(one.critic, 0.02);
  EXPECT_DOUBLE_EQ(one.scoring, 3 * 2e9 * 300 / 1e14);
  ppo.epochs = 2;
  const RolloutCost two = rollout_cost(ppo, policy(), 0.02);
  EXPECT_DOUBLE_EQ(two.share(), (one.prefill + one.decode + one.scoring + 0.04) / 0.04);
}

TEST(DataFeed, TheSlowestPartSetsThePace) {
  DataFeed feed{.per_unit = Bytes{1e5}, .per_device = {}, .shared = {}, .units_per_device_second = 0};
  EXPECT_DOUBLE_EQ(loading_time(feed, 2048, 8).base(), 0);
  feed.per_device = BytesPerSecond{1e8};  // 204.8 MB over 8 x 0.1 GB/s
  EXPECT_DOUBLE_EQ(loading_time(feed, 2048, 8).base(), 0.256);
  feed.shared = BytesPerSecond{4e8};
  EXPECT_DOUBLE_EQ(loading_time(feed, 2048, 8).base(), 0.512);
  feed.units_per_device_second = 100;  // 2,048 images over 800 a second
  EXPECT_DOUBLE_EQ(loading_time(feed, 2048, 8).base(), 2.56);
}

TEST(DataFeed, AStepLastsAtLeastAsLongAsItsDataTakeToRead) {
  RunPlan run;
  run.units = 2048e3;
  run.failures.failures_per_device_day = 0;
  run.price = dollars_per_hour;
  const Projection free = project(Seconds{1.0}, 2048, 8, run);
  run.feed = {.per_unit = Bytes{1e5}, .per_device = BytesPerSecond{1e7}, .shared = {}, .units_per_device_second = 0};
  const Projection fed = project(Seconds{1.0}, 2048, 8, run);
  EXPECT_DOUBLE_EQ(fed.wall_time / free.wall_time, 2.56);
  EXPECT_DOUBLE_EQ(free.throughput / fed.throughput, 2.56);
}

}  // namespace
}  // namespace reckon
