// What a measurement of one machine adds to the closed forms: corrections at the measured points, and a curve for each memory-bound kernel.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "calibration/alpha_beta.hpp"
#include "calibration/attention.hpp"
#include "calibration/gemm.hpp"
#include "calibration/stream_kernel.hpp"
#include "catalog/precision.hpp"

namespace reckon {

/// Measured over predicted at scattered shapes.  Between them the logarithm of the ratio is a mean weighted by exp(-d^2 / 2 width^2), d the
/// distance in doublings: a measured shape keeps its own ratio, one between eight measured ones takes their mean, one far outside that of
/// its nearest.  Nadaraya, Theory of Probability and its Applications 9 (1964).
class MeasuredRatios {
 public:
  using Place = std::array<double, 4>;  ///< log2 of the dimensions
  static constexpr double width = 0.3;

  void add(const Place& place, double ratio);
  bool empty() const { return points_.empty(); }
  /// 1 without points.
  double at(const Place& place) const;

 private:
  struct Point {
    Place place;
    double log_ratio;
  };
  std::vector<Point> points_;
};

MeasuredRatios::Place place_of(const GemmShape& shape);
MeasuredRatios::Place place_of(const AttentionShape& shape);

/// Attention of one precision.
struct MeasuredAttention {
  AttentionCost cost;
  MeasuredRatios forward, backward;
};

struct MeasuredCompute {
  std::map<Precision, std::array<MeasuredRatios, gemm_role_names.size()>> gemm;  ///< over GemmCost::burst_time, by role
  std::map<Precision, MeasuredAttention> attention;
  std::map<Precision, std::array<AlphaBetaCurve, num_stream_kernels>> streams;  ///< of traffic in bytes; empty where not measured
  double processors = 1;  ///< of the node: so many ranks of one thread run at full speed
  double threads = 1;     ///< of a rank

  /// How many ranks share the time of one processor when `ranks` of them compute at once: at least 1.
  double ranks_per_processor(double ranks) const { return ranks * threads > processors ? ranks * threads / processors : 1.0; }
};

}  // namespace reckon
