// SPDX-License-Identifier: Apache-2.0
#include "report/simulation_report.hpp"

#include <fmt/format.h>

#include "report/numbers.hpp"
#include "report/parts_report.hpp"
#include "report/table.hpp"

namespace reckon {
namespace {

constexpr std::size_t most_rows = 16;  // stages listed one by one

std::string percent(double part, double whole) { return whole > 0 ? fmt::format("{:+.2f} %", 100.0 * (part / whole - 1.0)) : "-"; }

std::string parts_table(const SimulationAnswer& a, const DisplayUnit& unit) {
  Table table({{"part", Align::left}, {"closed form, " + unit.name}, {"simulated, " + unit.name}, {"difference"}});
  std::string reasons;
  for (const StepDifference& d : step_differences(a.plan, a.step)) {
    if (d.part == "total") table.rule();
    if (d.closed == 0 && d.simulated == 0) continue;
    table.row({d.part, significant(d.closed / unit.size, 4), significant(d.simulated / unit.size, 4), percent(d.simulated, d.closed)});
    if (!d.why.empty()) reasons += wrapped(d.part + ": " + d.why + ".", 100, 2);
  }
  return table.text(2) + (reasons.empty() ? "" : "\nWhy they differ:\n" + reasons);
}

std::string stage_table(const SimulationAnswer& a, const DisplayUnit& unit) {
  Table table({{"stage"}, {"passes"}, {"busy, " + unit.name}, {"waiting, %"}, {"peak memory, GiB"}});
  const auto& stages = a.step.timeline.stages;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (stages.size() > most_rows && i >= most_rows / 2 && i + most_rows / 2 < stages.size()) continue;
    const double busy = a.step.timeline.busy(i);
    table.row({grouped(static_cast<std::int64_t>(i)), grouped(static_cast<std::int64_t>(stages[i].size())), significant(busy / unit.size, 4),
               significant(100.0 * (1.0 - busy / a.step.timeline.makespan)), significant(a.step.peak_bytes[i] / gibibytes.base(), 4)});
  }
  return table.text(2);
}

}  // namespace

std::string simulation_report(const SimulationAnswer& a) {
  const double simulated = a.step.seconds.total(), closed = a.plan.closed.time.total().base();
  const DisplayUnit unit = duration_unit({simulated});
  std::string out = fmt::format("{} on {} x {} as {}: {} {} a step simulated, {} {} by the closed form ({}).\n\n", a.question.model,
                                grouped(a.strategy.num_devices()), a.question.device_name, describe(a.strategy), significant(simulated / unit.size, 4),
                                unit.name, significant(closed / unit.size, 4), unit.name, percent(simulated, closed));
  out += parts_table(a, unit) + "\n" + stage_table(a, unit);
  for (const std::string& file : a.files) out += "\nwrote " + file;
  if (!a.files.empty()) out += "\n";
  return out;
}

}  // namespace reckon
