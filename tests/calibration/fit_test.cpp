// Fits of whole machines from samples that a known machine made.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "calibration/machine_calibration.hpp"

namespace reckon {
namespace {

Timed exactly(Seconds t) { return {.median = t, .low = t, .high = t, .count = 5, .stable = true}; }

GemmParameters known_gemm() {
  GemmParameters p;
  p.peak = FlopsPerSecond{1e11};
  p.rate = FlopsPerSecond{9e10};
  p.tiles = {{16, 16, 1}};
  p.k_overhead = 12;
  p.bandwidth = BytesPerSecond{2e10};
  p.operand_bytes = p.result_bytes = 4;
  p.launch = Seconds{2e-6};
  p.power.knee = 100;
  return p;
}

Samples known_machine() {
  Samples s;
  const GemmCost cost(known_gemm());
  for (const double m : {64., 256., 1024.})
    for (const double n : {64., 256., 1024.})
      for (const double k : {64., 256., 1024.})
        for (const GemmRole role : {GemmRole::forward, GemmRole::input_gradient, GemmRole::weight_gradient}) {
          const GemmShape shape{m, n, k, 1};
          const double slower = role == GemmRole::weight_gradient ? 1.25 : 1.0;
          s.gemm.push_back({Precision::fp32, role, shape, exactly(cost.burst_time(shape) * slower)});
        }
  for (double size = 4096; size < 1e8; size *= 4) {
    s.streams.push_back({Precision::fp32, StreamKernel::copy, Bytes{size}, exactly(Seconds{1e-6 + size / 1e10})});
    s.streams.push_back({Precision::fp32, StreamKernel::gelu, Bytes{size}, exactly(Seconds{2e-6 + size / 5e9})});
  }
  for (const std::int64_t ranks : {2, 4})
    for (double size = 64; size < 1e8; size *= 2) {
      const double n = double(ranks), wire = (n - 1) / n * size;
      s.links.push_back({Collective::all_reduce, ranks, Bytes{size}, exactly(Seconds{3e-6 + 2 * (n - 1) * 2e-6 + 2 * wire / 4e9})});
      s.links.push_back({Collective::all_gather, ranks, Bytes{size}, exactly(Seconds{3e-6 + (n - 1) * 2e-6 + wire / 4e9})});
      s.links.push_back({Collective::point_to_point, 2, Bytes{size}, exactly(Seconds{1e-6 + size / 5e9})});
    }
  return s;
}

TEST(Fit, ProductsComeBackByRole) {
  MachineCalibration machine;
  machine.device = "cpu";
  machine.samples = known_machine();
  fit_machine(machine, {}, 1);
  const ComputeCalibration& c = machine.compute->compute;
  const GemmCost truth(known_gemm());

  for (const GemmShape& shape : {GemmShape{256, 256, 256, 1}, GemmShape{64, 1024, 256, 1}}) {
    EXPECT_NEAR(gemm_time(c, Precision::fp32, shape, GemmRole::forward) / truth.burst_time(shape), 1.0, 0.02);
    EXPECT_NEAR(gemm_time(c, Precision::fp32, shape, GemmRole::weight_gradient) / truth.burst_time(shape), 1.25, 0.02);
  }
  const GemmShape between{384, 512, 192, 1};  // measured nowhere
  EXPECT_NEAR(gemm_time(c, Precision::fp32, between) / truth.burst_time(between), 1.0, 0.06);
  EXPECT_GT(c.gemm[static_cast<std::size_t>(Precision::fp32)]->residual.points, 80);
}

TEST(Fit, KernelsHaveTheirOwnCurvesAndOthersThatOfACopy) {
  MachineCalibration machine;
  machine.samples = known_machine();
  fit_machine(machine, {}, 1);
  const ComputeCalibration& c = machine.compute->compute;

  EXPECT_NEAR(kernel_time(c, StreamKernel::gelu, Precision::fp32, Bytes{3e6}).base(), 2e-6 + 3e6 / 5e9, 1e-6);
  EXPECT_NEAR(kernel_time(c, StreamKernel::loss, Precision::fp32, Bytes{3e6}).base(), 1e-6 + 3e6 / 1e10, 1e-6);
  EXPECT_EQ(kernel_time(c, StreamKernel::gelu, Precision::fp32, Bytes{}).base(), 0);
  EXPECT_EQ(kernel_time(c, StreamKernel::gelu, Precision::bf16, Bytes{3e6}), streaming_time(c, Bytes{3e6}));
}

TEST(Fit, MessagesComeBackInMeasuredGroupsAndByTheClosedFormInOthers) {
  MachineCalibration machine;
  machine.samples = known_machine();
  fit_machine(machine, {}, 1);
  LinkCalibration links;
  links.domain = machine.links->domain;
  links.measured = std::make_shared<MeasuredLinks>(machine.links->curves);
  const auto group = [&](std::int64_t ranks) {
    return GroupPlacement{.ranks = ranks,
                          .ranks_per_domain = ranks,
                          .link_bandwidth = machine.links->link,
                          .nic_bandwidth_per_device = machine.links->link,
                          .fabric_latency = {}};
  };

  EXPECT_NEAR(collective_time(links, Collective::all_reduce, Bytes{1e6}, group(4)).base(), 3e-6 + 12e-6 + 1.5e6 / 4e9, 1e-6);
  // 8 ranks were not measured: 3 + 14 * 2 us and 7/4 of the buffer over the link
  EXPECT_NEAR(collective_time(links, Collective::all_reduce, Bytes{1e7}, group(8)) / Seconds{31e-6 + 1.75e7 / 4e9}, 1.0, 0.05);
  ASSERT_FALSE(machine.links->residuals.empty());
  for (const LinkResidual& r : machine.links->residuals) {
    EXPECT_EQ(r.kind, "held-out");
    EXPECT_LT(r.median, 0.01) << r.collective;
  }
}

TEST(Fit, UnstableSamplesAreNotFitted) {
  MachineCalibration machine;
  machine.samples = known_machine();
  for (GemmSample& s : machine.samples.gemm)
    if (s.role == GemmRole::input_gradient) s.time = exactly(s.time.median * 50), s.time.stable = false;
  fit_machine(machine, {}, 1);

  const GemmShape shape{256, 256, 256, 1};
  EXPECT_LT(gemm_time(machine.compute->compute, Precision::fp32, shape) / GemmCost(known_gemm()).burst_time(shape), 1.05);
  for (GemmSample& s : machine.samples.gemm) s.time.stable = false;
  machine.samples.links.clear();
  machine.compute.reset();
  fit_machine(machine, {}, 1);
  EXPECT_FALSE(machine.compute->compute.supports(Precision::fp32));
}

TEST(MeasuredRatios, KeepTheirPointsAndMeetBetweenThem) {
  MeasuredRatios ratios;
  EXPECT_EQ(ratios.at({1, 2, 3, 0}), 1.0);
  ratios.add({6, 6, 6, 0}, 1.2);
  ratios.add({8, 6, 6, 0}, 0.9);

  EXPECT_NEAR(ratios.at({6, 6, 6, 0}), 1.2, 1e-6);
  EXPECT_NEAR(ratios.at({7, 6, 6, 0}), std::sqrt(1.2 * 0.9), 1e-9);
  EXPECT_NEAR(ratios.at({20, 6, 6, 0}), 0.9, 1e-6);
}

TEST(MeasuredCompute, RanksShareProcessorsOnlyBeyondTheirNumber) {
  MeasuredCompute m;
  m.processors = 2;
  EXPECT_EQ(m.ranks_per_processor(1), 1);
  EXPECT_EQ(m.ranks_per_processor(2), 1);
  EXPECT_EQ(m.ranks_per_processor(4), 2);
  m.threads = 2;
  EXPECT_EQ(m.ranks_per_processor(2), 2);
}

}  // namespace
}  // namespace reckon
