// Rings message by message, by arithmetic.
// SPDX-License-Identifier: Apache-2.0
#include "simulate/ring_messages.hpp"

#include <gtest/gtest.h>

namespace reckon {
namespace {

TEST(RingMessages, OneAllReduceTakesItsStepsAndItsBytes) {
  // 4 devices, 400 B over 100 B/s: 6 steps of (100 B / 100 B/s + 0.5 s) after 3 s of compute
  const RingResult r =
      simulate_ring({.devices = 4, .layers = 1, .layer_bytes = 400, .before = 2, .layer = 1, .bandwidth = 100, .latency = 0.5});
  EXPECT_DOUBLE_EQ(r.seconds, 3 + 6 * 1.5);
  EXPECT_EQ(r.messages, 4 * 6);
}

TEST(RingMessages, LayersQueueBehindEachOther) {
  const RingResult r = simulate_ring({.devices = 4, .layers = 3, .layer_bytes = 400, .before = 0, .layer = 1, .bandwidth = 100});
  EXPECT_DOUBLE_EQ(r.seconds, 1 + 3 * 6.0);
  EXPECT_EQ(r.messages, 3 * 4 * 6);
}

TEST(RingMessages, ComputeBindsWhenItIsLonger) {
  const RingResult r = simulate_ring({.devices = 4, .layers = 5, .layer_bytes = 40, .before = 0, .layer = 10, .bandwidth = 100});
  EXPECT_DOUBLE_EQ(r.seconds, 50 + 0.6);
}

TEST(RingMessages, SlowLinkSlowsTheWholeRing) {
  RingStep s{.devices = 4, .layers = 1, .layer_bytes = 400, .before = 0, .layer = 1, .bandwidth = 100};
  s.link_factor = {1, 1, 0.5, 1};
  const double slow = simulate_ring(s).seconds;
  // six messages pass the slow link, one after the other: 6 x 2 s at most, and more than the 6 s of a sound ring
  EXPECT_GE(slow, 1 + 6 + 4);
  EXPECT_LE(slow, 1 + 12);
}

}  // namespace
}  // namespace reckon
