// Measures what a device computes: products by shape and role, attention, memory-bound kernels by size.  Results are checked as they are made.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "calibration/samples.hpp"
#include "measure/bench.hpp"

namespace reckon::measure {

/// What is measured.
struct ComputePlan {
  std::vector<Precision> precisions{Precision::fp32, Precision::bf16};
  std::vector<std::int64_t> gemm_sides{64, 128, 256, 512, 1024, 2048};  ///< of m, n and k, each with each
  double largest_gemm = 0x1p31;                                         ///< FLOP of one product at most
  std::vector<GemmCase> products;           ///< and these, whole sides, one at a time
  std::vector<AttentionShape> attentions;   ///< and these
  std::vector<std::int64_t> attention_heads{4, 16}, attention_lengths{32, 64, 128, 256, 512}, head_dims{32, 64, 128};
  std::vector<std::int64_t> stream_values{std::int64_t{1} << 9,  std::int64_t{1} << 12, std::int64_t{1} << 14, std::int64_t{1} << 16,
                                          std::int64_t{1} << 18, std::int64_t{1} << 20, std::int64_t{1} << 22};
  std::size_t arena = std::size_t{96} << 20;  ///< bytes of operands, and as many of results; more where one measurement needs it
};
/// Few points, for a first look and for tests.
ComputePlan quick_compute_plan();
/// Sizes that fill a GPU.
ComputePlan device_compute_plan();

/// How many measurements a plan holds.
std::int64_t count_of(const ComputePlan& plan);

/// Measures the plan into `samples`; `advance` is called after each measurement.  Collective over the bench's crew.
/// Throws DeviceError for a wrong result.
void measure_compute(const Bench& bench, const ComputePlan& plan, Samples& samples, const std::function<void()>& advance);

// One file each: gemm_run.cpp, stream_run.cpp.
void measure_gemm(const Bench& bench, const ComputePlan& plan, const Arena& inputs, const Arena& outputs, Samples& samples,
                  const std::function<void()>& advance);
void measure_streams(const Bench& bench, const ComputePlan& plan, const Arena& inputs, const Arena& outputs, Samples& samples,
                     const std::function<void()>& advance);
std::int64_t count_of_gemm(const ComputePlan& plan);
std::int64_t count_of_streams(const ComputePlan& plan);
/// Bytes of the largest operand or result.
std::size_t room_of_gemm(const ComputePlan& plan);

}  // namespace reckon::measure
