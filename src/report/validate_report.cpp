// SPDX-License-Identifier: Apache-2.0
#include "report/validate_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "plan/regret.hpp"
#include "report/numbers.hpp"
#include "report/plan_report.hpp"
#include "report/table.hpp"

namespace reckon {
namespace {

struct Row {
  const PublishedRun* run;
  const Replay* replay;
};

std::string percent(double v) { return fmt::format("{:.1f}", 100.0 * v); }
std::string signed_percent(double v) { return fmt::format("{:+.1f}", 100.0 * v); }

std::map<std::string, std::vector<Row>> grouped(const std::vector<ReplayedFile>& files, ErrorGroup group) {
  std::map<std::string, std::vector<Row>> out;
  for (const ReplayedFile& file : files)
    for (std::size_t i = 0; i < file.runs.size(); ++i) {
      if (file.replays[i].status == ReplayStatus::unsupported) continue;
      const PublishedRun& run = file.runs[i];
      const std::string& key = group == ErrorGroup::source ? file.source : group == ErrorGroup::stack ? run.stack : run.cluster.device.id;
      out[key].push_back({&run, &file.replays[i]});
    }
  return out;
}

std::vector<double> errors_of(const std::vector<Row>& rows) {
  std::vector<double> out;
  for (const Row& row : rows) out.push_back(row.replay->relative_error);
  return out;
}

/// Median error of the best constant MFU: predicted / measured - 1 = achieved MFU / constant - 1; the best constant is one of the achieved.
double constant_mfu_error(const std::vector<Row>& rows) {
  std::vector<double> achieved;
  for (const Row& row : rows) achieved.push_back(row.replay->cost.mfu * (1.0 + row.replay->relative_error));
  double best = 1e9;
  for (const double constant : achieved) {
    if (constant <= 0) continue;
    std::vector<double> errors;
    for (const double mfu : achieved) errors.push_back(mfu / constant - 1.0);
    best = std::min(best, summarise(errors).median);
  }
  return best < 1e9 ? best : 0.0;
}

/// Share of the runs whose measured time lies in the 90 % interval of the prediction.
double coverage(const std::vector<Row>& rows) {
  double inside = 0;
  for (const Row& row : rows) inside += row.replay->interval.low <= row.run->step_time && row.run->step_time <= row.replay->interval.high;
  return rows.empty() ? 0.0 : inside / static_cast<double>(rows.size());
}

bool has_traced(const ReplayedFile& file) {
  return std::any_of(file.replays.begin(), file.replays.end(), [](const Replay& r) { return r.traced; });
}

void add_row(Table& table, const std::string& name, const ErrorSummary& s, double constant, double covered) {
  table.row({name, fmt::to_string(s.n), percent(s.median), percent(s.mean), percent(s.p90), percent(s.worst), signed_percent(s.bias),
             percent(constant), fmt::format("{:.0f}", 100.0 * covered)});
}

/// One row of the error table.
struct Errors {
  ErrorSummary summary;
  double constant = 0;  ///< median error of the best constant MFU
  double covered = 0;   ///< share of the runs in their interval
};

/// The columns of every group, by name.
std::map<std::string, Errors> errors_by(ErrorGroup group, const std::vector<ReplayedFile>& files) {
  std::map<std::string, Errors> out;
  for (const auto& [name, rows] : grouped(files, group)) out[name] = {summarise(errors_of(rows)), constant_mfu_error(rows), coverage(rows)};
  return out;
}

/// Their mean; coverage is pooled over runs.
void add_average(Table& table, const std::string& name, const std::map<std::string, Errors>& groups) {
  if (groups.empty()) return;
  std::vector<ErrorSummary> summaries;
  double constant = 0, covered = 0;
  for (const auto& [key, e] : groups) {
    summaries.push_back(e.summary);
    constant += e.constant;
    covered += e.covered * static_cast<double>(e.summary.n);
  }
  const ErrorSummary mean = average(summaries);
  add_row(table, name, mean, constant / static_cast<double>(groups.size()), covered / static_cast<double>(mean.n));
}

}  // namespace

std::string error_table(const std::vector<ReplayedFile>& files, ErrorGroup group) {
  const char* title = group == ErrorGroup::source ? "source" : group == ErrorGroup::stack ? "stack" : "device";
  Table table({{title, Align::left}, {"runs"}, {"median %"}, {"mean %"}, {"p90 %"}, {"worst %"}, {"bias %"}, {"one MFU %"}, {"covered %"}});
  const std::map<std::string, Errors> groups = errors_by(group, files);
  for (const auto& [name, e] : groups) add_row(table, name, e.summary, e.constant, e.covered);
  if (!groups.empty()) table.rule();
  add_average(table, fmt::format("average of {}s", title), groups);
  if (std::any_of(files.begin(), files.end(), has_traced)) add_average(table, "of measured runs alone", errors_by(group, measured_alone(files)));
  return table.text();
}

std::string worst_table(const std::vector<ReplayedFile>& files, std::size_t count) {
  std::vector<Row> rows;
  for (const auto& [name, group] : grouped(files, ErrorGroup::source)) rows.insert(rows.end(), group.begin(), group.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return std::abs(a.replay->relative_error) > std::abs(b.replay->relative_error); });
  if (rows.size() > count) rows.resize(count);
  Table table({{"run", Align::left}, {"measured s"}, {"predicted s"}, {"error %"}, {"strategy", Align::left}});
  for (const Row& row : rows)
    table.row({row.run->id, fmt::format("{:.3g}", row.run->step_time.base()), fmt::format("{:.3g}", row.replay->cost.time.total().base()),
               signed_percent(row.replay->relative_error), describe(row.run->strategy)});
  return table.text();
}

std::string choice_table(const std::vector<ChoiceCheck>& checks, const std::string& restrictions) {
  constexpr double agreement = 0.03;
  Table table({{"run", Align::left}, {"was run", Align::left}, {"measured s"}, {"predicted s"}, {"place"}, {"of"}, {"first of the plan", Align::left}, {"s"}, {"nearest %"}, {"agrees", Align::left}});
  std::int64_t agree = 0;
  for (const ChoiceCheck& c : checks) {
    const bool ok = c.agrees(agreement);
    agree += ok ? 1 : 0;
    table.row({c.id, short_strategy(c.chosen), significant(c.measured.base()), significant(c.predicted.base()),
               c.chosen_fits ? fmt::to_string(c.faster + 1) : "too large", fmt::to_string(c.space), c.best.empty() ? "nothing fits" : short_strategy(c.best[0].strategy),
               c.best.empty() ? "" : significant(c.best[0].cost.time.total().base()), c.best.empty() ? "" : signed_percent(c.nearest()), ok ? "yes" : "no"});
  }
  const std::size_t keep = checks.empty() ? 0 : std::max_element(checks.begin(), checks.end(), [](const auto& a, const auto& b) { return a.best.size() < b.best.size(); })->best.size();
  return table.text() + fmt::format("{} of {} runs: one of the {} best is within {:.0f} % of what was run{}\n", agree, checks.size(), keep, 100.0 * agreement,
                                    restrictions.empty() ? "" : "; space: " + restrictions);
}

std::string regret_table(const std::vector<ReplayedFile>& files) {
  Table table({{"source", Align::left}, {"groups"}, {"strategies"}, {"mean %"}, {"worst %"}, {"worst group", Align::left}});
  double groups = 0, sum = 0;
  for (const ReplayedFile& file : files) {
    const std::vector<RegretGroup> all = regret_groups(file.runs, file.replays);
    if (all.empty()) continue;
    double mean = 0, strategies = 0;
    const RegretGroup* worst = &all.front();
    for (const RegretGroup& g : all) {
      mean += g.regret;
      strategies += static_cast<double>(g.strategies);
      if (g.regret > worst->regret) worst = &g;
    }
    groups += static_cast<double>(all.size());
    sum += mean;
    table.row({file.source, fmt::to_string(all.size()), fmt::format("{:.0f}", strategies), percent(mean / static_cast<double>(all.size())),
               percent(worst->regret), worst->name});
  }
  if (groups == 0) return {};
  table.rule();
  table.row({"all groups", fmt::format("{:.0f}", groups), "", percent(sum / groups), "", ""});
  if (std::any_of(files.begin(), files.end(), has_traced)) {
    double measured = 0, regret = 0;
    for (const ReplayedFile& file : measured_alone(files))
      for (const RegretGroup& g : regret_groups(file.runs, file.replays)) measured += 1, regret += g.regret;
    if (measured > 0) table.row({"of measured runs alone", fmt::format("{:.0f}", measured), "", percent(regret / measured), "", ""});
  }
  return table.text();
}

std::string memory_table(const std::vector<ReplayedFile>& files) {
  Table table({{"source", Align::left}, {"runs"}, {"median %"}, {"mean %"}, {"worst %"}, {"bias %"}});
  std::size_t groups = 0;
  std::vector<double> all;
  for (const auto& [name, rows] : grouped(files, ErrorGroup::source)) {
    std::vector<double> errors;
    for (const Row& row : rows)
      if (row.run->peak_memory) errors.push_back(comparable_memory(*row.run, row.replay->cost) / *row.run->peak_memory - 1.0);
    if (errors.empty()) continue;
    const ErrorSummary s = summarise(errors);
    table.row({name, fmt::to_string(s.n), percent(s.median), percent(s.mean), percent(s.worst), signed_percent(s.bias)});
    all.insert(all.end(), errors.begin(), errors.end());
    ++groups;
  }
  if (groups == 0) return {};
  const ErrorSummary s = summarise(all);
  table.rule();
  table.row({"all runs", fmt::to_string(s.n), percent(s.median), percent(s.mean), percent(s.worst), signed_percent(s.bias)});
  return table.text();
}

}  // namespace reckon
