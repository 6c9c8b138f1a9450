// reckon validate: predicted against measured, run by run.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/command.hpp"
#include "app/published.hpp"
#include "app/space_options.hpp"
#include "io/catalog_files.hpp"
#include "io/data_path.hpp"
#include "plan/cross_validation.hpp"
#include "plan/choice.hpp"
#include "report/validate_report.hpp"

namespace reckon {

namespace {

LeaveOut leave_out_of(const std::string& word) {
  if (word == "model") return LeaveOut::model;
  if (word == "device") return LeaveOut::device;
  if (word == "source") return LeaveOut::source;
  return word == "stack" ? LeaveOut::stack : LeaveOut::none;
}

void replay_all(std::vector<ReplayedFile>& files, const CalibrationSet& set, LeaveOut leave_out) {
  std::vector<SourcedRun> runs;
  for (const ReplayedFile& file : files)
    for (const PublishedRun& run : file.runs) runs.push_back({&run, file.source});
  const std::vector<Replay> replays = cross_validated(runs, set, leave_out);
  auto next = replays.begin();
  for (ReplayedFile& file : files) {
    const auto end = next + static_cast<std::ptrdiff_t>(file.runs.size());
    file.replays.assign(next, end);
    next = end;
  }
}

/// --only: the runs whose id holds the text.
void keep_only(std::vector<ReplayedFile>& files, const ParsedOptions& options) {
  if (!options.given("only")) return;
  const std::string text = options.text("only");
  for (ReplayedFile& file : files) std::erase_if(file.runs, [&text](const PublishedRun& run) { return run.id.find(text) == std::string::npos; });
  std::erase_if(files, [](const ReplayedFile& file) { return file.runs.empty(); });
  if (files.empty()) options.fail("only", "no run has such an id", "look at the ids in the files");
}

/// --replan: every run planned anew, its strategy held against the best.
CommandResult replanned(const std::vector<ReplayedFile>& files, const CalibrationSet& set, const ParsedOptions& options) {
  const auto keep = static_cast<std::size_t>(options.count("replan", 1, 1000));
  const SearchSpace space = read_space(options);
  std::vector<ChoiceCheck> checks;
  for (const ReplayedFile& file : files)
    for (const PublishedRun& run : file.runs) checks.push_back(check_choice(run, set, space, keep));
  return {options.flag("json") ? choices_json(checks) : choice_table(checks, restrictions(options))};
}

}  // namespace

CommandSpec validate_spec() {
  return {.name = "validate",
          .purpose = "published training runs replayed: predicted against measured step times",
          .examples = {"reckon validate experiments/published/korthikanti22.json",
                       "reckon validate experiments/published/*.json",
                       "reckon validate experiments/published/zero_bubble.json --by stack --worst 5",
                       "reckon validate experiments/published/korthikanti22.json --leave-out model",
                       "reckon validate experiments/published/other_frameworks.json --only nanotron --replan 5 --cp 1 --recompute none --schedule 1f1b --sharding none,zero1",
                       "reckon validate experiments/published/simumax_b200.json --json"},
          .groups = {{"Answer",
                      {{.name = "json", .help = "one JSON document, schema reckon/validate-result/1"},
                       {.name = "by", .argument = "GROUP", .fallback = "source", .help = "rows of the table: source, stack or device"},
                       {.name = "leave-out", .argument = "GROUP", .fallback = "none",
                        .help = "fit the constants anew without the run's model, device, source or stack (minutes for large sets)"},
                       {.name = "replan", .argument = "K", .help = "plan every run again and compare the K best with the strategy that was run"},
                       {.name = "worst", .argument = "N", .fallback = "0", .help = "also list the N runs with the largest errors"}}},
                     space_options(),
                     {"Inputs", {{.name = "only", .argument = "TEXT", .help = "only the runs whose id holds this text"},
                                 {.name = "stacks", .argument = "FILE", .help = "software stacks instead of models/calibrations/stacks.json"}}}},
          .words = {.name = "FILE", .help = "published runs, format reckon/published-runs/1", .least = 1, .most = 1000},
          .notes = "The error of a run is predicted / measured - 1 of the step time, at the run's own strategy, also where the memory model says "
                   "that it does not fit. 'one MFU' is the median error of the single constant utilisation that suits the row best in hindsight; 'covered' the share of runs in the 90 % interval. With "
                   "--replan the options of the space say what the software of the runs could do."};
}

CommandResult run_validate(const ParsedOptions& options, const MpiSession&) {
  const std::filesystem::path models = data_folder();
  const Catalog catalog = open_catalog(models);
  const CalibrationSet set = load_calibrations(catalog, models, options.find("stacks").value_or(""));
  const std::string by = options.choice("by", {"source", "stack", "device"});
  const auto worst = static_cast<std::size_t>(options.count("worst", 0, 100000));
  std::vector<ReplayedFile> files = load_runs(options.words(), catalog);
  keep_only(files, options);
  if (options.given("replan")) return replanned(files, set, options);
  replay_all(files, set, leave_out_of(options.choice("leave-out", {"none", "model", "device", "source", "stack"})));
  if (options.flag("json")) return {validate_document(files)};

  std::size_t runs = 0, refused = 0, tight = 0, unsupported = 0;
  for (const ReplayedFile& file : files)
    for (const Replay& r : file.replays) {
      ++runs;
      refused += r.status == ReplayStatus::infeasible;
      tight += r.status == ReplayStatus::ok && !r.reason.empty();
      unsupported += r.status == ReplayStatus::unsupported;
    }
  std::string out = error_table(files, by == "stack" ? ErrorGroup::stack : by == "device" ? ErrorGroup::device : ErrorGroup::source);
  out += fmt::format("{} runs; {} unsupported; {} that ran are called infeasible, {} more exceed their device by less than the memory model's error ({:.0f} %)\n",
                     runs, unsupported, refused, tight, 100.0 * memory_error);
  const std::string regret = regret_table(files);
  if (!regret.empty()) out += "\nRegret of the strategy predicted fastest, in groups of three or more strategies\n" + regret;
  const std::string memory = memory_table(files);
  if (!memory.empty()) out += "\nPeak memory, where it was measured\n" + memory;
  if (worst > 0) out += "\nLargest errors\n" + worst_table(files, worst);
  return {out};
}

}  // namespace reckon
