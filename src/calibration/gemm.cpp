// Matrix products: the closed form of gemm.hpp.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/gemm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace reckon {
namespace {

void require(bool holds, const char* what) {
  if (!holds) throw CalibrationError(std::string("GEMM calibration: ") + what);
}

void validate(const GemmParameters& p) {
  require(p.peak.base() > 0 && p.rate.base() > 0, "peak and rate must be positive");
  require(p.multiprocessors >= 1 && !p.tiles.empty(), "multiprocessors and tiles must be given");
  for (const auto& tile : p.tiles) require(tile.m > 0 && tile.n > 0 && tile.multiprocessors >= 1, "a tile must have a positive size");
  require(p.tile_penalty >= 0 && p.tile_penalty < 1, "tile_penalty must lie in [0, 1)");
  require(p.wave_quantisation >= 0 && p.wave_quantisation <= 1, "wave_quantisation must lie in [0, 1]");
  require(p.k_overhead >= 0 && p.split_overhead >= p.k_overhead, "split_overhead must not be below k_overhead");
  require(p.bandwidth.base() > 0 && p.operand_bytes > 0 && p.result_bytes > 0, "bandwidth and sizes must be positive");
  require(p.launch.base() >= 0 && p.misalignment >= 1, "launch must not be negative, misalignment not below 1");
  require(p.power.knee > 0 && p.power.exponent >= 0 && p.power.exponent <= 1, "power knee must be positive, exponent in [0, 1]");
  require(p.power.duty >= 0 && p.power.duty <= 1 && p.power.settling.base() >= 0, "power duty must lie in [0, 1], settling not below 0");
}

double fourth_power_sum(double a, double b) {
  const double a2 = a * a, b2 = b * b;
  return std::sqrt(std::sqrt(a2 * a2 + b2 * b2));
}

/// The slowdown of PowerLimit at utilisation `u`.
double power_slowdown(const PowerLimit& power, double u) {
  const double x = u / power.knee, x2 = x * x, x4 = x2 * x2;
  const double y = 1.0 + x4 * x4;
  return power.exponent == 0.5 ? std::sqrt(std::sqrt(std::sqrt(std::sqrt(y)))) : std::pow(y, power.exponent / 8.0);
}

}  // namespace

double alignment_slowdown(double misalignment, double elements, double element_bytes) {
  const double row = elements * element_bytes;
  if (misalignment == 1.0 || elements != std::floor(elements) || row != std::floor(row)) return 1.0;
  const auto remainder = static_cast<int>(std::fmod(row, 16.0));
  if (remainder == 0) return 1.0;
  if (remainder % 8 == 0) return std::sqrt(misalignment);
  if (remainder % 4 == 0) return misalignment;
  return misalignment * misalignment * std::sqrt(misalignment);
}

GemmCost::GemmCost(GemmParameters parameters) : parameters_(std::move(parameters)) {
  validate(parameters_);
  const double rate = parameters_.rate.base() / parameters_.multiprocessors;
  for (const auto& tile : parameters_.tiles) {
    const double efficiency = 1.0 / (1.0 + parameters_.tile_penalty * (128.0 / tile.m + 128.0 / tile.n - 1.0));
    tiles_.push_back({1.0 / tile.m, 1.0 / tile.n, tile.multiprocessors / parameters_.multiprocessors,
                      2.0 * tile.m * tile.n / (rate * tile.multiprocessors * efficiency)});
  }
}

double GemmCost::unlimited(const GemmShape& s) const {
  const auto& p = parameters_;
  double compute = std::numeric_limits<double>::infinity();
  for (const auto& tile : tiles_) {
    const double waves = std::ceil(s.m * tile.inverse_m) * std::ceil(s.n * tile.inverse_n) * s.batch * tile.inverse_slots;
    const double idle = p.wave_quantisation * (std::ceil(waves) - waves);
    const double lost = idle * p.split_overhead / (idle * s.k + p.split_overhead);
    compute = std::min(compute, (waves + lost) * tile.seconds_per_k);
  }
  compute *= s.k + p.k_overhead;
  const double traffic = s.batch * ((s.m * s.held_a + s.n * s.held_b) * s.k * p.operand_bytes + s.m * s.n * p.result_bytes);
  double time = fourth_power_sum(compute, traffic / p.bandwidth.base());
  time *= std::max(alignment_slowdown(p.misalignment, s.n, p.operand_bytes), alignment_slowdown(p.misalignment, s.k, p.operand_bytes));
  return time + p.launch.base();
}

Seconds GemmCost::sustained_time(const GemmShape& shape) const {
  const double work = flops_of(shape).base();
  if (!(work > 0)) return Seconds(0);
  const double time = unlimited(shape);
  return Seconds(time * power_slowdown(parameters_.power, parameters_.power.duty * work / (time * parameters_.peak.base())));
}

Seconds GemmCost::burst_time(const GemmShape& shape) const {
  const double work = flops_of(shape).base();
  if (!(work > 0)) return Seconds(0);
  const double time = unlimited(shape);
  const double settling = parameters_.power.settling.base();
  const double heated = time * time / (time * time + settling * settling);
  return Seconds(time * power_slowdown(parameters_.power, heated * work / (time * parameters_.peak.base())));
}

double GemmCost::sustained_fraction() const {
  return 1.0 / power_slowdown(parameters_.power, parameters_.power.duty * (parameters_.rate / parameters_.peak));
}

}  // namespace reckon
