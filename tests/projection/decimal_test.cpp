// SPDX-License-Identifier: Apache-2.0
#include "projection/decimal.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"

namespace reckon {
namespace {

Decimal d(double v) { return Decimal::nearest(v); }

TEST(Decimal, KeepsSixPlaces) {
  EXPECT_EQ(d(12.29).micro(), 12'290'000);
  EXPECT_EQ(d(0.1 + 0.2).micro(), 300'000);
  EXPECT_EQ(d(2.933908).text(), "2.933908");
  EXPECT_EQ(d(-0.000001).text(), "-0.000001");
  EXPECT_EQ(d(0).text(), "0");
  EXPECT_EQ(d(1e12).text(), "1000000000000");
}

TEST(Decimal, RefusesWhatItCannotHold) {
  EXPECT_THROW(d(1e13), MoneyRangeError);
  EXPECT_THROW(d(std::nan("")), MoneyRangeError);
  EXPECT_THROW(d(INFINITY), MoneyRangeError);
}

TEST(Amount, IsExactToTheCent) {
  EXPECT_EQ(product(d(3'445'477.123456), d(6.155)).cents, 2'120'691'169);  // 21,206,911.694871...
  EXPECT_EQ(product(d(0.5), d(0.01)).cents, 1);                            // half a cent goes up,
  EXPECT_EQ(product(d(-0.5), d(0.01)).cents, -1);                          // away from zero
  EXPECT_EQ(product(d(0.499999), d(0.01)).cents, 0);
  EXPECT_EQ(product(d(100.5), d(0.01)).text(), "1.01");  // as a double 1.005 is below the half
  EXPECT_THROW(product(d(9e12), d(9e12)), MoneyRangeError);
}

TEST(Amount, WritesTwoPlacesAlways) {
  EXPECT_EQ(Amount{0}.text(), "0.00");
  EXPECT_EQ(Amount{5}.text(), "0.05");
  EXPECT_EQ(Amount{-5}.text(), "-0.05");
  EXPECT_EQ(Amount{123456780}.text(), "1234567.80");
}

TEST(Amount, RefusesASumBeyondItsRange) {
  Amount a{INT64_MAX};
  EXPECT_THROW(a += Amount{1}, MoneyRangeError);
}

TEST(RoundHalfAway, CountsHalvesAsSpreadsheetsDo) {
  EXPECT_DOUBLE_EQ(round_half_away(1.005, 2), 1.01);
  EXPECT_DOUBLE_EQ(round_half_away(-1.005, 2), -1.01);
  EXPECT_DOUBLE_EQ(round_half_away(2.4999, 0), 2.0);
  EXPECT_DOUBLE_EQ(round_half_away(1e16, 2), 1e16);
}

}  // namespace
}  // namespace reckon
