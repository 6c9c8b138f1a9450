// reckon fit: the six constants of a software stack, from measured runs.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>
#include <set>

#include "app/command.hpp"
#include "app/published.hpp"
#include "io/atomic_file.hpp"
#include "io/catalog_files.hpp"
#include "io/data_path.hpp"
#include "io/stack_files.hpp"
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

/// What cross-validation leaves out together.
std::string group_of(const PublishedRun& run, const std::string& by) { return by == "device" ? run.cluster.device.id : run.architecture.name; }

std::string percent(double v) { return fmt::format("{:.1f}", 100.0 * v); }

}  // namespace

CommandSpec fit_spec() {
  return {.name = "fit",
          .purpose = "the constants of a software stack, from measured runs, with cross-validation",
          .examples = {"reckon fit experiments/published/korthikanti22.json",
                       "reckon fit experiments/published/nemo.json --leave-out device"},
          .groups = {{"Fit",
                      {{.name = "only", .argument = "STACK", .help = "this stack alone"},
                       {.name = "leave-out", .argument = "GROUP", .fallback = "model", .help = "cross-validation leaves out one of these at a time: model, device or none"}}},
                     {"Files",
                      {{.name = "stacks", .argument = "FILE", .help = "the stacks to start from instead of models/calibrations/stacks.json"},
                       {.name = "out", .argument = "FILE", .help = "write all stacks with the fitted constants"},
                       {.name = "force", .help = "replace an existing file"}}}},
          .words = {.name = "FILE", .help = "published runs, format reckon/published-runs/1", .least = 1, .most = 1000},
          .notes = "Constants and ranges are described in src/calibration/stack.hpp. A constant that ends at the end of its range is named: a "
                   "mechanism is missing there."};
}

CommandResult run_fit(const ParsedOptions& options, const MpiSession&) {
  const std::filesystem::path models = data_folder();
  const Catalog catalog = open_catalog(models);
  CalibrationSet set = load_calibrations(catalog, models, options.find("stacks").value_or(""));
  const std::string leave_out = options.choice("leave-out", {"model", "device", "none"});
  const std::vector<ReplayedFile> files = load_runs(options.words(), catalog);
  const std::string only = options.find("only").value_or("");

  Table table({{"stack", Align::left}, {"runs"}, {"before %"}, {"fitted %"}, {"p90 %"}, {"left out %"}, {"product"}, {"stream"}, {"host us"},
               {"tensor"}, {"data"}, {"jitter"}, {"at its bound", Align::left}});
  StackTable fitted = set.stacks;
  for (const auto& [id, runs] : by_stack(files, set)) {
    if (!only.empty() && id != only) continue;
    const Stack prior = set.stack(id);
    const StackFit fit = fit_stack(runs, set, prior);
    std::string validated = "-";
    if (leave_out != "none") {
      std::vector<std::string> groups;
      for (const PublishedRun* run : runs) groups.push_back(group_of(*run, leave_out));
      if (std::set<std::string>(groups.begin(), groups.end()).size() > 1) validated = percent(summarise(cross_validate(runs, groups, set, prior)).median);
    }
    const StackConstants& c = fit.stack.constants;
    std::string bound;
    for (const std::string& name : fit.at_bound) bound += (bound.empty() ? "" : ", ") + name;
    table.row({id, fmt::to_string(runs.size()), percent(fit.before.median), percent(fit.after.median), percent(fit.after.p90), validated,
               fmt::format("{:.3f}", c.product_slowdown), fmt::format("{:.2f}", c.stream_slowdown), fmt::format("{:.1f}", c.host_time.in(microseconds)),
               fmt::format("{:.2f}", c.tensor_slowdown), fmt::format("{:.2f}", c.exposed_data), fmt::format("{:.4f}", c.scale_jitter), bound});
    Stack stack = fit.stack;
    stack.id = id;
    stack.fit_note = fmt::format("{} runs: median error {} %, 90th percentile {} %, left out by {} {} %", runs.size(), percent(fit.after.median),
                                 percent(fit.after.p90), leave_out, validated);
    fitted.entries[id] = stack;
  }
  if (const auto out = options.find("out")) write_file(*out, write_stacks(fitted), options.flag("force"));
  return {table.text()};
}

}  // namespace reckon
