// The strong types: dimensions derive, equal dimensions divide to a plain number.
// SPDX-License-Identifier: Apache-2.0
#include "base/quantity.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace reckon {
namespace {

static_assert(std::is_same_v<decltype(Flops(1) / FlopsPerSecond(1)), Seconds>);
static_assert(std::is_same_v<decltype(Bytes(1) / BytesPerSecond(1)), Seconds>);
static_assert(std::is_same_v<decltype(BytesPerSecond(1) * Seconds(1)), Bytes>);
static_assert(std::is_same_v<decltype(DollarsPerSecond(1) * Seconds(1)), Dollars>);
static_assert(std::is_same_v<decltype(DollarsPerJoule(1) * Watts(1) * Seconds(1)), Dollars>);
static_assert(std::is_same_v<decltype(Seconds(1) / Seconds(1)), double>);
static_assert(std::is_same_v<decltype(1.0 / Seconds(1)), Hertz>);
static_assert(!std::is_convertible_v<double, Seconds>);
static_assert(!std::is_convertible_v<Seconds, double>);
static_assert(!std::is_convertible_v<Bytes, Seconds>);
static_assert(sizeof(Seconds) == sizeof(double));

TEST(Quantity, DividesWorkByRate) {
  // 312e12 FLOP at 156 TFLOP/s take 2 s
  EXPECT_DOUBLE_EQ((Flops(312e12) / FlopsPerSecond(156e12)).in(seconds), 2.0);
  EXPECT_DOUBLE_EQ((gibibytes * 80.0).in(gigabytes), 85.89934592);
  EXPECT_DOUBLE_EQ((hours * 2.0).in(seconds), 7200.0);
}

TEST(Quantity, AddsAndCompares) {
  Seconds t = seconds * 1.5;
  t += milliseconds * 500.0;
  t -= Seconds(1.0);
  t *= 4.0;
  t /= 2.0;

  EXPECT_DOUBLE_EQ(t.base(), 2.0);
  EXPECT_TRUE(Seconds(1) < Seconds(2) && Seconds(2) >= Seconds(2) && Seconds(1) != Seconds(2));
  EXPECT_EQ(max(Seconds(1), Seconds(2)), Seconds(2));
  EXPECT_EQ(min(Seconds(1), Seconds(2)), Seconds(1));
  EXPECT_DOUBLE_EQ((-Seconds(1)).base(), -1.0);
}

}  // namespace
}  // namespace reckon
