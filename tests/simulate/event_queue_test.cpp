// The queue against a sorted list, in regular, random and hostile orders.
// SPDX-License-Identifier: Apache-2.0
#include "simulate/event_queue.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "base/random.hpp"

namespace reckon {
namespace {

/// Pops all and checks times and ties against std::multimap, which keeps the order of insertion among equals.
void check(EventQueue& queue, std::multimap<double, std::uint32_t>& expected) {
  while (!expected.empty()) {
    ASSERT_FALSE(queue.empty());
    ASSERT_EQ(queue.first_time(), expected.begin()->first);
    const Event e = queue.pop();
    ASSERT_EQ(e.time, expected.begin()->first);
    ASSERT_EQ(e.payload, expected.begin()->second);
    expected.erase(expected.begin());
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(std::isinf(queue.first_time()));
}

TEST(EventQueue, SortsRandomTimes) {
  EventQueue queue;
  std::multimap<double, std::uint32_t> expected;
  Philox random(1, 1);
  for (std::uint32_t i = 0; i < 5000; ++i) {
    const double t = random.uniform();
    queue.push(t, i);
    expected.emplace(t, i);
  }
  check(queue, expected);
}

TEST(EventQueue, KeepsTheOrderOfInsertionAmongEqualTimes) {
  EventQueue queue;
  std::multimap<double, std::uint32_t> expected;
  Philox random(2, 1);
  for (std::uint32_t i = 0; i < 5000; ++i) {
    const double t = static_cast<double>(random.next() % 17);  // many ties, zero among them
    queue.push(t, i);
    expected.emplace(t, i);
  }
  check(queue, expected);
}

TEST(EventQueue, HoldsUnderMixedPushesAndPops) {
  // constant delays (lanes), decreasing times and random ones (heap), interleaved with pops
  EventQueue queue;
  std::multimap<double, std::uint32_t> expected;
  Philox random(3, 1);
  std::uint32_t id = 0;
  double now = 0;
  const auto add = [&](double t) { queue.push(t, id), expected.emplace(t, id), ++id; };
  for (int i = 0; i < 200; ++i) add(200.0 - i);
  for (int i = 0; i < 20000; ++i) {
    const Event e = queue.pop();
    ASSERT_EQ(e.payload, expected.begin()->second);
    expected.erase(expected.begin());
    ASSERT_GE(e.time, now);
    now = e.time;
    add(i % 3 == 0 ? now + random.exponential(1.0) : now + static_cast<double>(i % 5));
  }
  EXPECT_EQ(queue.size(), expected.size());
  check(queue, expected);
}

TEST(EventQueue, HoldsWithManyPendingOfAllKinds) {
  // enough for buckets: times that spread, crowd, tie, lie far off or before what was popped already; no lane takes them all
  EventQueue queue;
  std::multimap<double, std::uint32_t> expected;
  Philox random(4, 1);
  std::uint32_t id = 0;
  const auto add = [&](double t) { queue.push(t, id), expected.emplace(t, id), ++id; };
  const auto some = [&](double now) {
    switch (random.next() % 8) {
      case 0:
        return now;
      case 1:
        return now + 1e-9 * random.uniform();
      case 2:
        return now + 1e6 * random.exponential(1.0);
      case 3:
        return now * random.uniform();
      case 4:
        return std::floor(now + 10.0 * random.uniform());
      default:
        return now + random.exponential(1.0);
    }
  };
  for (int i = 0; i < 20000; ++i) add(some(100.0));
  for (int i = 0; i < 100000; ++i) {
    const Event e = queue.pop();
    ASSERT_EQ(e.time, expected.begin()->first);
    ASSERT_EQ(e.payload, expected.begin()->second) << i;
    expected.erase(expected.begin());
    if (i % 5 != 0) add(some(e.time));
    if (i % 7 == 0) add(some(e.time));
  }
  add(std::numeric_limits<double>::infinity());
  check(queue, expected);
  queue.clear();
  EXPECT_TRUE(queue.empty());
  add(2.0), add(1.0);
  check(queue, expected);
}

}  // namespace
}  // namespace reckon
