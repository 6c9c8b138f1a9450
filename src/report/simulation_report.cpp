// SPDX-License-Identifier: Apache-2.0
#include "report/simulation_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/numbers.hpp"
#include "report/parts_report.hpp"
#include "report/table.hpp"

namespace reckon {
namespace {

constexpr std::size_t most_links = 8;
constexpr std::size_t most_rows = 16;  // stages listed one by one

std::string percent(double part, double whole) { return whole > 0 ? fmt::format("{:+.2f} %", 100.0 * (part / whole - 1.0)) : "-"; }

std::string reason(const StepDifference& d) { return d.where.empty() ? d.why : d.where + "; " + d.why; }

std::string parts_table(const SimulationAnswer& a, const DisplayUnit& unit) {
  Table table({{"part", Align::left}, {"closed form, " + unit.name}, {"simulated, " + unit.name}, {"difference"}});
  std::string reasons;
  for (const StepDifference& d : step_differences(a.plan, a.step)) {
    if (d.part == "total") table.rule();
    if (d.closed == 0 && d.simulated == 0) continue;
    table.row({d.part, significant(d.closed / unit.size, 4), significant(d.simulated / unit.size, 4), percent(d.simulated, d.closed)});
    if (!d.why.empty()) reasons += wrapped(d.part + ": " + reason(d) + ".", 100, 2);
  }
  return table.text(2) + (reasons.empty() ? "" : "\nWhere and why they differ:\n" + reasons);
}

std::string stage_table(const SimulationAnswer& a, const DisplayUnit& unit) {
  Table table({{"stage"}, {"passes"}, {"busy, " + unit.name}, {"waiting, %"}, {"peak memory, GiB"}});
  const auto& stages = a.step.timeline.stages;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (stages.size() > most_rows && i >= most_rows / 2 && i + most_rows / 2 < stages.size()) continue;
    const double busy = a.step.timeline.busy(i);
    table.row({grouped(static_cast<std::int64_t>(i)), grouped(static_cast<std::int64_t>(stages[i].size())),
               significant(busy / unit.size, 4), significant(100.0 * (1.0 - busy / a.step.timeline.makespan)),
               significant(a.step.peak_bytes[i] / gibibytes.base(), 4)});
  }
  return table.text(2);
}

std::string unfolded_text(const SimulationAnswer& a, const DisplayUnit& unit) {
  const double calm = a.step.seconds.total() - a.step.seconds.jitter;
  return fmt::format(
      "\nEvery device by itself: {} {} a step on {} devices, {} tasks; {} against the undisturbed {} {} (both without the stack's "
      "allowance "
      "for jitter).\n",
      significant(a.unfolded->seconds / unit.size, 4), unit.name, grouped(a.unfolded->devices), grouped(a.unfolded->tasks),
      percent(a.unfolded->seconds, calm), significant(calm / unit.size, 4), unit.name);
}

std::string contention_text(const Contention& c, const DisplayUnit& unit) {
  const auto time = [&](double seconds) { return significant(seconds / unit.size) + " " + unit.name; };
  std::string out = fmt::format(
      "\nMessages on shared links, all groups at once: {} added to the step; {} by model-parallel messages alone, {} by data-parallel ones "
      "alone.\n",
      time(c.added), time(c.added_model), time(c.added_data));
  for (const MessageContention& m : c.messages)
    out += fmt::format("{}{} {:.2f}", &m == &c.messages[0] ? "Times as long as alone: " : ", ", name_of(m.stream), m.slowdown);
  if (!c.messages.empty()) out += ".\n";
  if (c.loads.empty()) return out;
  Table table({{"busiest links", Align::left}, {"GB a step"}, {"load, %"}});
  for (std::size_t k = 0; k < std::min(most_links, c.loads.size()); ++k)
    table.row({c.loads[k].link, significant(c.loads[k].bytes / 1e9), significant(100 * c.loads[k].share)});
  return out + "\n" + table.text(2);
}

std::string run_text(const RunAnswer& r) {
  const RunSummary& s = r.summary;
  std::string out = fmt::format(
      "\nThe run, {} times: {} of training become {} (P10 {}, P90 {}); goodput {} % (P10 {}, P90 {}); {} interruptions (P10 {}, P90 {}), "
      "one every {}.\n",
      grouped(static_cast<std::int64_t>(s.samples)), run_text(r.scenario.work), run_text(Seconds{s.wall.p50}),
      run_text(Seconds{s.wall.p10}), run_text(Seconds{s.wall.p90}), significant(100 * s.goodput.p50), significant(100 * s.goodput.p10),
      significant(100 * s.goodput.p90), significant(s.interruptions.p50), significant(s.interruptions.p10),
      significant(s.interruptions.p90), run_text(mean_time_to_interruption(r.scenario)));
  if (s.dollars.p50 > 0)
    out += fmt::format("It costs {} (P10 {}, P90 {}), spares included.\n", money_text(Dollars{s.dollars.p50}),
                       money_text(Dollars{s.dollars.p10}), money_text(Dollars{s.dollars.p90}));
  Table table({{"where the time goes", Align::left}, {"hours"}, {"share, %"}});
  const std::pair<const char*, double> parts[] = {
      {"training", r.scenario.work.base()}, {"checkpoints", s.mean.checkpoint},        {"slowed by writes", s.mean.slowed},
      {"lost work", s.mean.lost},           {"down: detection, restart", s.mean.down}, {"waiting: repair, capacity", s.mean.waiting},
      {"data stalls", s.mean.stalled}};
  for (const auto& [name, part] : parts)
    if (part > 0) table.row({name, significant(part / hours.base()), significant(100 * part / s.mean.wall)});
  out += "\n" + table.text(2);
  const CheckpointIntervals& c = r.intervals;
  if (c.young > Seconds{})
    out += fmt::format(
        "\nCheckpoints: every {} by Young (goodput {:.2f} %), {} by Daly ({:.2f} %), {} loses least in simulation ({:.2f} %).\n",
        run_text(c.young), 100 * c.goodput_young, run_text(c.daly), 100 * c.goodput_daly, run_text(c.simulated), 100 * c.goodput_simulated);
  return out;
}

}  // namespace

std::string replays_report(const std::vector<PlanReplay>& replays) {
  if (replays.empty()) return "";
  std::vector<double> times;
  for (const PlanReplay& r : replays) times.push_back(r.simulated);
  const DisplayUnit unit = duration_unit(times);
  Table table(
      {{"devices"}, {"place"}, {"strategy", Align::left}, {"closed form, " + unit.name}, {"simulated, " + unit.name}, {"difference"}});
  std::string reasons;
  for (const PlanReplay& r : replays) {
    table.row({grouped(r.devices), grouped(r.place), describe(r.strategy), significant(r.closed / unit.size, 4),
               significant(r.simulated / unit.size, 4), percent(r.simulated, r.closed)});
    for (const StepDifference& d : r.parts)
      if (!d.why.empty() && d.part != "total")
        reasons += wrapped(fmt::format("{} devices, place {}, {}: {}.", grouped(r.devices), r.place, d.part, reason(d)), 100, 2);
  }
  return "\nReplayed event by event:\n\n" + table.text(2) + (reasons.empty() ? "" : "\nWhere and why they differ:\n" + reasons);
}

std::string simulation_report(const SimulationAnswer& a) {
  const double simulated = a.step.seconds.total(), closed = a.plan.closed.time.total().base();
  const DisplayUnit unit = duration_unit({simulated});
  std::string out =
      fmt::format("{} on {} x {} as {}: {} {} a step simulated, {} {} by the closed form ({}).\n\n", a.question.model,
                  grouped(a.strategy.num_devices()), a.question.device_name, describe(a.strategy), significant(simulated / unit.size, 4),
                  unit.name, significant(closed / unit.size, 4), unit.name, percent(simulated, closed));
  out += parts_table(a, unit) + "\n" + stage_table(a, unit);
  if (a.unfolded) out += unfolded_text(a, unit);
  if (a.contention) out += contention_text(*a.contention, unit);
  if (a.run) out += run_text(*a.run);
  for (const std::string& file : a.files) out += "\nwrote " + file;
  if (!a.files.empty()) out += "\n";
  return out;
}

}  // namespace reckon
