// Time against size in classes: what a memory-bound kernel or a message takes, where caches and protocols change with the size.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/quantity.hpp"

namespace reckon {

/// One class of sizes, from `from` on:  t = first + (size - from) / rate = alpha + size / rate.  alpha itself is below zero where time grows
/// faster than size, as beyond a cache.
struct AlphaBeta {
  Bytes from;
  Seconds first;  ///< at `from`
  double seconds_per_byte = 0;
};

struct SizedTime {
  Bytes size;
  Seconds time;
};

/// Alpha-beta by size class (Hockney, Parallel Computing 20 (1994), piecewise).
class AlphaBetaCurve {
 public:
  AlphaBetaCurve() = default;
  /// Classes ascending by `from`, the first at 0.  Throws CalibrationError when they are not, or when a number is negative.
  explicit AlphaBetaCurve(std::vector<AlphaBeta> classes);

  bool empty() const { return classes_.empty(); }
  const std::vector<AlphaBeta>& classes() const { return classes_; }
  /// Linear inside a class; 0 for nothing.  Beyond the largest size the last class goes on.
  Seconds time(Bytes size) const;

 private:
  std::vector<AlphaBeta> classes_;
};

/// Least squares of the relative error, alpha and beta not negative, with the number of classes (at most `most_classes`, each of two points or
/// more) chosen by the error that one more class must save: `worth`^2 for every class.  Boundaries lie halfway (geometrically) between points.
/// Throws CalibrationError for no points or a time that is not positive.
AlphaBetaCurve fit_alpha_beta(std::vector<SizedTime> points, int most_classes = 5, double worth = 0.05);

/// Through the points: between neighbours a class of their own, below the first its time, beyond the last the rate of the last two, at most
/// that of the last.  Times that fall with size take the geometric mean with their neighbours first (Ayer et al., Annals of Mathematical
/// Statistics 26 (1955)).  For messages, whose protocol changes every few sizes: half of the sizes predict the others better than fitted
/// classes do (eleven curves among 4 ranks on 2 processors, mean of the median errors 9 against 13 %).  Throws as fit_alpha_beta.
AlphaBetaCurve join_alpha_beta(std::vector<SizedTime> points);

}  // namespace reckon
