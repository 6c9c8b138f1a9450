// Fits of messages.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/fit_links.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.hpp"
#include "base/quantile.hpp"

namespace reckon {
namespace {

using Key = std::pair<Collective, std::int64_t>;

constexpr const char* collective_words[] = {"all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "point_to_point"};

std::map<Key, std::vector<SizedTime>> grouped_points(const std::vector<LinkSample>& samples) {
  std::map<Key, std::vector<SizedTime>> out;
  for (const LinkSample& s : samples)
    if (s.time.stable) out[{s.collective, s.ranks}].push_back({s.size, s.time.median});
  for (auto& [key, points] : out)
    std::sort(points.begin(), points.end(), [](const SizedTime& a, const SizedTime& b) { return a.size < b.size; });
  return out;
}

bool is_ring(Collective c) { return c == Collective::all_reduce || c == Collective::all_gather || c == Collective::reduce_scatter; }

/// base, step, efficiency of one path for the samples that `takes` chooses.
template <class Takes, class Put>
bool fit_path(const std::vector<LinkSample>& samples, BytesPerSecond link, const Takes& takes, DomainLinks& links, const Put& put) {
  std::vector<LinkSample> own;
  for (const LinkSample& s : samples)
    if (s.time.stable && takes(s.collective)) own.push_back(s);
  if (own.empty()) return false;
  double x[3] = {std::log(1e-6), std::log(1e-6), std::log(0.5)};  // base, step, efficiency
  const auto cost = [&] {
    put(PathCost{.base = Seconds{std::exp(x[0])},
                 .step = Seconds{std::exp(x[1])},
                 .efficiency = std::min(1.5, std::exp(x[2])),
                 .fill = {},
                 .fill_size = {}});
    LinkCalibration calibration;
    calibration.domain = links;
    double sum = 0;
    for (const LinkSample& s : own) {
      const GroupPlacement group{
          .ranks = s.ranks, .ranks_per_domain = s.ranks, .link_bandwidth = link, .nic_bandwidth_per_device = link, .fabric_latency = {}};
      const double l = std::log(collective_time(calibration, s.collective, s.size, group) / s.time.median);
      sum += l * l;
    }
    return sum;
  };
  double best = cost();
  for (double step = 2.0; step > 0.01;) {
    bool moved = false;
    for (double& coordinate : x) {
      for (const double by : {step, -step}) {
        coordinate += by;
        const double now = cost();
        if (now < best) {
          best = now;
          moved = true;
          break;
        }
        coordinate -= by;
      }
    }
    if (!moved) step *= 0.5;
  }
  cost();
  return true;
}

}  // namespace

MeasuredLinks fit_link_curves(const std::vector<LinkSample>& samples) {
  MeasuredLinks out;
  for (const auto& [key, points] : grouped_points(samples))
    if (points.size() >= 2) out.curves.emplace(key, join_alpha_beta(points));
  return out;
}

DomainLinks fit_domain_links(const std::vector<LinkSample>& samples, BytesPerSecond link) {
  DomainLinks out;
  const PathCost plain{.base = Seconds{1e-6}, .step = Seconds{1e-6}, .efficiency = 0.5, .fill = {}, .fill_size = {}};
  out.bulk = out.all_to_all = out.point_to_point = plain;
  bool any = fit_path(samples, link, is_ring, out, [&](const PathCost& p) { out.bulk = p; });
  const bool ring = any;
  const auto is = [](Collective wanted) { return [wanted](Collective c) { return c == wanted; }; };
  if (fit_path(samples, link, is(Collective::point_to_point), out, [&](const PathCost& p) { out.point_to_point = p; })) {
    any = true;
    if (!ring) out.bulk = out.point_to_point, out.bulk.step = out.bulk.base;
  } else {
    out.point_to_point = out.bulk;
  }
  if (fit_path(samples, link, is(Collective::all_to_all), out, [&](const PathCost& p) { out.all_to_all = p; })) {
    if (!any) out.bulk = out.point_to_point = out.all_to_all;
    any = true;
  } else {
    out.all_to_all = out.bulk;
  }
  if (!any) throw CalibrationError("no stable measurement of messages");
  return out;
}

std::vector<LinkResidual> held_out_residuals(const std::vector<LinkSample>& samples, const std::string& device) {
  std::vector<LinkResidual> out;
  for (const auto& [key, points] : grouped_points(samples)) {
    if (points.size() < 6) continue;
    std::vector<SizedTime> fitted, held;
    for (std::size_t i = 0; i < points.size(); ++i) (i % 2 == 0 || i + 1 == points.size() ? fitted : held).push_back(points[i]);
    const AlphaBetaCurve curve = join_alpha_beta(fitted);
    std::vector<double> errors, ratios;
    for (const SizedTime& p : held) ratios.push_back(curve.time(p.size) / p.time), errors.push_back(std::abs(ratios.back() - 1.0));
    std::sort(errors.begin(), errors.end());
    std::sort(ratios.begin(), ratios.end());
    LinkResidual r;
    r.device = device;
    r.collective = collective_words[static_cast<std::size_t>(key.first)] + std::string(" on ") + std::to_string(key.second) + " ranks";
    r.sizes = "every second size";
    r.kind = "held-out";
    r.points = static_cast<std::int64_t>(held.size());
    r.median = quantile(errors, 0.5);
    r.p90 = quantile(errors, 0.9);
    r.bias = quantile(ratios, 0.5) - 1.0;
    out.push_back(r);
  }
  return out;
}

}  // namespace reckon
