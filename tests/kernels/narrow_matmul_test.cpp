// fp16 and fp8: their numbers, and what the CUDA product asks of cuBLASLt for them, answered by a library of host loops.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "runtime/device_blas.hpp"
#include "tests/kernels/check/check_narrow.hpp"

namespace reckon::check {
namespace {

TEST(NarrowElements, EveryNumberComesBack) {
  for (int bits = 0; bits < 65536; ++bits) {
    const F16 x{std::uint16_t(bits)};
    if (std::isnan(widen(x))) continue;
    ASSERT_EQ(narrow<F16>(widen(x)).bits, x.bits) << bits;
  }
  for (int bits = 0; bits < 256; ++bits) {
    const F8 x{std::uint8_t(bits)};
    if (std::isnan(widen(x))) continue;
    ASSERT_EQ(narrow<F8>(widen(x)).bits, x.bits) << bits;
  }
}

TEST(NarrowElements, RoundToNearestEven) {
  EXPECT_EQ(widen(narrow<F16>(1.0f)), 1.0f);
  EXPECT_EQ(widen(narrow<F16>(1.0f + 0x1p-11f)), 1.0f);                  // half way: to even
  EXPECT_EQ(widen(narrow<F16>(1.0f + 3 * 0x1p-11f)), 1.0f + 0x1p-9f);    // half way: to even, upwards
  EXPECT_EQ(widen(narrow<F16>(2047.75f)), 2048.0f);                      // into the next power of two
  EXPECT_EQ(widen(narrow<F16>(0x1p-25f)), 0.0f);
  EXPECT_EQ(widen(narrow<F16>(65519.0f)), 65504.0f);
  EXPECT_TRUE(std::isinf(widen(narrow<F16>(65520.0f))));
  EXPECT_TRUE(std::isnan(widen(narrow<F16>(NAN))));
  EXPECT_EQ(widen(narrow<F8>(448.0f)), 448.0f);
  EXPECT_EQ(widen(narrow<F8>(-1e9f)), -448.0f);
  EXPECT_EQ(widen(narrow<F8>(1.0625f)), 1.0f);                           // half way between 1 and 1.125: to even
  EXPECT_EQ(widen(narrow<F8>(1.1875f)), 1.25f);
  EXPECT_EQ(widen(narrow<F8>(15.6f)), 16.0f);
  EXPECT_EQ(widen(narrow<F8>(0x1p-9f)), 0x1p-9f);                        // the smallest
  EXPECT_TRUE(std::isnan(widen(narrow<F8>(NAN))));
}

TEST(NarrowMatmul, CublasLtIsAskedForTheProductThatIsMeant) {
  BlasLibrary library({RECKON_FAKE_CUBLASLT});
  ASSERT_EQ(library.absence, "");
  HostPlace place;
  int products = 0;
  check_narrow_products(
      place, 1, [&](const auto& op) { launch<Backend::cuda>(op, {nullptr, &library}); },
      [&](const std::string& name, const Report& report) {
        EXPECT_TRUE(report.passed()) << name << ": " << report.failure;
        ++products;
      });
  EXPECT_EQ(products, 14);
}

TEST(NarrowMatmul, RefusesWhatTheHardwareCannot) {
  BlasLibrary library({RECKON_FAKE_CUBLASLT});
  F8 x{};
  float c = 0;
  EXPECT_THROW(launch<Backend::cuda>(Matmul<F8, float>{.m = 16, .n = 16, .k = 16, .a = &x, .b = &x, .c = &c}, {nullptr, &library}), InternalError);
  EXPECT_THROW(launch<Backend::cuda>(Matmul<F8, float>{.m = 16, .n = 16, .k = 17, .transpose_b = true, .a = &x, .b = &x, .c = &c}, {nullptr, &library}), InternalError);
}

}  // namespace
}  // namespace reckon::check
