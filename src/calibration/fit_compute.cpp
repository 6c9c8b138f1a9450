// Fits of closed forms by pattern search on logarithms of their parameters.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/fit_compute.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/error.hpp"
#include "base/quantile.hpp"

namespace reckon {
namespace {

constexpr std::size_t least_points = 4;

/// Hooke and Jeeves (J. ACM 8, 1961) without pattern moves: halves the step until it no longer matters.
std::vector<double> minimise(std::vector<double> x, const std::function<double(const std::vector<double>&)>& cost) {
  double best = cost(x);
  for (double step = 1.0; step > 0.004;) {
    bool moved = false;
    for (double& coordinate : x) {
      for (const double by : {step, -step}) {
        coordinate += by;
        const double now = cost(x);
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
  return x;
}

double squared_log(Seconds predicted, Seconds measured) {
  const double l = std::log(predicted / measured);
  return l * l;
}

template <class Sample>
std::vector<Sample> stable(const std::vector<Sample>& samples) {
  std::vector<Sample> out;
  for (const Sample& s : samples)
    if (s.time.stable) out.push_back(s);
  return out;
}

FitResidual residual(std::vector<double> ratios) {
  FitResidual out;
  if (ratios.empty()) return out;
  out.points = static_cast<double>(ratios.size());
  std::sort(ratios.begin(), ratios.end());
  out.bias = quantile(ratios, 0.5) - 1.0;
  for (double& r : ratios) r = std::abs(r - 1.0);
  std::sort(ratios.begin(), ratios.end());
  out.median = quantile(ratios, 0.5);
  out.p90 = quantile(ratios, 0.9);
  out.worst = ratios.back();
  return out;
}

GemmParameters with(const GemmParameters& given, const GemmTile& tile, const std::vector<double>& x) {
  GemmParameters p = given;
  p.tiles = {tile};
  p.rate = FlopsPerSecond{std::exp(x[0])};
  p.k_overhead = std::exp(x[1]);
  p.bandwidth = BytesPerSecond{std::exp(x[2])};
  p.launch = Seconds{std::exp(x[3])};
  p.split_overhead = std::max(p.split_overhead, p.k_overhead);
  return p;
}

/// Tiles worth trying when the library's are not known.
std::vector<GemmTile> candidate_tiles(const GemmParameters& given) {
  if (!given.tiles.empty()) return given.tiles;
  std::vector<GemmTile> out;
  for (const double m : {1.0, 16.0, 64.0})
    for (const double n : {16.0, 64.0}) out.push_back({m, n, 1.0});
  return out;
}

}  // namespace

FitResidual residual_of(const std::vector<GemmSample>& samples, const GemmCost& cost) {
  std::vector<double> ratios;
  for (const GemmSample& s : stable(samples)) ratios.push_back(cost.burst_time(s.shape) / s.time.median);
  return residual(std::move(ratios));
}

GemmCalibration fit_gemm(const std::vector<GemmSample>& all, const GemmParameters& given) {
  const std::vector<GemmSample> samples = stable(all);
  if (samples.size() < least_points) throw CalibrationError("fewer than four stable measurements of products");
  FlopsPerSecond fastest;
  for (const GemmSample& s : samples) fastest = max(fastest, flops_of(s.shape) / s.time.median);
  GemmParameters start = given;
  if (!(start.peak.base() > 0)) start.peak = fastest;
  start.power.knee = 100.0;  // what was measured in a long run holds the limit already
  const std::vector<double> x0{std::log(fastest.base()), std::log(8.0), std::log(fastest.base() / 8.0), std::log(1e-6)};
  double least = std::numeric_limits<double>::infinity();
  GemmParameters best;
  for (const GemmTile& tile : candidate_tiles(given)) {
    const auto cost = [&](const std::vector<double>& x) {
      double sum = 0;
      const GemmCost form(with(start, tile, x));
      for (const GemmSample& s : samples) sum += squared_log(form.burst_time(s.shape), s.time.median);
      return sum;
    };
    const std::vector<double> x = minimise(x0, cost);
    if (const double now = cost(x); now < least) least = now, best = with(start, tile, x);
  }
  GemmCalibration out;
  out.cost = GemmCost(best);
  out.residual = residual_of(samples, out.cost);
  return out;
}

AttentionParameters fit_attention_pass(const std::vector<AttentionSample>& all, const AttentionParameters& given) {
  const std::vector<AttentionSample> samples = stable(all);
  if (samples.size() < least_points) throw CalibrationError("fewer than four stable measurements of attention");
  const auto parameters = [&](const std::vector<double>& x, double tile) {
    AttentionParameters p = given;
    p.rate = FlopsPerSecond{std::exp(x[0])};
    p.exponential_rate = FlopsPerSecond{std::exp(x[1])};
    p.launch = Seconds{std::exp(x[2])};
    p.key_overhead = std::exp(x[3]);
    p.query_tile = p.key_tile = tile;
    return p;
  };
  double least = std::numeric_limits<double>::infinity();
  AttentionParameters best;
  for (const double tile : {1.0, 16.0, 64.0}) {
    const auto cost = [&](const std::vector<double>& x) {
      const AttentionParameters p = parameters(x, tile);
      const AttentionCost form(p, p);
      double sum = 0;
      for (const AttentionSample& s : samples) sum += squared_log(form.time(s.pass, s.shape), s.time.median);
      return sum;
    };
    const std::vector<double> x = minimise({std::log(50e9), std::log(1e9), std::log(1e-6), 0.0}, cost);
    if (const double now = cost(x); now < least) least = now, best = parameters(x, tile);
  }
  return best;
}

MeasuredCompute measured_compute(const Samples& samples, const ComputeCalibration& closed_forms,
                                 const std::map<Precision, AttentionCost>& attention) {
  MeasuredCompute out;
  for (const GemmSample& s : stable(samples.gemm)) {
    const auto& entry = closed_forms.gemm[static_cast<std::size_t>(s.precision)];
    if (entry)
      out.gemm[s.precision][static_cast<std::size_t>(s.role)].add(place_of(s.shape), s.time.median / entry->cost.burst_time(s.shape));
  }
  for (const auto& [precision, cost] : attention) out.attention[precision].cost = cost;
  for (const AttentionSample& s : stable(samples.attention)) {
    const auto found = out.attention.find(s.precision);
    if (found == out.attention.end()) continue;
    MeasuredRatios& ratios = s.pass == Pass::forward ? found->second.forward : found->second.backward;
    ratios.add(place_of(s.shape), s.time.median / found->second.cost.time(s.pass, s.shape));
  }
  std::map<std::pair<Precision, StreamKernel>, std::vector<SizedTime>> streams;
  for (const StreamSample& s : stable(samples.streams)) streams[{s.precision, s.kernel}].push_back({s.traffic, s.time.median});
  for (const auto& [key, points] : streams) out.streams[key.first][static_cast<std::size_t>(key.second)] = fit_alpha_beta(points);
  return out;
}

namespace {

/// Latency and the bandwidth of the largest copy, from its curve; the closed form behind kernels that nobody measured.
StreamParameters stream_of(const std::vector<StreamSample>& samples) {
  StreamParameters out;
  Bytes largest;
  out.latency = Seconds{1.0};
  for (const StreamSample& s : stable(samples)) {
    if (s.kernel != StreamKernel::copy) continue;
    out.latency = min(out.latency, s.time.median);
    if (s.traffic > largest) largest = s.traffic, out.bandwidth = s.traffic / s.time.median;
  }
  if (!(largest > Bytes{})) throw CalibrationError("no stable measurement of a copy");
  out.efficiency = 1.0;
  return out;
}

}  // namespace

ComputeFit fit_compute(const Samples& samples, const std::map<Precision, FlopsPerSecond>& peak, double multiprocessors) {
  ComputeFit out;
  ComputeCalibration& c = out.compute;
  c.stream = stream_of(samples.streams);
  for (const Precision precision : all_precisions) {
    std::vector<GemmSample> own;
    std::copy_if(samples.gemm.begin(), samples.gemm.end(), std::back_inserter(own),
                 [&](const GemmSample& s) { return s.precision == precision; });
    if (stable(own).size() < least_points) continue;
    GemmParameters given;
    if (const auto found = peak.find(precision); found != peak.end()) given.peak = found->second;
    given.operand_bytes = operand_bytes(precision);
    given.result_bytes = activation_bytes(precision);
    if (multiprocessors > 1)
      given.multiprocessors = multiprocessors, given.tiles = {{128, 128, 1}, {128, 256, 1}, {256, 128, 1}, {64, 128, 1}};
    c.gemm[static_cast<std::size_t>(precision)] = fit_gemm(own, given);
    std::vector<AttentionSample> forward, backward;
    for (const AttentionSample& s : samples.attention)
      if (s.precision == precision) (s.pass == Pass::forward ? forward : backward).push_back(s);
    if (stable(forward).size() < least_points || stable(backward).size() < least_points) continue;
    AttentionParameters shape;
    shape.bandwidth = c.stream.bandwidth;
    shape.multiprocessors = std::max(1.0, multiprocessors);
    out.attention.emplace(precision, AttentionCost(fit_attention_pass(forward, shape), fit_attention_pass(backward, shape)));
  }
  if (!out.attention.empty()) c.attention.emplace(AttentionKernel::flash2, AttentionCalibration{.cost = out.attention.rbegin()->second});
  c.measured = std::make_shared<MeasuredCompute>(measured_compute(samples, c, out.attention));
  return out;
}

}  // namespace reckon
