// Products: the closed form against arithmetic, and what must hold for any shape.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/gemm.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"

namespace reckon {
namespace {

/// 100 multiprocessors of 1 TFLOP/s, one tile of 128 x 128, no overhead but what a test sets.
GemmParameters plain() {
  GemmParameters p;
  p.peak = p.rate = FlopsPerSecond(1e14);
  p.multiprocessors = 100;
  p.tiles = {{128, 128, 1}};
  p.k_overhead = 0;
  p.split_overhead = 1e15;  // never worth it
  p.bandwidth = BytesPerSecond(1e18);
  p.power = {.knee = 1e6, .exponent = 0.5, .duty = 1.0, .settling = Seconds(0)};
  return p;
}

TEST(Gemm, FullWavesRunAtTheRate) {
  // 10 x 10 tiles on 100 multiprocessors: one wave of 2 * 128 * 128 * 4096 FLOP at 1 TFLOP/s each = 134.217728 us.
  const GemmCost cost(plain());

  const Seconds time = cost.sustained_time({.m = 1280, .n = 1280, .k = 4096});

  EXPECT_NEAR(time.in(microseconds), 134.217728, 1e-6);
}

TEST(Gemm, OneTileMoreCostsAWholeWave) {
  const GemmCost cost(plain());

  const double full = cost.sustained_time({.m = 1280, .n = 1280, .k = 4096}).base();
  const double more = cost.sustained_time({.m = 1281, .n = 1280, .k = 4096}).base();

  EXPECT_NEAR(more / full, 2.0, 1e-6);  // 110 tiles are two waves
}

TEST(Gemm, SplittingTheLastWaveSavesAtLargeK) {
  // idle = 2 - 1.1 = 0.9; lost = 0.9 * 9000 / (0.9 * 90000 + 9000) = 0.09 waves instead of 0.9.
  GemmParameters p = plain();
  p.split_overhead = 9000;
  const GemmCost cost(p);

  const double full = cost.sustained_time({.m = 1280, .n = 1280, .k = 90000}).base();
  const double more = cost.sustained_time({.m = 1281, .n = 1280, .k = 90000}).base();

  EXPECT_NEAR(more / full, 1.1 + 0.09, 1e-6);
}

TEST(Gemm, TrafficBoundsThinProducts) {
  // k = 1: 2 (m + n) k + 2 m n = 2 * 2560 + 2 * 1638400 = 3281920 B at 1 TB/s = 3.28192 us against 0.03 us of arithmetic.
  GemmParameters p = plain();
  p.bandwidth = BytesPerSecond(1e12);
  const GemmCost cost(p);

  EXPECT_NEAR(cost.sustained_time({.m = 1280, .n = 1280, .k = 1}).in(microseconds), 3.28192, 1e-6);
}

TEST(Gemm, OnlyWhatIsHeldOfAnOperandIsRead) {
  // m = n = 1280, k = 4: 2 * 1280 * 4 B each way and 2 * 1280^2 of result; a quarter of an operand is 2 * 1280 B.
  GemmParameters p = plain();
  p.bandwidth = BytesPerSecond(1e12);
  const GemmCost cost(p);
  const auto us = [&](double a, double b) { return cost.sustained_time({.m = 1280, .n = 1280, .k = 4, .held_a = a, .held_b = b}).in(microseconds); };

  EXPECT_NEAR(us(1, 1), 3.2768 + 2 * 0.01024, 1e-5);
  EXPECT_NEAR(us(0.25, 1), 3.2768 + 0.01024 + 0.00256, 1e-5);
  EXPECT_EQ(us(0.25, 1), us(1, 0.25));
}

TEST(Gemm, TheBackwardProductsOfAConvolutionDoTheSameWork) {
  // 3 x 3 with stride 2, 64 to 128 channels: 1000 output pixels of 4000 input pixels, of which every value lies under 9/4 positions.
  const GemmShape forward{.m = 1000, .n = 128, .k = 64 * 9, .held_a = 4.0 / 9.0};
  const GemmShape input = input_gradient_of(forward, 9), weight = weight_gradient_of(forward);

  EXPECT_DOUBLE_EQ(input.m, 4000);
  EXPECT_DOUBLE_EQ(input.n, 64);
  EXPECT_DOUBLE_EQ(input.m * input.k * input.held_a, 1000 * 128);  // the output's gradient, once
  EXPECT_DOUBLE_EQ(weight.n * weight.k * weight.held_b, 4000 * 64);  // the image, once
  EXPECT_DOUBLE_EQ(flops_of(input).base(), flops_of(forward).base());
  EXPECT_DOUBLE_EQ(flops_of(weight).base(), flops_of(forward).base());
  // a linear layer is a convolution with one position
  const GemmShape linear{.m = 10, .n = 20, .k = 30};
  EXPECT_EQ(input_gradient_of(linear), (GemmShape{.m = 10, .n = 30, .k = 20}));
}

TEST(Gemm, BatchFillsTheWaveTogether) {
  // Eight experts of 4 x 3 tiles are 96 tiles: one wave, not eight.
  const GemmCost cost(plain());

  const double grouped = cost.sustained_time({.m = 512, .n = 384, .k = 4096, .batch = 8}).base();
  const double single = cost.sustained_time({.m = 512, .n = 384, .k = 4096}).base();

  EXPECT_NEAR(grouped / single, 1.0, 1e-9);
}

TEST(Gemm, PowerLimitSlowsOnlyBusyProducts) {
  // u = 1 at knee 0.5: (1 + 2^8)^(1/16) = 257^(1/16) = 1.41456; u = 0.1: (1 + 0.2^8)^(1/16) = 1 to 1e-6.
  GemmParameters p = plain();
  p.power.knee = 0.5;
  const GemmCost limited(p), free(plain());
  const GemmShape busy{.m = 1280, .n = 1280, .k = 4096}, idle{.m = 128, .n = 1280, .k = 4096};

  EXPECT_NEAR(limited.sustained_time(busy) / free.sustained_time(busy), std::pow(257.0, 1.0 / 16.0), 1e-9);
  EXPECT_NEAR(limited.sustained_time(idle) / free.sustained_time(idle), 1.0, 1e-6);
  EXPECT_NEAR(limited.sustained_fraction(), std::pow(257.0, -1.0 / 16.0), 1e-9);
}

TEST(Gemm, ShortBurstsRunBeforeTheLimitReacts) {
  GemmParameters p = plain();
  p.power.knee = 0.5;
  p.power.settling = Seconds(1);  // the product takes 134 us
  const GemmCost cost(p);
  const GemmShape shape{.m = 1280, .n = 1280, .k = 4096};

  EXPECT_NEAR(cost.burst_time(shape).in(microseconds), 134.217728, 1e-5);
  EXPECT_GT(cost.sustained_time(shape), cost.burst_time(shape));
}

TEST(Gemm, MisalignedRowsAreSlower) {
  // 16-byte rows are free; 8 bytes cost sqrt(f), 4 bytes f, 2 bytes f^(3/2); a fractional dimension is not judged.
  EXPECT_EQ(alignment_slowdown(1.46, 10944, 2), 1.0);
  EXPECT_NEAR(alignment_slowdown(1.46, 10924, 2), std::sqrt(1.46), 1e-12);
  EXPECT_NEAR(alignment_slowdown(1.46, 10922, 2), 1.46, 1e-12);
  EXPECT_NEAR(alignment_slowdown(1.46, 10921, 2), 1.46 * 1.46 * std::sqrt(1.46), 1e-12);
  EXPECT_EQ(alignment_slowdown(1.46, 1000.5, 2), 1.0);
}

TEST(Gemm, NothingCostsNothing) {
  const GemmCost cost(plain());
  EXPECT_EQ(cost.sustained_time({.m = 0, .n = 4, .k = 4}), Seconds(0));
  EXPECT_EQ(cost.burst_time({.m = 4, .n = 4, .k = 4, .batch = 0}), Seconds(0));
}

TEST(Gemm, RefusesParametersOutsidePhysics) {
  const auto refused = [](auto change) {
    GemmParameters p = plain();
    change(p);
    EXPECT_THROW(GemmCost{p}, CalibrationError);
  };
  refused([](auto& p) { p.rate = FlopsPerSecond(0); });
  refused([](auto& p) { p.tiles.clear(); });
  refused([](auto& p) { p.wave_quantisation = 1.1; });
  refused([](auto& p) { p.split_overhead = 0, p.k_overhead = 1; });
  refused([](auto& p) { p.power.exponent = 2; });
  refused([](auto& p) { p.misalignment = 0.5; });
}

}  // namespace
}  // namespace reckon
