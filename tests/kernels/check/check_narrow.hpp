// Checks of fp16 and fp8 products.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/narrow_matmul.hpp"
#include "tests/kernels/check/report.hpp"

namespace reckon::check {
template <>
constexpr double roundoff<F16>() {
  return 0x1p-11;
}
}  // namespace reckon::check

#include "tests/kernels/check/check_matmul.hpp"

namespace reckon::check {

/// `visit(name, report)` after each.
template <class Launch, class Visit>
void check_narrow_products(Place& place, std::uint64_t seed, const Launch& launch, const Visit& visit, std::size_t workspace = 0) {
  const auto named = [](const char* type, const MatmulShape& s) {
    return std::string("matmul ") + type + " " + std::to_string(s.m) + " " + std::to_string(s.n) + " " + std::to_string(s.k);
  };
  for (const MatmulShape& s : {MatmulShape{.m = 8, .n = 16, .k = 24, .transpose_b = true}, {.m = 40, .n = 64, .k = 96, .transpose_a = true}, {.m = 128, .n = 256, .k = 384},
                              {.m = 24, .n = 48, .k = 64, .batch = 3, .transpose_a = true, .transpose_b = true, .alpha = 0.5, .beta = 1}}) {
    visit(named("fp16", s), check_matmul<F16, F16>(place, s, {seed, 0}, launch, workspace));
    visit(named("fp16 -> fp32", s), check_matmul<F16, float>(place, s, {seed, 0}, launch, workspace));
  }
  // Sums of fp8 products keep fewer bits than fp32 in the hardware: 10 are asked for, as of tf32 operands.
  for (const MatmulShape& s : {MatmulShape{.m = 16, .n = 16, .k = 16, .transpose_b = true}, {.m = 48, .n = 80, .k = 112, .transpose_b = true, .alpha = 0.25},
                              {.m = 128, .n = 256, .k = 512, .transpose_b = true}}) {
    visit(named("fp8 -> bf16", s), check_matmul<F8, Bf16>(place, s, {seed, 0}, launch, workspace, true));
    visit(named("fp8 -> fp32", s), check_matmul<F8, float>(place, s, {seed, 0}, launch, workspace, true));
  }
}

}  // namespace reckon::check
