// How the CPU kernels reach the vector units: one function body, compiled for several instruction sets, chosen when the program loads.
//
// OpenMP's parallel regions stay outside such functions: the compiler outlines their bodies without the instruction set.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/op/element.hpp"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RECKON_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RECKON_CLONES
#endif
#define RECKON_INLINE inline __attribute__((always_inline))

namespace reckon {

/// e^x in fp32, without branches, so that loops over it vectorise.  Relative error below 2^-22 for |x| <= 87; beyond, e^(+-87).
///
/// x = n ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts so that n ln 2 is exact where it matters; e^r by its Taylor series to r^7
/// (the remainder is below r^8 / 8! = 6e-9); 2^n by the exponent bits.
RECKON_INLINE float fast_exp(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 87.0f ? 87.0f : x;
  constexpr float to_integer = 12582912.0f;  // 1.5 * 2^23: adding it leaves no room for a fraction
  const float shifted = x * 1.44269504088896f + to_integer;
  const float n = shifted - to_integer;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float series = 1.0f / 5040;
  series = series * r + 1.0f / 720;
  series = series * r + 1.0f / 120;
  series = series * r + 1.0f / 24;
  series = series * r + 1.0f / 6;
  series = series * r + 0.5f;
  series = series * r + 1.0f;
  series = series * r + 1.0f;
  std::int32_t exponent;
  std::memcpy(&exponent, &shifted, sizeof exponent);
  const std::int32_t bits = (exponent - 0x4b400000 + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return series * power;
}

RECKON_INLINE float fast_sigmoid(float x) { return 1.0f / (1.0f + fast_exp(-x)); }

/// Calls body(first, last) for pieces of [0, count), in parallel when there is enough to do.  Pieces do not depend on the threads.
template <class Body>
void for_each_piece(std::int64_t count, std::int64_t piece, const Body& body) {
  const std::int64_t pieces = (count + piece - 1) / piece;
#pragma omp parallel for schedule(static) if (pieces > 1)
  for (std::int64_t i = 0; i < pieces; ++i) body(i * piece, std::min(count, (i + 1) * piece));
}

/// Elements that one piece of an element-wise op covers: tens of microseconds of work.
inline constexpr std::int64_t elements_in_piece = std::int64_t(1) << 15;

/// Rows in a piece of the same size.
inline std::int64_t rows_in_piece(std::int64_t columns) { return std::max<std::int64_t>(1, elements_in_piece / std::max<std::int64_t>(1, columns)); }

}  // namespace reckon
