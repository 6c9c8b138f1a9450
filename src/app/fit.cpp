// reckon fit: the six constants of a software stack, from measured runs.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>

#include "app/command.hpp"
#include "app/published.hpp"
#include "io/atomic_file.hpp"
#include "io/catalog_files.hpp"
#include "io/data_path.hpp"
#include "io/stack_files.hpp"
#include "plan/cross_validation.hpp"
#include "plan/fit_interval.hpp"
#include "plan/fit_stack.hpp"
#include "report/table.hpp"

namespace reckon {
namespace {

std::map<std::string, std::vector<const PublishedRun*>> by_stack(const std::vector<ReplayedFile>& files, const CalibrationSet& set) {
  std::map<std::string, std::vector<const PublishedRun*>> out;
  for (const ReplayedFile& file : files)
    for (const PublishedRun& run : file.runs) out[set.stack_of(run).id].push_back(&run);
  return out;
}

/// Errors of one stack's runs.
std::vector<double> errors_of(const std::string& stack, const std::vector<SourcedRun>& runs, const std::vector<Replay>& replays,
                              const CalibrationSet& set) {
  std::vector<double> out;
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (set.stack_of(*runs[i].run).id == stack && replays[i].status != ReplayStatus::unsupported) out.push_back(replays[i].relative_error);
  return out;
}

std::string percent(double v) { return fmt::format("{:.1f}", 100.0 * v); }

}  // namespace

CommandSpec fit_spec() {
  return {
      .name = "fit",
      .purpose = "the constants of a software stack, from measured runs, with cross-validation",
      .examples = {"reckon fit experiments/published/korthikanti22.json", "reckon fit experiments/published/nemo.json --leave-out device"},
      .groups = {{"Fit",
                  {{.name = "only", .argument = "STACK", .help = "this stack alone"},
                   {.name = "leave-out",
                    .argument = "GROUP",
                    .fallback = "model",
                    .help = "cross-validation leaves out one of these at a time: model, device or none"}}},
                 {"Files",
                  {{.name = "stacks", .argument = "FILE", .help = "the stacks to start from instead of models/calibrations/stacks.json"},
                   {.name = "out", .argument = "FILE", .help = "write all stacks with the fitted constants"},
                   {.name = "force", .help = "replace an existing file"}}}},
      .words = {.name = "FILE", .help = "published runs, format reckon/published-runs/1", .least = 1, .most = 1000},
      .notes =
          "Constants and ranges are described in src/calibration/stack.hpp. A constant that ends at the end of its range is named: a "
          "mechanism is missing there."};
}

CommandResult run_fit(const ParsedOptions& options, const MpiSession&) {
  const std::filesystem::path models = data_folder();
  const Catalog catalog = open_catalog(models);
  CalibrationSet set = load_calibrations(catalog, models, options.find("stacks").value_or(""));
  const std::string leave_out = options.choice("leave-out", {"model", "device", "none"});
  const std::vector<ReplayedFile> files = load_runs(options.words(), catalog);
  const std::string only = options.find("only").value_or("");

  Table table({{"stack", Align::left},
               {"runs"},
               {"before %"},
               {"fitted %"},
               {"p90 %"},
               {"left out %"},
               {"product"},
               {"stream"},
               {"host us"},
               {"tensor"},
               {"data"},
               {"jitter"},
               {"at its bound", Align::left}});
  std::vector<StackFit> fits;
  std::vector<SourcedRun> runs;
  for (const auto& [id, members] : by_stack(files, set)) {
    if (!only.empty() && id != only) continue;
    fits.push_back(fit_stack(members, set, set.stack(id)));
    for (const PublishedRun* run : members) runs.push_back({run, ""});
  }
  for (const StackFit& fit : fits) set.stacks.entries[fit.stack.id] = fit.stack;
  const LeaveOut group = leave_out == "device" ? LeaveOut::device : leave_out == "model" ? LeaveOut::model : LeaveOut::none;
  const std::vector<Replay> left_out = cross_validated(runs, set, group);
  for (const StackFit& fit : fits) {
    const StackConstants& c = fit.stack.constants;
    const std::string validated = group == LeaveOut::none ? "-" : percent(summarise(errors_of(fit.stack.id, runs, left_out, set)).median);
    std::string bound;
    for (const std::string& name : fit.at_bound) bound += (bound.empty() ? "" : ", ") + name;
    table.row({fit.stack.id, fmt::to_string(fit.after.n), percent(fit.before.median), percent(fit.after.median), percent(fit.after.p90),
               validated, fmt::format("{:.3f}", c.product_slowdown), fmt::format("{:.2f}", c.stream_slowdown),
               fmt::format("{:.1f}", c.host_time.in(microseconds)), fmt::format("{:.2f}", c.tensor_slowdown),
               fmt::format("{:.2f}", c.exposed_data), fmt::format("{:.4f}", c.scale_jitter), bound});
    Stack& stack = set.stacks.entries[fit.stack.id];
    stack.fit_note = fmt::format("{} runs: median error {} %, 90th percentile {} %, left out by {} {} %", fit.after.n,
                                 percent(fit.after.median), percent(fit.after.p90), leave_out, validated);
    if (group == LeaveOut::model) stack.residuals = residuals_of(stack.id, runs, left_out, set);
  }
  for (auto& [id, stack] : set.stacks.entries)
    if (!stack.median_of.empty()) stack.constants = median_constants(set.stacks, stack.median_of, "");
  if (group == LeaveOut::model && only.empty()) set.stacks.interval = interval_rule(runs, left_out, set);
  if (const auto out = options.find("out")) write_file(*out, write_stacks(set.stacks), options.flag("force"));
  return {table.text()};
}

}  // namespace reckon
