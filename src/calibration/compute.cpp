// Lookups in a calibration, memory-bound kernels, and calibrations scaled to other devices.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/compute.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.hpp"

namespace reckon {
namespace {

constexpr std::array<std::pair<AttentionKernel, std::string_view>, 4> kernel_names{{{AttentionKernel::flash1, "flash1"},
                                                                                    {AttentionKernel::flash2, "flash2"},
                                                                                    {AttentionKernel::flash3, "flash3"},
                                                                                    {AttentionKernel::cudnn, "cudnn"}}};

std::optional<FlopsPerSecond> peak_of(const Device& device, Precision precision) {
  const auto found = device.peak.find(precision);
  return found == device.peak.end() ? std::nullopt : std::optional(found->second);
}

/// The precision of `like` whose fit carries over best to `wanted`, among those whose peak on `of` is known.
std::optional<Precision> donor(const ComputeCalibration& like, const Device& of, Precision wanted) {
  for (const Precision p : {wanted, Precision::mxfp8, Precision::fp8, Precision::bf16, Precision::fp16}) {
    const bool low = operand_bytes(p) < 2.0;
    if (low && operand_bytes(wanted) >= 2.0 && p != wanted) continue;  // half precision and wider come from half precision
    if (like.supports(p) && peak_of(of, p)) return p;
  }
  return std::nullopt;
}

/// How the power knee moves: a part with fewer watts for the same peak is limited earlier.
double knee_ratio(const Device& of, const Device& to, double rate_ratio) {
  if (!(of.power.base() > 0) || !(to.power.base() > 0)) return 1.0;
  return std::pow(to.power / of.power / rate_ratio, 0.7);
}

GemmCalibration scaled(const GemmCalibration& from, FlopsPerSecond from_peak, FlopsPerSecond to_peak, const Device& of, const Device& to,
                       Precision precision) {
  GemmCalibration out = scaled_to_precision(from, precision, from.cost.parameters().peak * (to_peak / from_peak));
  GemmParameters p = out.cost.parameters();
  if (to.num_multiprocessors > 0) p.multiprocessors = static_cast<double>(to.num_multiprocessors);
  p.bandwidth *= to.memory_bandwidth / of.memory_bandwidth;
  p.power.knee *= knee_ratio(of, to, to_peak / from_peak);
  out.cost = GemmCost(std::move(p));
  return out;
}

AttentionParameters scaled(AttentionParameters p, double rate_ratio, double vector_ratio, const Device& of, const Device& to) {
  p.rate *= rate_ratio;
  p.exponential_rate *= vector_ratio;
  if (to.num_multiprocessors > 0) p.multiprocessors = static_cast<double>(to.num_multiprocessors);
  p.bandwidth *= to.memory_bandwidth / of.memory_bandwidth;
  return p;
}

double half_peak_ratio(const Device& of, const Device& to) {
  for (const Precision p : {Precision::bf16, Precision::fp16}) {
    const auto from = peak_of(of, p), into = peak_of(to, p);
    if (from && into) return *into / *from;
  }
  throw CalibrationError("cannot derive a calibration for " + to.id + " from " + of.id + ": no common half-precision peak");
}

}  // namespace

GemmCalibration scaled_to_precision(const GemmCalibration& from, Precision precision, FlopsPerSecond peak) {
  GemmParameters p = from.cost.parameters();
  p.rate *= peak / p.peak;
  p.peak = peak;
  p.operand_bytes = operand_bytes(precision);
  p.result_bytes = activation_bytes(precision);
  return {.cost = GemmCost(std::move(p)), .derived = true, .residual = {}, .source = from.source, .cast_in_table = {}};
}

std::string_view name_of(AttentionKernel kernel) { return kernel_names[static_cast<std::size_t>(kernel)].second; }

std::optional<AttentionKernel> attention_kernel_of(std::string_view name) {
  for (const auto& [kernel, text] : kernel_names)
    if (text == name) return kernel;
  return std::nullopt;
}

Seconds gemm_time(const ComputeCalibration& calibration, Precision precision, const GemmShape& shape, GemmRole role) {
  const auto& entry = calibration.gemm[static_cast<std::size_t>(precision)];
  if (!entry)
    throw CalibrationError("the calibration of " + calibration.device + " has no " + std::string(name_of(precision)) + " products");
  if (calibration.measured != nullptr) {
    const auto found = calibration.measured->gemm.find(precision);
    if (found != calibration.measured->gemm.end())
      return entry->cost.sustained_time(shape) * found->second[static_cast<std::size_t>(role)].at(place_of(shape));
  }
  return entry->cost.sustained_time(shape);
}

AttentionKernel attention_kernel_used(const ComputeCalibration& calibration, AttentionKernel kernel) {
  const auto& all = calibration.attention;
  if (all.empty()) throw CalibrationError("the calibration of " + calibration.device + " has no attention kernel");
  const auto newer = all.upper_bound(kernel);
  return newer == all.begin() ? newer->first : std::prev(newer)->first;
}

Seconds attention_time(const ComputeCalibration& calibration, AttentionKernel kernel, Pass pass, const AttentionShape& shape,
                       Precision precision) {
  if (calibration.measured != nullptr) {
    const auto found = calibration.measured->attention.find(precision);
    if (found != calibration.measured->attention.end()) {
      const MeasuredAttention& own = found->second;
      return own.cost.time(pass, shape) * (pass == Pass::forward ? own.forward : own.backward).at(place_of(shape));
    }
  }
  return calibration.attention.at(attention_kernel_used(calibration, kernel)).cost.time(pass, shape);
}

Seconds streaming_time(const ComputeCalibration& calibration, Bytes traffic) {
  const StreamParameters& s = calibration.stream;
  if (!(traffic.base() > 0)) return Seconds(0);
  const double fill = s.cache.base() > 0 ? traffic / s.cache : 0.0;
  const double gain = s.cache.base() > 0 ? 1.0 + (s.cache_gain - 1.0) / (1.0 + fill * fill) : 1.0;
  return s.latency + traffic / (s.bandwidth * (s.efficiency * gain));
}

Seconds kernel_time(const ComputeCalibration& calibration, StreamKernel kernel, Precision precision, Bytes traffic) {
  if (calibration.measured != nullptr && traffic.base() > 0) {
    const auto found = calibration.measured->streams.find(precision);
    if (found != calibration.measured->streams.end()) {
      const AlphaBetaCurve& own = found->second[static_cast<std::size_t>(kernel)];
      const AlphaBetaCurve& curve = own.empty() ? found->second[static_cast<std::size_t>(StreamKernel::copy)] : own;
      if (!curve.empty()) return curve.time(traffic);
    }
  }
  return streaming_time(calibration, traffic);
}

ComputeCalibration derive(const ComputeCalibration& like, const Device& of, const Device& to) {
  ComputeCalibration result;
  result.device = to.id;
  result.derived_from = like.derived() ? like.derived_from : like.device;
  result.date = like.date;
  result.provenance = like.provenance;
  for (const Precision precision : all_precisions) {
    const auto from = donor(like, of, precision);
    const auto peak = peak_of(to, precision);
    if (!from || !peak) continue;
    const auto& source = *like.gemm[static_cast<std::size_t>(*from)];
    result.gemm[static_cast<std::size_t>(precision)] = scaled(source, *peak_of(of, *from), *peak, of, to, precision);
  }
  const double half = half_peak_ratio(of, to);
  const double vector = of.vector_peak.base() > 0 && to.vector_peak.base() > 0 ? to.vector_peak / of.vector_peak : half;
  for (const auto& [kernel, attention] : like.attention) {
    AttentionCost cost(scaled(attention.cost.parameters(Pass::forward), half, vector, of, to),
                       scaled(attention.cost.parameters(Pass::backward), half, vector, of, to));
    result.attention.emplace(
        kernel,
        AttentionCalibration{
            .cost = std::move(cost), .derived_forward = true, .derived_backward = true, .residual = {}, .source = attention.source});
  }
  result.stream = like.stream;
  result.stream.bandwidth = to.memory_bandwidth;
  if (to.l2_cache.base() > 0) result.stream.cache = to.l2_cache;
  return result;
}

}  // namespace reckon
