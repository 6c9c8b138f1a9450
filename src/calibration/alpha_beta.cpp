// Fits alpha-beta classes by dynamic programming over the boundaries.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/alpha_beta.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace reckon {
namespace {

struct Line {
  double alpha = 0, beta = 0, error = 0;
};

/// The line through points [first, last) that keeps the sum of squared relative errors least, with neither constant negative.
Line line_through(const std::vector<SizedTime>& p, std::size_t first, std::size_t last) {
  double w = 0, wx = 0, wxx = 0, wy = 0, wxy = 0;
  for (std::size_t i = first; i < last; ++i) {
    const double x = p[i].size.base(), t = p[i].time.base(), weight = 1.0 / (t * t);
    w += weight, wx += weight * x, wxx += weight * x * x, wy += weight * t, wxy += weight * x * t;
  }
  Line out;
  const double determinant = w * wxx - wx * wx;
  if (determinant > 1e-12 * w * wxx) {
    out.beta = (w * wxy - wx * wy) / determinant;
    out.alpha = (wy - out.beta * wx) / w;
  } else {
    out.alpha = wy / w;
  }
  if (out.alpha < 0) out.alpha = 0, out.beta = wxx > 0 ? wxy / wxx : 0;
  if (out.beta < 0) out.beta = 0, out.alpha = wy / w;
  for (std::size_t i = first; i < last; ++i) {
    const double relative = (out.alpha + out.beta * p[i].size.base()) / p[i].time.base() - 1.0;
    out.error += relative * relative;
  }
  return out;
}

/// The points in order.  Throws for none, and for one without time or size.
std::vector<SizedTime> by_size(std::vector<SizedTime> p) {
  std::sort(p.begin(), p.end(), [](const SizedTime& a, const SizedTime& b) { return a.size < b.size; });
  if (p.empty()) throw CalibrationError("no measurements to fit");
  for (const SizedTime& point : p)
    if (!(point.time > Seconds{} && point.size > Bytes{})) throw CalibrationError("a measurement of no time or no size");
  return p;
}

/// Neighbours that take the same time.
struct Level {
  double log_time = 0, points = 0;
  std::vector<Bytes> sizes;
};

/// Times that never fall with size, nearest to the points' in the sum of squared logarithms; one point a size.
std::vector<SizedTime> rising(const std::vector<SizedTime>& p) {
  std::vector<Level> levels;
  for (const SizedTime& point : p) {
    levels.push_back({std::log(point.time.base()), 1, {point.size}});
    while (levels.size() > 1) {
      Level &last = levels.back(), &before = levels[levels.size() - 2];
      if (last.log_time >= before.log_time && last.sizes.front() > before.sizes.back()) break;
      before.log_time = (before.log_time * before.points + last.log_time * last.points) / (before.points + last.points);
      before.points += last.points;
      for (const Bytes size : last.sizes)
        if (size > before.sizes.back()) before.sizes.push_back(size);
      levels.pop_back();
    }
  }
  std::vector<SizedTime> out;
  for (const Level& level : levels)
    for (const Bytes size : level.sizes) out.push_back({size, Seconds{std::exp(level.log_time)}});
  return out;
}

}  // namespace

AlphaBetaCurve::AlphaBetaCurve(std::vector<AlphaBeta> classes) : classes_(std::move(classes)) {
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    const AlphaBeta& c = classes_[i];
    const bool in_order = i == 0 ? c.from == Bytes{} : c.from > classes_[i - 1].from;
    if (!in_order) throw CalibrationError("classes of sizes must ascend from 0");
    if (!(c.first.base() >= 0 && c.seconds_per_byte >= 0 && c.first.base() + c.seconds_per_byte > 0))
      throw CalibrationError("a class of sizes needs a time, and none may be negative");
  }
}

Seconds AlphaBetaCurve::time(Bytes size) const {
  if (!(size > Bytes{}) || classes_.empty()) return Seconds{};
  auto at = std::upper_bound(classes_.begin(), classes_.end(), size, [](Bytes s, const AlphaBeta& c) { return s < c.from; });
  --at;
  return at->first + Seconds{(size - at->from).base() * at->seconds_per_byte};
}

AlphaBetaCurve fit_alpha_beta(std::vector<SizedTime> p, int most_classes, double worth) {
  p = by_size(std::move(p));
  const std::size_t n = p.size();
  constexpr double none = std::numeric_limits<double>::infinity();
  // best[i]: least cost of the first i points, with `begin[i]` the first point of the last class and `used[i]` how many classes
  const auto classes = static_cast<std::size_t>(std::max(1, most_classes));
  std::vector<std::vector<double>> best(classes + 1, std::vector<double>(n + 1, none));
  std::vector<std::vector<std::size_t>> begin(classes + 1, std::vector<std::size_t>(n + 1, 0));
  best[0][0] = 0;
  for (std::size_t k = 1; k <= classes; ++k) {
    for (std::size_t last = 1; last <= n; ++last) {
      for (std::size_t first = 0; first < last; ++first) {
        if (best[k - 1][first] == none || (last - first < 2 && n > 1)) continue;
        const double cost = best[k - 1][first] + line_through(p, first, last).error + worth * worth;
        if (cost < best[k][last]) best[k][last] = cost, begin[k][last] = first;
      }
    }
  }
  std::size_t k = 1;
  for (std::size_t more = 2; more <= classes; ++more)
    if (best[more][n] < best[k][n]) k = more;
  std::vector<AlphaBeta> out;
  for (std::size_t last = n; k > 0; --k) {
    const std::size_t first = begin[k][last];
    const Line line = line_through(p, first, last);
    const Bytes from = first == 0 ? Bytes{} : Bytes{std::sqrt(p[first - 1].size.base() * p[first].size.base())};
    out.insert(out.begin(), {from, Seconds{line.alpha + line.beta * from.base()}, line.beta});
    last = first;
  }
  return AlphaBetaCurve(std::move(out));
}

AlphaBetaCurve join_alpha_beta(std::vector<SizedTime> points) {
  const std::vector<SizedTime> p = rising(by_size(std::move(points)));
  std::vector<AlphaBeta> out{{Bytes{}, p.front().time, 0}};
  double slope = p.front().time.base() / p.front().size.base();  // of a single point: its rate
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double size = p[i].size.base(), time = p[i].time.base();
    const bool last = i + 1 == p.size();
    slope = last ? std::min(slope, time / size) : (p[i + 1].time.base() - time) / (p[i + 1].size.base() - size);
    out.push_back({p[i].size, p[i].time, slope});
  }
  return AlphaBetaCurve(std::move(out));
}

}  // namespace reckon
