// Numbers for operands: the same on every machine, different for every seed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace reckon::check {

/// The value that belongs to (seed, index): uniform in [-1, 1).  Mixing after Steele, Lea, Flood 2014 (SplitMix64).
inline double uniform(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = (seed + 1) * 0x9e3779b97f4a7c15u + index * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-52 - 1.0;
}

}  // namespace reckon::check
