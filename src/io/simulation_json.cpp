// SPDX-License-Identifier: Apache-2.0
#include "io/simulation_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/json.hpp"

namespace reckon {
namespace {

using Json = nlohmann::ordered_json;

Json parts_json(const std::vector<StepDifference>& differences) {
  Json parts = Json::array();
  for (const StepDifference& d : differences)
    parts.push_back({{"part", d.part}, {"closed_s", d.closed}, {"simulated_s", d.simulated}, {"where", d.where}, {"why", d.why}});
  return parts;
}

Json step_json(const SimulationAnswer& a) {
  const Json parts = parts_json(step_differences(a.plan, a.step));
  Json stages = Json::array();
  for (std::size_t i = 0; i < a.step.timeline.stages.size(); ++i)
    stages.push_back({{"stage", i},
                      {"busy_s", a.step.timeline.busy(i)},
                      {"actions", a.step.timeline.stages[i].size()},
                      {"peak_memory_bytes", a.step.peak_bytes[i]}});
  const StepSeconds& s = a.step.seconds;
  return {{"simulated_s", s.total()}, {"closed_form_s", a.plan.closed.time.total().base()},
          {"work_s", s.work},         {"bubble_s", s.bubble},
          {"data_s", s.data},         {"optimizer_s", s.optimizer},
          {"jitter_s", s.jitter},     {"bubble_share", a.step.timeline.bubble_share()},
          {"parts", parts},           {"stages", stages}};
}

Json spread_json(const RunSummary::Spread& s) { return {{"p10", s.p10}, {"p50", s.p50}, {"p90", s.p90}, {"mean", s.mean}}; }

Json run_json(const RunAnswer& r) {
  const RunOutcome& m = r.summary.mean;
  return {{"samples", r.summary.samples},
          {"seed", r.seed},
          {"work_s", r.scenario.work.base()},
          {"mean_time_to_interruption_s", mean_time_to_interruption(r.scenario).base()},
          {"wall_s", spread_json(r.summary.wall)},
          {"goodput", spread_json(r.summary.goodput)},
          {"cost_usd", spread_json(r.summary.dollars)},
          {"interruptions", spread_json(r.summary.interruptions)},
          {"mean_s",
           {{"checkpoints", m.checkpoint},
            {"slowed_by_writes", m.slowed},
            {"lost_work", m.lost},
            {"down", m.down},
            {"waiting", m.waiting},
            {"data_stalls", m.stalled}}},
          {"mean_planned_stops", m.planned},
          {"mean_preemptions", m.preemptions},
          {"checkpoint_interval",
           {{"young_s", r.intervals.young.base()},
            {"daly_s", r.intervals.daly.base()},
            {"simulated_s", r.intervals.simulated.base()},
            {"goodput_young", r.intervals.goodput_young},
            {"goodput_daly", r.intervals.goodput_daly},
            {"goodput_simulated", r.intervals.goodput_simulated}}}};
}

}  // namespace

std::string add_replays(const std::string& plan_json, const std::vector<PlanReplay>& replays) {
  Json root = Json::parse(plan_json);
  Json all = Json::array();
  for (const PlanReplay& r : replays)
    all.push_back({{"devices", r.devices},
                   {"place", r.place},
                   {"strategy", describe(r.strategy)},
                   {"closed_form_s", r.closed},
                   {"simulated_s", r.simulated},
                   {"parts", parts_json(r.parts)}});
  root["replays"] = all;
  return dump_json(root);
}

std::string histogram_svg(const RunAnswer& run, const std::string& title) {
  constexpr int bars = 60;
  constexpr double width = 900, height = 320, left = 40, top = 40;
  std::vector<double> sorted = run.wall;
  std::sort(sorted.begin(), sorted.end());
  const double low = sorted.front() / days.base(), high = quantile(sorted, 0.999) / days.base(), bin = std::max((high - low) / bars, 1e-9);
  std::vector<double> count(bars, 0.0);
  for (const double w : sorted) count[static_cast<std::size_t>(std::clamp((w / days.base() - low) / bin, 0.0, bars - 1.0))] += 1;
  const double most = *std::max_element(count.begin(), count.end());
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" font-family=\"sans-serif\" font-size=\"11\">\n<rect "
      "width=\"100%\" height=\"100%\" "
      "fill=\"#fff\"/>\n<text x=\"8\" y=\"18\" font-size=\"14\">{}: time to train, {} samples</text>\n",
      width + 2 * left, height + top + 50, title, sorted.size());
  for (int k = 0; k < bars; ++k)
    out += fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"#4f81bd\"/>\n", left + width * k / bars,
                       top + height * (1 - count[static_cast<std::size_t>(k)] / most), width / bars - 1,
                       height * count[static_cast<std::size_t>(k)] / most);
  const auto mark = [&](const char* name, double wall) {
    const double at = left + width * std::clamp((wall / days.base() - low) / (bin * bars), 0.0, 1.0);
    out += fmt::format(
        "<path d=\"M{0:.1f} {1}v{2}\" stroke=\"#b05050\"/><text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4} {5:.4g} d</text>\n", at,
        top, height, top + height + (name[1] == '5' ? 30 : 16), name, wall / days.base());
  };
  mark("P10", run.summary.wall.p10), mark("P50", run.summary.wall.p50), mark("P90", run.summary.wall.p90);
  return out + "</svg>\n";
}

std::string simulation_json(const SimulationAnswer& a) {
  Json out{{"schema", "reckon/simulation/1"},
           {"model", a.question.model},
           {"cluster", a.question.cluster},
           {"devices", a.strategy.num_devices()},
           {"strategy", describe(a.strategy)}};
  out["step"] = step_json(a);
  if (a.unfolded)
    out["unfolded"] = {{"step_s", a.unfolded->seconds},
                       {"pipeline_s", a.unfolded->pipeline},
                       {"devices", a.unfolded->devices},
                       {"tasks", a.unfolded->tasks},
                       {"stage_end_s", a.unfolded->stage_end}};
  if (a.contention) {
    Json loads = Json::array();
    for (const LinkLoad& l : a.contention->loads) loads.push_back({{"link", l.link}, {"bytes", l.bytes}, {"share", l.share}});
    Json messages = Json::array();
    for (const MessageContention& m : a.contention->messages) messages.push_back({{"kind", name_of(m.stream)}, {"slowdown", m.slowdown}});
    out["contention"] = {{"added_s", a.contention->added},
                         {"reduce_end_s", a.contention->reduce_end},
                         {"gather_s", a.contention->gather},
                         {"busiest_links", loads},
                         {"added_by_model_parallel_s", a.contention->added_model},
                         {"added_by_data_parallel_s", a.contention->added_data},
                         {"messages", messages}};
  }
  if (a.run) out["run"] = run_json(*a.run);
  out["files"] = a.files;
  return dump_json(out);
}

}  // namespace reckon
