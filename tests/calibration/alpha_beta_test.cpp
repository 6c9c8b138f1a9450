// Fits of time against size recover what made the times.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/alpha_beta.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace reckon {
namespace {

std::vector<SizedTime> doublings(double alpha, double per_byte, double first, double last) {
  std::vector<SizedTime> out;
  for (double size = first; size <= last; size *= 2) out.push_back({Bytes{size}, Seconds{alpha + per_byte * size}});
  return out;
}

TEST(AlphaBeta, OneLineIsRecovered) {
  const AlphaBetaCurve curve = fit_alpha_beta(doublings(3e-6, 2e-10, 8, 1 << 24));

  ASSERT_EQ(curve.classes().size(), 1u);
  EXPECT_NEAR(curve.classes()[0].first.base(), 3e-6, 1e-9);
  EXPECT_NEAR(curve.classes()[0].seconds_per_byte, 2e-10, 1e-13);
  EXPECT_NEAR(curve.time(Bytes{1e6}).base(), 3e-6 + 2e-4, 1e-8);
  EXPECT_EQ(curve.time(Bytes{}).base(), 0);
}

TEST(AlphaBeta, TwoClassesAreFoundAtTheirBoundary) {
  std::vector<SizedTime> points = doublings(1e-6, 1e-10, 64, 32768);  // fits a cache ...
  const std::vector<SizedTime> slow = doublings(20e-6, 5e-10, 65536, 1 << 24);
  points.insert(points.end(), slow.begin(), slow.end());

  const AlphaBetaCurve curve = fit_alpha_beta(points);

  ASSERT_EQ(curve.classes().size(), 2u);
  EXPECT_NEAR(curve.classes()[1].from.base(), 46341, 1);  // sqrt(32768 65536)
  EXPECT_NEAR(curve.classes()[1].first.base(), 20e-6 + 46341 * 5e-10, 1e-9);
  for (const SizedTime& p : points) EXPECT_NEAR(curve.time(p.size) / p.time, 1.0, 1e-6);
}

TEST(AlphaBeta, NoNumberIsNegativeAndOneClassHoldsNoisyPoints) {
  std::vector<SizedTime> points = doublings(1e-5, 1e-9, 1024, 1 << 22);
  double sign = 1;
  for (SizedTime& p : points) p.time *= 1 + 0.02 * (sign = -sign);
  points.push_back({Bytes{8}, Seconds{1.02e-5}});

  const AlphaBetaCurve curve = fit_alpha_beta(points);

  EXPECT_LE(curve.classes().size(), 2u);
  for (const AlphaBeta& c : curve.classes()) {
    EXPECT_GE(c.first.base(), 0);
    EXPECT_GE(c.seconds_per_byte, 0);
  }
  EXPECT_NEAR(curve.time(Bytes{1 << 16}).base(), 1e-5 + 65536e-9, 0.03 * 7.5e-5);
}

TEST(AlphaBeta, JoinedPointsKeepTheirTimesAndGoOnAtTheLastRate) {
  const AlphaBetaCurve curve = join_alpha_beta({{Bytes{100}, Seconds{2}}, {Bytes{10}, Seconds{1}}, {Bytes{1000}, Seconds{38}}});

  EXPECT_DOUBLE_EQ(curve.time(Bytes{1}).base(), 1);
  EXPECT_DOUBLE_EQ(curve.time(Bytes{10}).base(), 1);
  EXPECT_NEAR(curve.time(Bytes{55}).base(), 1.5, 1e-12);
  EXPECT_NEAR(curve.time(Bytes{550}).base(), 20, 1e-12);  // 2 + 450 * 36 / 900
  EXPECT_NEAR(curve.time(Bytes{2000}).base(), 76, 1e-12);  // 38 + 1000 * min(36 / 900, 38 / 1000)
}

TEST(AlphaBeta, JoinedTimesNeverFallWithSize) {
  const AlphaBetaCurve curve =
      join_alpha_beta({{Bytes{8}, Seconds{1}}, {Bytes{64}, Seconds{4}}, {Bytes{256}, Seconds{1}}, {Bytes{1024}, Seconds{5}}, {Bytes{1024}, Seconds{20}}});

  EXPECT_NEAR(curve.time(Bytes{64}).base(), 2, 1e-12);  // the geometric mean of 4 and 1
  EXPECT_NEAR(curve.time(Bytes{256}).base(), 2, 1e-12);
  EXPECT_NEAR(curve.time(Bytes{1024}).base(), 10, 1e-12);
  for (double size = 1, before = 0; size < 4096; size *= 1.1) {
    const double time = curve.time(Bytes{size}).base();
    EXPECT_GE(time, before);
    before = time;
  }
  EXPECT_NEAR(join_alpha_beta({{Bytes{10}, Seconds{3}}}).time(Bytes{20}).base(), 6, 1e-12);
}

TEST(AlphaBeta, WhatCannotBeFittedIsRefused) {
  EXPECT_THROW(join_alpha_beta({}), CalibrationError);
  EXPECT_THROW(fit_alpha_beta({}), CalibrationError);
  EXPECT_THROW(fit_alpha_beta({{Bytes{8}, Seconds{0}}}), CalibrationError);
  EXPECT_THROW(AlphaBetaCurve({{Bytes{8}, Seconds{1}, 0}}), CalibrationError);
  EXPECT_THROW(AlphaBetaCurve({{Bytes{0}, Seconds{-1}, 0}}), CalibrationError);
  EXPECT_THROW(AlphaBetaCurve({{Bytes{0}, Seconds{1}, 0}, {Bytes{0}, Seconds{1}, 0}}), CalibrationError);
}

}  // namespace
}  // namespace reckon
