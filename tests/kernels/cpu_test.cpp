// The CPU kernels, and the reference's own rounding to fp32 and bf16, against the reference in double.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <omp.h>

#include <map>

#include "kernels/cpu/matmul_tile.hpp"
#include "tests/kernels/check/all.hpp"

namespace reckon::check {
namespace {

constexpr auto on_cpu = [](const auto& op) { launch<Backend::cpu>(op, {}); };
constexpr auto on_reference = [](const auto& op) { launch<Backend::reference>(op, {}); };

/// Sets the number of threads for a scope.
class Threads {
 public:
  explicit Threads(int count) : before_(omp_get_max_threads()) { omp_set_num_threads(count); }
  ~Threads() { omp_set_num_threads(before_); }

 private:
  int before_;
};

constexpr auto expect_passed = [](const std::string& name, const Report& report) { EXPECT_TRUE(report.passed()) << name << ": " << report.failure; };

TEST(CpuKernels, AgreeWithTheReferenceOnAwkwardShapes) {
  HostPlace place;
  const Threads threads(2);
  for (const std::uint64_t seed : {1, 2}) {
    check_all_but_products(place, seed, on_cpu, expect_passed);
    check_transformer_ops(place, seed, on_cpu, expect_passed);
    check_products(place, seed, on_cpu, expect_passed);
  }
}

TEST(CpuKernels, UseAGivenWorkspaceAndNoByteMore) {
  HostPlace place;
  Matmul<float> largest{.m = 173, .n = 263, .k = 401};
  check_products(place, 3, on_cpu, expect_passed, matmul_workspace(Backend::cpu, largest));
}

TEST(CpuKernels, GiveTheSameBitsWithAnyNumberOfThreads) {
  HostPlace place;
  std::map<std::string, std::uint64_t> digests;
  for (const int count : {1, 2, 5}) {
    const Threads threads(count);
    const auto visit = [&](const std::string& name, const Report& report) {
      const auto [at, fresh] = digests.emplace(name, report.digest);
      EXPECT_EQ(at->second, report.digest) << name << " with " << count << " threads";
    };
    check_all_but_products(place, 4, on_cpu, visit);
    check_transformer_ops(place, 4, on_cpu, visit);
    check_products(place, 4, on_cpu, visit);
  }
  EXPECT_GT(digests.size(), 500u);
}

TEST(CpuKernels, EveryRegisterTileMultiplies) {
  MatmulTile tiles[3];
  const int count = matmul_tiles(tiles);
  for (int t = 0; t < count; ++t) {
    const MatmulTile tile = tiles[t];
    const std::int64_t k = 37;
    std::vector<float> a(static_cast<std::size_t>(k * tile.rows)), b(static_cast<std::size_t>(k * tile.columns));
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = float(i % 7) - 3;  // small integers: every sum is exact
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = float(i % 5) - 2;
    std::vector<float> c(static_cast<std::size_t>(tile.rows * tile.columns), 10.0f);

    tile.multiply(k, a.data(), b.data(), c.data(), tile.columns, true);

    for (int i = 0; i < tile.rows; ++i) {
      for (int j = 0; j < tile.columns; ++j) {
        float expected = 10.0f;
        for (std::int64_t l = 0; l < k; ++l) expected += a[static_cast<std::size_t>(l * tile.rows + i)] * b[static_cast<std::size_t>(l * tile.columns + j)];
        ASSERT_EQ(c[static_cast<std::size_t>(i * tile.columns + j)], expected) << tile.rows << "x" << tile.columns << " at " << i << ", " << j;
      }
    }
  }
}

TEST(ReferenceKernels, RoundOnceToTheirType) {
  HostPlace place;
  check_all_but_products(place, 5, on_reference, expect_passed);
  check_transformer_ops(place, 5, on_reference, expect_passed);
  check_products(place, 5, on_reference, expect_passed);
}

TEST(Elements, RoundToNearestEvenInBf16) {
  EXPECT_EQ(narrow<Bf16>(1.0f).bits, 0x3f80);
  EXPECT_EQ(narrow<Bf16>(1.00390625f).bits, 0x3f80);  // 1 + 2^-8, half way: to even
  EXPECT_EQ(narrow<Bf16>(1.01171875f).bits, 0x3f82);  // 1 + 3 2^-8, half way: to even, upwards
  EXPECT_EQ(narrow<Bf16>(1.00390637f).bits, 0x3f81);  // just above half way
  EXPECT_EQ(narrow<Bf16>(-3.4028235e38f).bits, 0xff80);  // beyond the largest bf16: infinity
  EXPECT_TRUE(std::isnan(widen(narrow<Bf16>(NAN))));
  EXPECT_TRUE(std::isinf(widen(narrow<Bf16>(INFINITY))));
}

TEST(CpuKernels, CarryNansAndInfinitiesThrough) {
  const float x[] = {NAN, INFINITY, -1e4f, 1e4f};
  float out[4], up[] = {1, 1, 1, 1};
  launch<Backend::cpu>(GeluForward<float>{.count = 4, .x = x, .out = out}, {});
  EXPECT_TRUE(std::isnan(out[0]));
  EXPECT_EQ(out[1], INFINITY);
  EXPECT_NEAR(out[2], 0.0f, 1e-30f);
  EXPECT_EQ(out[3], 1e4f);
  launch<Backend::cpu>(SwigluForward<float>{.rows = 1, .columns = 4, .stride = 4, .gate = x, .up = up, .out = out}, {});
  EXPECT_TRUE(std::isnan(out[0]));
  EXPECT_EQ(out[1], INFINITY);
  EXPECT_NEAR(out[2], 0.0f, 1e-30f);
  EXPECT_EQ(out[3], 1e4f);
}

TEST(CpuKernels, RefuseBrokenPromises) {
  EXPECT_THROW(launch<Backend::cpu>(GeluForward<float>{.count = -1}, {}), InternalError);
  EXPECT_THROW(launch<Backend::cpu>(SwigluForward<float>{.rows = 1, .columns = 4, .stride = 3}, {}), InternalError);
  EXPECT_THROW(launch<Backend::cpu>(RmsNormBackward<float>{.rows = 1, .columns = 4}, {}), InternalError);  // no workspace
  EXPECT_THROW(launch<Backend::cpu>(Matmul<float>{.m = 2, .n = 2, .k = 2, .lda = 1}, {}), InternalError);
}

}  // namespace
}  // namespace reckon::check
