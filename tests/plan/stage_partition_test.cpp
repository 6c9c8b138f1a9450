// SPDX-License-Identifier: Apache-2.0
#include "plan/stage_partition.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <limits>

#include "base/error.hpp"
#include "base/random.hpp"

namespace reckon {
namespace {

PartitionQuestion random_question(std::uint64_t seed, std::int64_t layers, std::int64_t devices, std::size_t ways, std::int64_t largest_stage,
                                  std::size_t kinds = 1) {
  Philox random(seed, 9);
  PartitionQuestion q;
  q.layers = layers;
  for (std::size_t k = 0; k < kinds; ++k) q.devices.push_back(std::max<std::int64_t>(1, devices - static_cast<std::int64_t>(k)));
  q.micro_batches = 1 + static_cast<std::int64_t>(random.uniform() * 12.0);
  for (std::size_t w = 0; w < ways; ++w) {
    StageWay way;
    way.devices = 1 + static_cast<std::int64_t>(random.uniform() * static_cast<double>(largest_stage));
    way.kind = w % kinds;
    way.capacity = Bytes{20.0 + 20.0 * random.uniform()};
    way.hand_over = Seconds{0.1 * random.uniform()};
    for (std::int64_t l = 0; l < layers; ++l) {
      way.time.push_back(Seconds{(0.5 + random.uniform()) / static_cast<double>(way.devices)});
      way.state.push_back(Bytes{4.0 * random.uniform()});
      way.activations.push_back(Bytes{2.0 * random.uniform()});
    }
    q.ways.push_back(way);
  }
  return q;
}

/// Every composition of the layers and every way of every stage.
double brute_force(const PartitionQuestion& q, std::int64_t first, std::vector<std::int64_t>& left, std::vector<StageChoice>& stages, bool all_devices) {
  if (first == q.layers) {
    if (all_devices && std::any_of(left.begin(), left.end(), [](std::int64_t n) { return n != 0; })) return std::numeric_limits<double>::infinity();
    double sum = 0, slowest = 0;
    for (std::size_t i = 0; i < stages.size(); ++i) {
      const StageWay& way = q.ways[stages[i].way];
      double time = way.hand_over.base(), state = 0, activations = 0;
      for (std::int64_t l = stages[i].first; l < stages[i].first + stages[i].count; ++l) {
        const auto k = static_cast<std::size_t>(l);
        time += way.time[k].base(), state += way.state[k].base(), activations += way.activations[k].base();
      }
      const auto behind = static_cast<std::int64_t>(stages.size() - i);
      if (state + activations * static_cast<double>(std::min(q.micro_batches, behind)) > way.capacity.base()) return std::numeric_limits<double>::infinity();
      sum += time;
      slowest = std::max(slowest, time);
    }
    return sum + static_cast<double>(q.micro_batches - 1) * slowest;
  }
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t w = 0; w < q.ways.size(); ++w) {
    std::int64_t& of_kind = left[q.ways[w].kind];
    if (q.ways[w].devices > of_kind) continue;
    of_kind -= q.ways[w].devices;
    for (std::int64_t count = 1; first + count <= q.layers; ++count) {
      stages.push_back({first, count, w, {}});
      best = std::min(best, brute_force(q, first + count, left, stages, all_devices));
      stages.pop_back();
    }
    of_kind += q.ways[w].devices;
  }
  return best;
}

TEST(StagePartition, IsTheBestOfAll) {
  int solved = 0, none = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const PartitionQuestion q = random_question(seed, 2 + static_cast<std::int64_t>(seed % 5), 2 + static_cast<std::int64_t>(seed % 6), 1 + seed % 3, 3, 1 + seed / 4 % 2);
    const bool all = seed % 2 == 0;
    std::vector<StageChoice> stages;
    std::vector<std::int64_t> left = q.devices;
    const double expected = brute_force(q, 0, left, stages, all);

    const std::optional<Partition> found = best_partition(q, all);

    ASSERT_EQ(found.has_value(), expected < std::numeric_limits<double>::infinity()) << seed;
    if (!found) {
      ++none;
      continue;
    }
    ++solved;
    ASSERT_NEAR(found->step.base(), expected, 1e-9 * expected) << seed;
    std::int64_t next = 0;
    for (const StageChoice& s : found->stages) {
      EXPECT_EQ(s.first, next);
      next += s.count;
    }
    EXPECT_EQ(next, q.layers);
  }
  EXPECT_GT(solved, 150);
  EXPECT_GT(none, 5);
}

TEST(StagePartition, DenseAndExpertLayersAndAHeadAreBalanced) {
  // three dense layers of 1 s, six of 2 s, a head of 3 s in the last layer; one way, 3 stages of one device: 3+... -> 6, 6, 6
  PartitionQuestion q;
  q.layers = 10;
  q.devices = {3};
  q.micro_batches = 8;
  StageWay way;
  way.capacity = Bytes{1e9};
  for (const double t : {1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0}) way.time.push_back(Seconds{t});
  way.state.assign(10, Bytes{1.0});
  way.activations.assign(10, Bytes{1.0});
  q.ways = {way};

  const Partition p = best_partition(q).value();

  // 18 s over 3 stages: 1+1+1+2 = 5, 2+2+2 = 6, 2+2+3 = 7; no cut is better than 7
  ASSERT_EQ(p.stages.size(), 3U);
  EXPECT_DOUBLE_EQ(p.step.base(), 18.0 + 7.0 * 7.0);
}

TEST(StagePartition, SlowDevicesGetFewerLayers) {
  // one fast and one slow device: 12 layers of 1 s or 2 s divide as 8 and 4, whichever comes first, and both stages take 8 s
  PartitionQuestion q;
  q.layers = 12;
  q.devices = {1, 1};
  q.micro_batches = 16;
  StageWay fast, slow;
  fast.capacity = slow.capacity = Bytes{1e9};
  fast.time.assign(12, Seconds{1.0});
  slow.time.assign(12, Seconds{2.0});
  fast.state = slow.state = fast.activations = slow.activations = std::vector<Bytes>(12, Bytes{1.0});
  slow.kind = 1;
  q.ways = {slow, fast};

  const Partition p = best_partition(q).value();

  ASSERT_EQ(p.stages.size(), 2U);
  for (const StageChoice& s : p.stages) EXPECT_EQ(s.count, s.way == 0 ? 4 : 8);
  EXPECT_DOUBLE_EQ(p.step.base(), 16.0 + 15.0 * 8.0);

  q.ways[1].capacity = Bytes{14.0};  // 7 layers with a micro-batch as the last stage, 4 with two as the first
  const Partition tight = best_partition(q).value();
  EXPECT_EQ(tight.stages.back().way, 1U);
  EXPECT_EQ(tight.stages.back().count, 7);
  EXPECT_DOUBLE_EQ(tight.step.base(), 17.0 + 15.0 * 10.0);
}

TEST(StagePartition, NinetySixLayersOnAThousandDevicesInTwentyWaysTakeASecond) {
  PartitionQuestion q = random_question(1, 96, 1024, 20, 1);
  q.micro_batches = 64;
  for (std::size_t w = 0; w < q.ways.size(); ++w) {
    StageWay& way = q.ways[w];
    way.devices = std::int64_t{8} << (w % 5);  // 8 to 128 devices a stage, four ways each
    way.capacity = Bytes{400.0};
    for (Seconds& t : way.time) t = t / static_cast<double>(way.devices);
  }
  const std::clock_t begin = std::clock();

  const std::optional<Partition> p = best_partition(q);

  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  ASSERT_TRUE(p.has_value());
  RecordProperty("milliseconds", static_cast<int>(seconds * 1000));
  std::printf("96 layers, 1,024 devices, 20 ways: %.3f s, %zu stages\n", seconds, p->stages.size());
  EXPECT_LT(seconds, 10.0);  // a test fails on a slow machine only when it is absurd; the bar is 1 s
}

TEST(StagePartition, RefusesWhatItCannotRead) {
  PartitionQuestion q = random_question(1, 4, 4, 1, 1);
  q.ways[0].time.pop_back();
  EXPECT_THROW(best_partition(q), UsageError);
  EXPECT_THROW(best_partition({}), UsageError);
}

}  // namespace
}  // namespace reckon
