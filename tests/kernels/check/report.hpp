// The verdict of a check: each output element against the reference in double, within the rounding that its arithmetic may have.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/kernels/check/operand.hpp"

namespace reckon::check {

/// Unit roundoff of a type: half the distance of neighbours at 1.
template <class T>
constexpr double roundoff() {
  if constexpr (std::is_same_v<T, Bf16>) return 0x1p-8;
  return std::is_same_v<T, double> ? 0x1p-53 : 0x1p-24;
}

/// What sums of n terms in Accumulator<T> may lose, relative to the sum of their magnitudes.  The worst case is n u; rounding errors of
/// either sign grow with sqrt(n) (Higham, Mashayek 2019, SIAM J. Sci. Comput. 41(5)), and 8 covers the operations on each term.
template <class T>
double accumulated(double n) {
  return (8 + 2 * std::sqrt(n)) * roundoff<Accumulator<T>>();
}

struct Report {
  double worst = 0;      ///< largest error over its tolerance; at most 1 passes
  std::string failure;   ///< the first element that is wrong, or a broken guard; empty = passed
  std::uint64_t digest = 0xcbf29ce484222325u;  ///< of all compared bits (FNV-1a): equal bits, equal digests

  bool passed() const { return failure.empty(); }

  /// got[i] within tolerance[i] of expected[i]; a NaN is wrong unless it is expected.
  void compare(const char* output, const std::vector<double>& got, const std::vector<double>& expected, const std::vector<double>& tolerance) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (std::isnan(expected[i]) && std::isnan(got[i])) continue;
      const double error = std::abs(got[i] - expected[i]);
      if (error == 0) continue;
      if (error <= tolerance[i]) {
        worst = std::max(worst, error / tolerance[i]);
        continue;
      }
      worst = INFINITY;
      if (failure.empty()) {
        char text[200];
        std::snprintf(text, sizeof text, "%s[%zu] is %.9g, the reference says %.9g, tolerance %.3g", output, i, got[i], expected[i], tolerance[i]);
        failure = text;
      }
    }
  }

  /// As above for an operand of type T: its guards hold, and its final rounding is allowed on top of `tolerance`.
  template <class T>
  void compare(const char* output, const Operand<T>& got, const std::vector<double>& expected, std::vector<double> tolerance) {
    if (!got.guarded() && failure.empty()) failure = std::string("memory beside ") + output + " was written";
    for (std::size_t i = 0; i < expected.size(); ++i) {
      tolerance[i] += roundoff<T>() * (std::abs(expected[i]) + tolerance[i]) + tiny;
    }
    compare(output, got.values(), expected, tolerance);
    for (const unsigned char byte : got.bytes_now()) digest = (digest ^ byte) * 0x100000001b3u;
  }

  /// Results below the smallest normal fp32 may be flushed to zero.
  static constexpr double tiny = 0x1p-126;
};

/// Where operands lie and how they are drawn.
struct Setting {
  std::uint64_t seed = 1;
  std::size_t offset = 0;  ///< elements behind a 256-byte boundary
};

}  // namespace reckon::check
