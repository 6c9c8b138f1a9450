// Lookups, memory-bound kernels and derived devices.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/compute.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace reckon {
namespace {

Device device(const char* id, double bf16, double bandwidth, std::int64_t multiprocessors, double power) {
  Device d;
  d.id = id;
  d.peak = {{Precision::bf16, FlopsPerSecond(bf16)}, {Precision::fp16, FlopsPerSecond(bf16)}};
  d.vector_peak = FlopsPerSecond(bf16 / 16);
  d.memory_bandwidth = BytesPerSecond(bandwidth);
  d.num_multiprocessors = multiprocessors;
  d.l2_cache = Bytes(4e7);
  d.power = Watts(power);
  return d;
}

ComputeCalibration sample() {
  GemmParameters g;
  g.peak = FlopsPerSecond(1e15);
  g.rate = FlopsPerSecond(8e14);
  g.multiprocessors = 100;
  g.tiles = {{128, 256, 1}, {64, 256, 1}};
  g.k_overhead = 100;
  g.split_overhead = 5000;
  g.bandwidth = BytesPerSecond(2.5e12);
  g.launch = Seconds(2e-6);
  g.power = {.knee = 0.6, .exponent = 0.5, .duty = 0.9, .settling = Seconds(2e-3)};
  AttentionParameters a;
  a.rate = FlopsPerSecond(9e14);
  a.exponential_rate = FlopsPerSecond(4e12);
  a.multiprocessors = 100;
  a.bandwidth = BytesPerSecond(2.5e12);
  a.launch = Seconds(5e-6);
  ComputeCalibration c;
  c.device = "sample";
  c.gemm[static_cast<std::size_t>(Precision::bf16)] =
      GemmCalibration{.cost = GemmCost(g), .derived = false, .residual = {}, .source = {}, .cast_in_table = {}};
  c.attention.emplace(AttentionKernel::flash2, AttentionCalibration{.cost = AttentionCost(a, a), .residual = {}, .source = {}});
  c.stream = {.bandwidth = BytesPerSecond(3e12), .efficiency = 0.9, .latency = Seconds(2e-6), .cache = Bytes(4e7), .cache_gain = 2.0};
  return c;
}

TEST(Compute, StreamsAtTheEfficiencyOfTheMemory) {
  // 2.7 GB at 0.9 * 3 TB/s = 1 ms, and 2 us; the cache of 40 MB gives 2.2e-4 of that back.
  EXPECT_NEAR(streaming_time(sample(), Bytes(2.7e9)).in(microseconds), 1002.0, 0.3);
  EXPECT_EQ(streaming_time(sample(), Bytes(0)), Seconds(0));
}

TEST(Compute, SmallStreamsGainFromTheCache) {
  // 4 MB is a tenth of the cache: gain 1 + 1 / 1.01, so 4e6 / (2.7e12 * 1.990099) = 0.744 us, and 2 us.
  EXPECT_NEAR(streaming_time(sample(), Bytes(4e6)).in(microseconds), 2.7444, 1e-3);
}

TEST(Compute, AMissingPrecisionIsAnError) {
  EXPECT_TRUE(sample().supports(Precision::bf16));
  EXPECT_FALSE(sample().supports(Precision::fp8));
  EXPECT_THROW(gemm_time(sample(), Precision::fp8, {.m = 8, .n = 8, .k = 8}), CalibrationError);
}

TEST(Compute, AMissingKernelIsReplacedByTheNearest) {
  ComputeCalibration c = sample();
  EXPECT_EQ(attention_kernel_used(c, AttentionKernel::flash3), AttentionKernel::flash2);
  EXPECT_EQ(attention_kernel_used(c, AttentionKernel::flash1), AttentionKernel::flash2);
  c.attention.clear();
  EXPECT_THROW(attention_kernel_used(c, AttentionKernel::flash2), CalibrationError);
}

TEST(Compute, NamesOfKernelsGoBothWays) {
  for (const auto kernel : {AttentionKernel::flash1, AttentionKernel::flash2, AttentionKernel::flash3, AttentionKernel::cudnn})
    EXPECT_EQ(attention_kernel_of(name_of(kernel)), kernel);
  EXPECT_FALSE(attention_kernel_of("flash9"));
}

TEST(Compute, ADeviceTwiceAsLargeIsTwiceAsFast) {
  // Everything doubled but the launch: a product of twice as many tiles takes the same time.
  const Device of = device("small", 1e15, 3e12, 100, 700), to = device("large", 2e15, 6e12, 200, 1400);
  const ComputeCalibration derived = derive(sample(), of, to);
  const GemmShape shape{.m = 4096, .n = 4096, .k = 4096}, twice{.m = 8192, .n = 4096, .k = 4096};

  EXPECT_TRUE(derived.derived());
  EXPECT_EQ(derived.derived_from, "sample");
  EXPECT_NEAR(gemm_time(derived, Precision::bf16, twice) / gemm_time(sample(), Precision::bf16, shape), 1.0, 0.02);
  EXPECT_EQ(derived.stream.bandwidth, BytesPerSecond(6e12));
  const AttentionShape one{.batch = 2, .heads = 64, .kv_heads = 8, .seq_q = 4096, .seq_kv = 4096, .head_dim = 128};
  AttentionShape two = one;
  two.batch = 4;
  EXPECT_NEAR(attention_time(derived, AttentionKernel::flash2, Pass::forward, two) /
                  attention_time(sample(), AttentionKernel::flash2, Pass::forward, one),
              1.0, 0.02);
}

TEST(Compute, FewerWattsLowerTheSustainedRate) {
  // knee * (300 / 700)^0.7 = 0.553 of the knee: the same device on a smaller board.
  const Device of = device("sxm", 1e15, 3e12, 100, 700), to = device("pcie", 1e15, 3e12, 100, 300);
  const GemmShape large{.m = 16384, .n = 16384, .k = 16384}, small{.m = 128, .n = 128, .k = 128};
  const ComputeCalibration derived = derive(sample(), of, to);

  EXPECT_GT(gemm_time(derived, Precision::bf16, large) / gemm_time(sample(), Precision::bf16, large), 1.2);
  EXPECT_NEAR(gemm_time(derived, Precision::bf16, small) / gemm_time(sample(), Precision::bf16, small), 1.0, 1e-6);
}

TEST(Compute, DerivesOnlyWhatTheDeviceHas) {
  const Device of = device("of", 1e15, 3e12, 100, 700);
  Device to = device("to", 1e15, 3e12, 100, 700);
  to.peak = {{Precision::fp16, FlopsPerSecond(1.2e14)}};  // a V100: no bf16
  const ComputeCalibration derived = derive(sample(), of, to);

  EXPECT_TRUE(derived.supports(Precision::fp16));
  EXPECT_FALSE(derived.supports(Precision::bf16));
  to.peak.clear();
  EXPECT_THROW(derive(sample(), of, to), CalibrationError);
}

}  // namespace
}  // namespace reckon
