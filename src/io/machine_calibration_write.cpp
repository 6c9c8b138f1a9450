// Writes a machine's calibration.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/machine_calibration_files.hpp"
#include "io/machine_calibration_names.hpp"

namespace reckon {
namespace {

using Json = nlohmann::ordered_json;

constexpr int digits = 6;
template <class Q>
std::string text_of(Q q) {
  return format_quantity(q, digits);
}
double short_number(double v) { return std::stod(fmt::format("{:.6g}", v)); }

Json gemm_json(const GemmCalibration& g) {
  const GemmParameters& p = g.cost.parameters();
  Json out{{"peak", text_of(p.peak)}, {"rate", text_of(p.rate)}, {"bandwidth", text_of(p.bandwidth)}, {"launch", text_of(p.launch)}};
  for (const GemmNumber& n : gemm_numbers) out[n.key] = short_number(p.*n.field);
  out["tiles"] = Json::array();
  for (const GemmTile& t : p.tiles) out["tiles"].push_back({t.m, t.n, t.multiprocessors});
  const FitResidual& r = g.residual;
  out["residual"] = {{"points", r.points},
                     {"median", short_number(r.median)},
                     {"p90", short_number(r.p90)},
                     {"worst", short_number(r.worst)},
                     {"bias", short_number(r.bias)}};
  return out;
}

Json pass_json(const AttentionParameters& p) {
  Json out{{"rate", text_of(p.rate)},
           {"exponential_rate", text_of(p.exponential_rate)},
           {"bandwidth", text_of(p.bandwidth)},
           {"launch", text_of(p.launch)}};
  for (const AttentionNumber& n : attention_numbers) out[n.key] = short_number(p.*n.field);
  return out;
}

Json curve_json(const AlphaBetaCurve& curve) {
  Json out = Json::array();
  for (const AlphaBeta& c : curve.classes())
    out.push_back({{"from", fmt::format("{:.0f} B", c.from.base())},
                   {"time", text_of(c.first)},
                   {"rate", c.seconds_per_byte > 0 ? Json(text_of(BytesPerSecond{1.0 / c.seconds_per_byte})) : Json()}});
  return out;
}

Json compute_json(const ComputeFit& fit) {
  const ComputeCalibration& c = fit.compute;
  Json gemm, attention, kernels;
  for (const Precision p : all_precisions)
    if (c.supports(p)) gemm[std::string(name_of(p))] = gemm_json(*c.gemm[static_cast<std::size_t>(p)]);
  for (const auto& [precision, cost] : fit.attention)
    attention[std::string(name_of(precision))] = {{"forward", pass_json(cost.parameters(Pass::forward))},
                                                  {"backward", pass_json(cost.parameters(Pass::backward))}};
  for (const auto& [precision, curves] : c.measured->streams)
    for (const auto& [kernel, name] : stream_kernel_names)
      if (const AlphaBetaCurve& curve = curves[static_cast<std::size_t>(kernel)]; !curve.empty())
        kernels[std::string(name_of(precision))][std::string(name)] = curve_json(curve);
  const StreamParameters& s = c.stream;
  return {{"gemm", gemm},
          {"attention", attention.is_null() ? Json::object() : attention},
          {"stream", {{"bandwidth", text_of(s.bandwidth)}, {"latency", text_of(s.latency)}}},
          {"kernels", kernels}};
}

Json links_json(const LinkFit& fit) {
  Json out{{"link", text_of(fit.link)}};
  for (const PathName& path : fitted_paths) {
    const PathCost& p = fit.domain.*path.field;
    out[path.key] = {{"base", text_of(p.base)}, {"step", text_of(p.step)}, {"efficiency", short_number(p.efficiency)}};
  }
  Json curves = Json::object();
  for (const auto& [collective, name] : collective_keys)
    for (const auto& [key, curve] : fit.curves.curves)
      if (key.first == collective) curves[std::string(name)][fmt::to_string(key.second)] = curve_json(curve);
  out["curves"] = curves;
  out["held_out"] = Json::array();
  for (const LinkResidual& r : fit.residuals)
    out["held_out"].push_back({{"what", r.collective},
                               {"points", r.points},
                               {"median", short_number(r.median)},
                               {"p90", short_number(r.p90)},
                               {"bias", short_number(r.bias)}});
  return out;
}

void put_time(Json& row, const Timed& t) {
  row["time"] = text_of(t.median), row["low"] = text_of(t.low), row["high"] = text_of(t.high), row["count"] = t.count;
  if (!t.stable) row["stable"] = false;
}

/// The samples, one a line.
class Rows {
 public:
  template <class Sample, class Make>
  void add(const char* name, const std::vector<Sample>& samples, const Make& make) {
    text_ += fmt::format("{}\n  \"{}\": [", text_.empty() ? "" : ",", name);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      std::string line = dump_json(make(samples[i]), -1);
      if (!line.empty() && line.back() == '\n') line.pop_back();
      text_ += (i == 0 ? "\n   " : ",\n   ") + line;
    }
    text_ += "]";
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string samples_text(const Samples& s) {
  Rows rows;
  rows.add("gemm", s.gemm, [](const GemmSample& x) {
    Json row{{"precision", std::string(name_of(x.precision))},
             {"role", std::string(name_of(x.role))},
             {"m", x.shape.m},
             {"n", x.shape.n},
             {"k", x.shape.k}};
    put_time(row, x.time);
    return row;
  });
  rows.add("attention", s.attention, [](const AttentionSample& x) {
    Json row{{"precision", std::string(name_of(x.precision))},
             {"pass", x.pass == Pass::forward ? "forward" : "backward"},
             {"sequences", x.shape.batch},
             {"heads", x.shape.heads},
             {"seq_q", x.shape.seq_q},
             {"seq_kv", x.shape.seq_kv},
             {"head_dim", x.shape.head_dim},
             {"causal", x.shape.causal}};
    put_time(row, x.time);
    return row;
  });
  rows.add("kernels", s.streams, [](const StreamSample& x) {
    Json row{{"precision", std::string(name_of(x.precision))},
             {"kernel", std::string(name_of(x.kernel))},
             {"traffic", fmt::format("{:.0f} B", x.traffic.base())}};
    put_time(row, x.time);
    return row;
  });
  rows.add("links", s.links, [](const LinkSample& x) {
    Json row{{"operation", std::string(collective_keys[static_cast<std::size_t>(x.collective)].second)},
             {"ranks", x.ranks},
             {"size", fmt::format("{:.0f} B", x.size.base())}};
    put_time(row, x.time);
    return row;
  });
  rows.add("overlap", s.overlap, [](const OverlapSample& x) {
    return Json{{"size", fmt::format("{:.0f} B", x.size.base())},
                {"compute", text_of(x.compute)},
                {"message", text_of(x.message)},
                {"together", text_of(x.together)},
                {"hidden", short_number(x.hidden())}};
  });
  rows.add("storage", s.storage, [](const StorageSample& x) {
    Json row{{"what", x.what}, {"size", fmt::format("{:.0f} B", x.size.base())}};
    put_time(row, x.time);
    return row;
  });
  return rows.take();
}

}  // namespace

std::string write_machine_calibration(const MachineCalibration& m) {
  Json fit = Json::object();
  if (m.compute) fit["compute"] = compute_json(*m.compute);
  if (m.links) fit["links"] = links_json(*m.links);
  const Json head{{"format", machine_calibration_format},
                  {"date", m.date},
                  {"device", m.device},
                  {"machine",
                   {{"processor", m.processor},
                    {"processors", m.processors},
                    {"ranks", m.ranks},
                    {"threads_per_rank", m.threads},
                    {"clock", m.clock.base() > 0 ? Json(text_of(m.clock)) : Json()},
                    {"memory", text_of(m.memory)},
                    {"cache", text_of(m.cache)},
                    {"timed_by", m.clock_kind},
                    {"pace", m.pace.base() > 0 ? Json(text_of(m.pace)) : Json()},
                    {"slow_share", short_number(m.slow_share)}}},
                  {"software", m.software},
                  {"fit", fit}};
  std::string text = dump_json(head);
  while (!text.empty() && (text.back() == '\n' || text.back() == '}')) {
    const bool last = text.back() == '}';
    text.pop_back();
    if (last) break;
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text + ",\n \"samples\": {" + samples_text(m.samples) + "\n }\n}\n";
}

}  // namespace reckon
