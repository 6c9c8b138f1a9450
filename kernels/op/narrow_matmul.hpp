// Products of fp16 and fp8 operands: on CUDA, through cuBLASLt, and in the reference.
//
// fp8 is E4M3 as the hardware has it: 4 exponent bits (bias 7), 3 fraction bits, no infinity, largest 448 (Micikevicius et al. 2022,
// arXiv 2209.05433).  Scales of whole tensors go into alpha.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "kernels/op/matmul.hpp"

namespace reckon {

/// IEEE binary16: 1 sign, 5 exponent and 10 fraction bits.
struct F16 {
  std::uint16_t bits;
};
/// E4M3: 1 sign, 4 exponent and 3 fraction bits.
struct F8 {
  std::uint8_t bits;
};

/// Exact.
inline float widen(F16 x) {
  const int exponent = x.bits >> 10 & 31, fraction = x.bits & 1023;
  const float size = exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                     : exponent == 0 ? std::ldexp(float(fraction), -24)
                                     : std::ldexp(float(fraction + 1024), exponent - 25);
  return (x.bits & 0x8000) != 0 ? -size : size;
}
inline float widen(F8 x) {
  const int exponent = x.bits >> 3 & 15, fraction = x.bits & 7;
  const float size = (x.bits & 0x7f) == 0x7f ? NAN
                     : exponent == 0         ? std::ldexp(float(fraction), -9)
                                             : std::ldexp(float(fraction + 8), exponent - 10);
  return (x.bits & 0x80) != 0 ? -size : size;
}

/// To nearest, ties to even; beyond the largest, infinity (fp16) or the largest (fp8, as the hardware's saturating conversion).
template <>
inline F16 narrow<F16>(float x) {
  const std::uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  const float size = std::abs(x);
  if (std::isnan(x)) return {std::uint16_t(sign | 0x7e00)};
  if (size >= 65520.0f) return {std::uint16_t(sign | 0x7c00)};
  if (size < 0x1p-14f) return {std::uint16_t(sign | int(std::nearbyint(size * 0x1p24f)))};
  const int exponent = std::ilogb(size), fraction = int(std::nearbyint(std::ldexp(size, 10 - exponent)));  // 1024 .. 2048
  return {std::uint16_t(sign | (((exponent + 15) << 10) + fraction - 1024))};
}
template <>
inline F8 narrow<F8>(float x) {
  const std::uint8_t sign = std::signbit(x) ? 0x80 : 0;
  const float size = std::abs(x);
  if (std::isnan(x)) return {std::uint8_t(sign | 0x7f)};
  if (size < 0x1p-6f) return {std::uint8_t(sign | int(std::nearbyint(size * 0x1p9f)))};
  if (size >= 448.0f) return {std::uint8_t(sign | 0x7e)};
  const int exponent = std::ilogb(size), fraction = int(std::nearbyint(std::ldexp(size, 3 - exponent)));  // 8 .. 16
  return {std::uint8_t(sign | (((exponent + 7) << 3) + fraction - 8))};
}

/// Products of fp8 want a as rows and b as the rows of its transpose (x W^T), k and n multiples of 16: what the hardware multiplies.
RECKON_LAUNCHER(reference, Matmul<F16>);
RECKON_LAUNCHER(reference, Matmul<F16, float>);
RECKON_LAUNCHER(reference, Matmul<F8, Bf16>);
RECKON_LAUNCHER(reference, Matmul<F8, float>);
RECKON_LAUNCHER(cuda, Matmul<F16>);
RECKON_LAUNCHER(cuda, Matmul<F16, float>);
RECKON_LAUNCHER(cuda, Matmul<F8, Bf16>);
RECKON_LAUNCHER(cuda, Matmul<F8, float>);

}  // namespace reckon
