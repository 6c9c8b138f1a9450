// Interpolation between measured shapes.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/measured_compute.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace reckon {
namespace {

double doublings(double value) { return std::log2(std::max(value, 1e-6)); }

double squared_distance(const MeasuredRatios::Place& a, const MeasuredRatios::Place& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

}  // namespace

void MeasuredRatios::add(const Place& place, double ratio) { points_.push_back({place, std::log(ratio)}); }

double MeasuredRatios::at(const Place& place) const {
  if (points_.empty()) return 1.0;
  double nearest = std::numeric_limits<double>::infinity();
  for (const Point& p : points_) nearest = std::min(nearest, squared_distance(p.place, place));
  double sum = 0, weights = 0;
  for (const Point& p : points_) {
    const double beyond = squared_distance(p.place, place) - nearest;
    if (beyond > 30 * width * width) continue;
    const double weight = std::exp(-beyond / (2 * width * width));
    weights += weight;
    sum += weight * p.log_ratio;
  }
  return std::exp(sum / weights);
}

MeasuredRatios::Place place_of(const GemmShape& s) { return {doublings(s.m), doublings(s.n), doublings(s.k), doublings(s.batch)}; }

MeasuredRatios::Place place_of(const AttentionShape& s) {
  // a batch of sequences and their heads are alike; queries and keys of equal number are the usual case, their ratio the odd one
  return {doublings(s.batch * s.heads), doublings(s.seq_q), 2.0 * doublings(s.seq_kv / std::max(s.seq_q, 1.0)), doublings(s.head_dim)};
}

}  // namespace reckon
