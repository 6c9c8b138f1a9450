// Time of a matrix product on one device: tiles, waves of tiles, the k-loop, memory traffic and the power-limited clock.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"

namespace reckon {

/// C[m, n] += A[m, k] B[k, n], `batch` times in one launch.  Doubles, because a sharded dimension may be fractional.
/// A grouped product (mixture of experts) is a batch of experts with the rows of one expert as m.
struct GemmShape {
  double m = 0, n = 0, k = 0, batch = 1;
  /// Share of the values of A (m x k) and of B (k x n) that lie in memory: below 1 for the image of a convolution as an implicit product,
  /// whose pixels stand under several positions of the kernel.
  double held_a = 1, held_b = 1;
  bool operator==(const GemmShape&) const = default;
};

inline constexpr Flops flops_of(const GemmShape& s) { return Flops(2.0 * s.m * s.n * s.k * s.batch); }

/// Which of a linear layer's three products: their operands lie differently in memory (weights are (out, in)), and a library may be
/// faster at one than at another.
enum class GemmRole : std::uint8_t {
  forward,         ///< y = x W^T: rows x out, over in
  input_gradient,  ///< dx = dy W: rows x in, over out
  weight_gradient  ///< dW = dy^T x: out x in, over rows; the result in fp32
};
inline constexpr std::array<std::string_view, 3> gemm_role_names{"forward", "input_gradient", "weight_gradient"};
constexpr std::string_view name_of(GemmRole role) { return gemm_role_names[static_cast<std::size_t>(role)]; }

/// A product as a library is asked for it.
struct GemmCase {
  GemmRole role = GemmRole::forward;
  GemmShape shape;
  bool operator==(const GemmCase&) const = default;
};

/// The other two products of a linear layer whose forward product is `forward`: rows x out over in.  Of a convolution with `taps` kernel
/// positions `in` is channels x taps, and the gradient of its m held_a taps input pixels sums over outputs x positions in the same way.
inline constexpr GemmShape input_gradient_of(const GemmShape& forward, double taps = 1) {
  return {forward.m * forward.held_a * taps, forward.k / taps, forward.n / forward.held_a, forward.batch, 1.0 / taps};
}
inline constexpr GemmShape weight_gradient_of(const GemmShape& forward) { return {forward.n, forward.k, forward.m, forward.batch, 1.0, forward.held_a}; }

/// The block of C that one or a pair of multiprocessors computes at a time.
struct GemmTile {
  double m = 128, n = 128;
  double multiprocessors = 1;  ///< 2 for the paired tiles of Blackwell
};

/// What the power limit does to a product that keeps the matrix units busy.  u is the rate that the full clock would give over the
/// data-sheet peak.
///
///   t_sustained = t (1 + (duty u / knee)^8)^(exponent / 8)
///
/// Below the knee the limit is not reached and nothing happens; far above it time grows as u^exponent: 1 would be a cap on the rate
/// itself, a governor that lowers voltage with the clock (power ~ clock^3) gives 1/3.
///
/// `duty` is the share of the time that matrix units are busy in the run meant: the governor sees the mean power.
/// A kernel measured alone for a moment runs before the governor reacts: its u counts t^2 / (t^2 + settling^2) times, with t the time
/// of one launch (the published tables repeat each shape a fixed number of times).
struct PowerLimit {
  double knee = 1.0;
  double exponent = 0.5;
  double duty = 1.0;
  Seconds settling;
};

struct GemmParameters {
  FlopsPerSecond peak;  ///< data-sheet dense rate
  FlopsPerSecond rate;  ///< all multiprocessors inside the k-loop of a very large tile, before the power limit
  double multiprocessors = 1;
  std::vector<GemmTile> tiles;   ///< what the library can choose from
  double tile_penalty = 0;       ///< loss of small tiles: efficiency 1 / (1 + penalty (128/tm + 128/tn - 1))
  double k_overhead = 0;         ///< prologue and epilogue of a tile, in steps of k
  double wave_quantisation = 1;  ///< share of the idle last wave that is really lost, 0..1
  double split_overhead = 1e4;   ///< steps of k after which splitting the last wave pays; at least k_overhead
  BytesPerSecond bandwidth;      ///< compulsory traffic: what is held of the operands read once, result written once
  double operand_bytes = 2, result_bytes = 2;
  Seconds launch;           ///< start and drain of the kernel, in a CUDA graph
  double misalignment = 1;  ///< slowdown when a row of an operand is only 4-byte aligned; 1 = none
  PowerLimit power;
};

/// A closed form with everything that does not depend on the shape worked out in advance (about 100 ns a call).
///
///   w      = ceil(m/tm) ceil(n/tn) batch / slots                                   waves of tiles
///   lost   = harmonic(wave_quantisation (ceil(w) - w), split_overhead / k)         idle last wave, or the price of splitting it
///   t_tile = 2 tm tn (k + k_overhead) / (rate / multiprocessors * tile efficiency)
///   t      = ((min over tiles of (w + lost) t_tile)^4 + (traffic / bandwidth)^4)^(1/4) * alignment + launch
///
/// and the power limit on top.  harmonic(a, b) = a b / (a + b).  Non-decreasing in each of m, n, k, batch, apart from the step
/// at a misaligned dimension.
class GemmCost {
 public:
  GemmCost() = default;
  /// Throws CalibrationError when a parameter is outside its physical range.
  explicit GemmCost(GemmParameters parameters);

  /// In a long run: the clock is where the power limit puts it.  Zero for an empty product.
  Seconds sustained_time(const GemmShape& shape) const;
  /// Alone on a cool device, as the published tables measured it: short kernels keep the burst clock.
  Seconds burst_time(const GemmShape& shape) const;

  const GemmParameters& parameters() const { return parameters_; }
  /// Sustained over burst rate of a very large product: what a long run costs, in (0, 1].
  double sustained_fraction() const;

 private:
  struct TileCost {
    double inverse_m, inverse_n, inverse_slots, seconds_per_k;
  };
  double unlimited(const GemmShape& shape) const;

  GemmParameters parameters_;
  std::vector<TileCost> tiles_;
};

/// Slowdown by the alignment of a row of `elements` values of `element_bytes` each: 1 from 16 bytes on, misalignment at 4 bytes, its root
/// at 8, its power 5/2 below: padding nanoGPT's 50,257 rows to 50,304 made an A100 about a quarter faster (A. Karpathy,
/// x.com/karpathy/status/1621578354024677377, 2023-02), a head 2.6 to 3 times as slow.  A fractional dimension (uneven shards) counts as
/// aligned.
double alignment_slowdown(double misalignment, double elements, double element_bytes);

}  // namespace reckon
