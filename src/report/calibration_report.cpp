// SPDX-License-Identifier: Apache-2.0
#include "report/calibration_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/quantity_text.hpp"
#include "report/numbers.hpp"
#include "report/table.hpp"

namespace reckon {
namespace {

template <class Sample>
void count_unstable(const std::vector<Sample>& samples, std::int64_t& all, std::int64_t& unstable) {
  for (const Sample& s : samples) {
    ++all;
    if (!s.time.stable) ++unstable;
  }
}

std::string percent(double share) { return significant(100 * share) + " %"; }

std::string compute_text(const MachineCalibration& m) {
  Table products({{"products", Align::left}, {"fastest"}, {"closed form, median error"}, {"90 %"}, {"points"}});
  for (const Precision p : all_precisions) {
    const auto& entry = m.compute->compute.gemm[static_cast<std::size_t>(p)];
    if (!entry) continue;
    products.row({std::string(name_of(p)), format_quantity(entry->cost.parameters().peak), percent(entry->residual.median),
                  percent(entry->residual.p90), fmt::format("{:.0f}", entry->residual.points)});
  }
  Table kernels({{"kernel", Align::left}, {"precision", Align::left}, {"largest"}, {"rate"}});
  for (const StreamSample& s : m.samples.streams) {
    const bool last = std::none_of(m.samples.streams.begin(), m.samples.streams.end(), [&](const StreamSample& o) {
      return o.kernel == s.kernel && o.precision == s.precision && o.traffic > s.traffic;
    });
    if (last)
      kernels.row({std::string(name_of(s.kernel)), std::string(name_of(s.precision)), format_quantity(s.traffic),
                   format_quantity(s.traffic / s.time.median)});
  }
  return products.text() + "\n" + kernels.text() + "\n";
}

std::string links_text(const MachineCalibration& m) {
  Table table({{"messages", Align::left}, {"smallest"}, {"largest"}, {"rate of the largest"}, {"held-out sizes, median error"}});
  for (const auto& r : m.links->residuals) {
    const LinkSample *least = nullptr, *most = nullptr;
    for (const LinkSample& s : m.samples.links) {
      const std::string what = fmt::format("{} on {} ranks",
                                           std::array{"all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast",
                                                      "point_to_point"}[static_cast<std::size_t>(s.collective)],
                                           s.ranks);
      if (what != r.collective) continue;
      if (least == nullptr || s.size < least->size) least = &s;
      if (most == nullptr || s.size > most->size) most = &s;
    }
    if (least != nullptr)
      table.row({r.collective, format_quantity(least->time.median), format_quantity(most->time.median),
                 format_quantity(most->size / most->time.median), percent(r.median)});
  }
  return table.text() + "\n";
}

}  // namespace

std::string calibration_report(const MachineCalibration& m, const std::string& file) {
  std::string out = fmt::format("{}, {} {} of {} {}, {} processors, {}\n\n", m.processor, m.ranks, m.ranks == 1 ? "rank" : "ranks",
                                m.threads, m.threads == 1 ? "thread" : "threads", m.processors, m.date);
  if (m.compute) out += compute_text(m);
  if (m.links && !m.links->residuals.empty()) out += links_text(m);
  for (const OverlapSample& s : m.samples.overlap)
    out += s.hidden() < 0 ? fmt::format("{} beside a product: nothing is hidden; {} together, {} one after the other\n", format_quantity(s.size),
                                        format_quantity(s.together), format_quantity(s.compute + s.message))
                          : fmt::format("{} beside a product: {} of the shorter is hidden\n", format_quantity(s.size), percent(s.hidden()));
  for (const StorageSample& s : m.samples.storage) out += fmt::format("{}: {}\n", s.what, format_quantity(s.size / s.time.median));
  std::int64_t all = 0, unstable = 0;
  count_unstable(m.samples.gemm, all, unstable);
  count_unstable(m.samples.attention, all, unstable);
  count_unstable(m.samples.streams, all, unstable);
  count_unstable(m.samples.links, all, unstable);
  if (m.slow_share > 0) out += "the processors ran slower than at their best in " + percent(m.slow_share) + " of the samples\n";
  return out + fmt::format("{} measurements, {} of them too unstable to be fitted; written to {}\n", all, unstable, file);
}

}  // namespace reckon
