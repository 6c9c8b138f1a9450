// The CUDA kernels' and launchers' own source, run by threads of the host: the same checks that a GPU gets, where there is none.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/kernels/emulated_cuda.hpp"

#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/pack.cuh"
#include "tests/kernels/check/all.hpp"

namespace reckon::check {
namespace {

constexpr auto emulated_launch = [](const auto& op) { launch<Backend::cuda>(op, {}); };

TEST(EmulatedCuda, AgreesWithTheReferenceOnAwkwardShapes) {
  HostPlace place;
  int checks = 0;
  check_all_but_products(place, 1, emulated_launch, [&](const std::string& name, const Report& report) {
    EXPECT_TRUE(report.passed()) << name << ": " << report.failure;
    ++checks;
  });
  EXPECT_GT(checks, 600);
}

TEST(EmulatedCuda, TransformerOpsAgreeWithTheReference) {
  HostPlace place;
  int checks = 0;
  check_transformer_ops(place, 1, emulated_launch, [&](const std::string& name, const Report& report) {
    EXPECT_TRUE(report.passed()) << name << ": " << report.failure;
    ++checks;
  }, 500);  // emulated shuffles are slow
  EXPECT_GT(checks, 150);
}

TEST(EmulatedCuda, ScalesWhatAProductOverNothingLeaves) {
  float c[] = {1, 2, 3, 4, 5, NAN};
  scale(c, 5, 0.5f, {});
  EXPECT_EQ(c[0], 0.5f);
  EXPECT_EQ(c[4], 2.5f);
  scale(c, 6, 0.0f, {});
  EXPECT_EQ(c[5], 0.0f);
}

/// The emulator itself: sums over a block, and the report of a barrier that part of a block skips.
__global__ void sum_kernel(const float* values, float* sums) {
  __shared__ float shared[32];
  sums[blockIdx.x * blockDim.x + threadIdx.x] = block_sum(values[threadIdx.x], shared);
}
__global__ void divergent_kernel() {
  if (threadIdx.x < 16) __syncthreads();
}

TEST(EmulatedCuda, SumsOverABlockAndSeesDivergence) {
  std::vector<float> values(96), sums(192);
  float expected = 0;
  for (std::size_t i = 0; i < values.size(); ++i) expected += values[i] = float(i);
  RECKON_LAUNCH((sum_kernel), 2, 96, nullptr, values.data(), sums.data());
  for (const float sum : sums) EXPECT_EQ(sum, expected);
  EXPECT_THROW(RECKON_LAUNCH((divergent_kernel), 1, 32, nullptr), std::logic_error);
}

}  // namespace
}  // namespace reckon::check
