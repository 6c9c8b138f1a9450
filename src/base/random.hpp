// Counter-based random numbers: the n-th number of a stream is a pure function of (seed, stream, n), so that samples may be spread over
// any number of processes without changing one of them.
//
// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3: ten rounds of two
// 32 x 32 -> 64 bit multiplications on a counter of 128 bits, keyed with 64 bits.  Checked against the known answers of the paper's
// reference implementation in tests/base/random_test.cpp.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace reckon {

/// The bijection itself: four words of counter, two of key.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * counter[0], b = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9u;  // golden ratio
    key[1] += 0xBB67AE85u;  // sqrt(3) - 1
  }
  return counter;
}

/// A stream of random numbers.  The seed is the key, the stream the upper half of the counter: streams never overlap.
class Philox {
 public:
  Philox(std::uint64_t seed, std::uint64_t stream)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        stream_{static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)} {}

  /// 32 uniform bits.
  std::uint32_t next() {
    if (used_ == 4) {
      words_ = philox4x32({static_cast<std::uint32_t>(block_), static_cast<std::uint32_t>(block_ >> 32), stream_[0], stream_[1]}, key_);
      ++block_;
      used_ = 0;
    }
    return words_[used_++];
  }

  /// Uniform in [0, 1), 53 bits.
  double uniform() {
    const std::uint64_t high = next() >> 5, low = next() >> 6;
    return static_cast<double>(high << 26 | low) * 0x1p-53;
  }

  /// Standard normal, by the transformation of Box and Muller (1958); numbers come in pairs.
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2.0 * std::log1p(-uniform())), angle = 6.283185307179586477 * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

  /// Exponential with mean 1 / rate; rate > 0.
  double exponential(double rate) { return -std::log1p(-uniform()) / rate; }

 private:
  std::array<std::uint32_t, 2> key_, stream_;
  std::uint64_t block_ = 0;
  std::array<std::uint32_t, 4> words_{};
  std::uint32_t used_ = 4;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace reckon
