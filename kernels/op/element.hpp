// The numbers that kernels read and write: double (reference only), fp32 and bf16.
//
// Plain C++17, compiled by nvcc as well.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define RECKON_HOST_DEVICE __host__ __device__
#else
#define RECKON_HOST_DEVICE
#endif

namespace reckon {

/// The upper half of an fp32: 1 sign, 8 exponent and 7 fraction bits.
struct Bf16 {
  std::uint16_t bits;
};

namespace detail {
template <class T>
struct ElementFacts {
  using Accumulator = float;
};
template <>
struct ElementFacts<double> {
  using Accumulator = double;
};
}  // namespace detail

/// What sums, statistics and optimiser states are kept in: fp32 for fp32 and bf16, double for double.
template <class T>
using Accumulator = typename detail::ElementFacts<T>::Accumulator;

/// Exact.
RECKON_HOST_DEVICE inline float widen(Bf16 x) {
  const std::uint32_t bits = static_cast<std::uint32_t>(x.bits) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
RECKON_HOST_DEVICE inline float widen(float x) { return x; }
RECKON_HOST_DEVICE inline double widen(double x) { return x; }

/// `narrow<T>(x)`: x rounded to T, to nearest, ties to even; a NaN stays a NaN.
template <class T>
RECKON_HOST_DEVICE inline T narrow(Accumulator<T> x) {
  return x;
}
template <>
RECKON_HOST_DEVICE inline Bf16 narrow<Bf16>(float x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  Bf16 result;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
  return result;
#else
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  // Adding 0x7fff, and one more when the kept part is odd, carries into the kept part exactly when nearest-even rounds up.
  const std::uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const std::uint32_t quiet = (bits >> 16) | 0x40u;
  return Bf16{static_cast<std::uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded)};
#endif
}

}  // namespace reckon
