// SPDX-License-Identifier: Apache-2.0
#include "report/plan_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/text.hpp"
#include "report/cost_report.hpp"
#include "report/numbers.hpp"
#include "report/parts_report.hpp"
#include "report/table.hpp"
#include "report/verdict.hpp"

namespace reckon {
namespace {

constexpr std::size_t page_width = 120;

/// The values of one column over the best plans, to choose its unit.
std::vector<double> over_best(const PlanResults& r, const std::function<double(const PlanPoint&)>& value) {
  std::vector<double> out;
  for (const PlanSize& size : r.sizes)
    if (const PlanPoint* p = r.best_of(size.devices)) out.push_back(value(*p));
  return out;
}

DisplayUnit step_unit(const PlanResults& r) {
  return duration_unit(over_best(r, [](const PlanPoint& p) { return p.cost.time.total().base(); }));
}

std::string titled(const std::string& name, const DisplayUnit& unit) { return unit.name.empty() ? name : name + ", " + unit.name; }

std::string sizes_table(const PlanResults& r, const Verdict& verdict) {
  const DisplayUnit run = run_unit(over_best(r, [](const PlanPoint& p) { return p.projection.wall_time.base(); }));
  const DisplayUnit money = money_unit(over_best(r, [](const PlanPoint& p) { return p.projection.cost().base(); }));
  const DisplayUnit step = step_unit(r);
  const DisplayUnit rate = rate_unit(over_best(r, [](const PlanPoint& p) { return p.projection.throughput.base(); }));
  const std::string unit = r.question.counts_tokens ? "tokens/s" : "samples/s";
  Table table({{"", Align::left},
               {"devices"},
               {titled("time", run)},
               {titled("cost", money)},
               {"device-hours"},
               {titled("step", step)},
               {rate.name.empty() ? unit : rate.name + " " + unit},
               {"MFU, %"},
               {"memory, GiB"},
               {"goodput, %"},
               {"strategy", Align::left}});
  for (const PlanSize& size : r.sizes) {
    const PlanPoint* p = r.best_of(size.devices);
    if (p == nullptr) {
      const PlanPoint* miss = r.nearest_miss_of(size.devices);
      table.row(
          {"", grouped(size.devices), "-", "-", "-", "-", "-", "-", miss ? significant(miss->cost.memory.total().in(gibibytes)) : "-", "-",
           size.status == SizeStatus::no_strategy ? "no strategy divides this size" : "does not fit: " + short_strategy(miss->strategy)});
      continue;
    }
    const Projection& t = p->projection;
    table.row({fmt::format("{}{}", p == verdict.answer ? ">" : " ", size.on_front ? "*" : " "), grouped(size.devices),
               significant(t.wall_time.base() / run.size), significant(t.cost().base() / money.size),
               t.device_hours < 1000 ? significant(t.device_hours) : grouped(std::llround(t.device_hours)),
               significant(p->cost.time.total().base() / step.size), significant(t.throughput.base() / rate.size),
               significant(100 * p->cost.mfu), significant(p->cost.memory.total().in(gibibytes)), significant(100 * t.goodput.value),
               short_strategy(p->strategy)});
  }
  return table.text();
}

/// Up to four sizes to look at closely: the smallest, the answer, the fastest, and one between.
std::vector<const PlanPoint*> close_ups(const PlanResults& r, const Verdict& verdict) {
  std::vector<const PlanPoint*> all, out;
  for (const PlanSize& size : r.sizes)
    if (const PlanPoint* p = r.best_of(size.devices)) all.push_back(p);
  if (all.size() <= 4) return all;
  out = {all.front(), verdict.answer, verdict.fastest, all[all.size() / 2]};
  std::sort(out.begin(), out.end(), [](const PlanPoint* a, const PlanPoint* b) { return a->devices < b->devices; });
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string close_up_text(const PlanResults& r, const Verdict& verdict) {
  std::vector<PartsColumn> columns;
  for (const PlanPoint* p : close_ups(r, verdict)) columns.push_back({grouped(p->devices), p});
  if (columns.empty()) return "";
  const DisplayUnit step = step_unit(r);
  return "\nPart by part, on so many devices\n" + step_time_report(columns, step) + "\n" + memory_report(columns) +
         fmt::format("{} GiB of {} GiB may be used\n", significant(r.question.usable_memory().in(gibibytes)),
                     significant(r.question.device_memory.in(gibibytes)));
}

std::string runners_up(const PlanResults& r, const Verdict& verdict) {
  if (verdict.answer == nullptr) return "";
  Table table({{"place"}, {"step, s"}, {"MFU, %"}, {"memory, GiB"}, {"strategy", Align::left}});
  int rows = 0;
  for (const PlanPoint& p : r.candidates) {
    if (p.devices != verdict.answer->devices) continue;
    table.row({fmt::to_string(p.place), significant(p.cost.time.total().base(), 4), significant(100 * p.cost.mfu),
               significant(p.cost.memory.total().in(gibibytes)), short_strategy(p.strategy)});
    ++rows;
  }
  if (rows < 2) return "";
  return fmt::format("\nThe {} fastest strategies on {} devices\n", rows, grouped(verdict.answer->devices)) + table.text();
}

std::string remarks(const PlanResults& r) {
  std::string out;
  for (const PlanSize& size : r.sizes)
    if (!size.remark.empty()) out += wrapped(fmt::format("{} devices: {}", grouped(size.devices), size.remark), page_width, 2);
  return out.empty() ? "" : "\nRemarks\n" + out;
}

/// What was searched, and why nothing better was left out.
std::string proof(const PlanResults& r) {
  SearchCounts sum;
  for (const PlanSize& size : r.sizes) sum += size.counts;
  if (sum.space == 0) return "";
  const std::string text = fmt::format(
      "{} strategies: {} priced, {} cut because their smallest footprint does not fit, {} because compute alone and {} because compute and bubble "
      "take longer than the slowest plan kept. None of those can be better, so the plans above are the best of the space.",
      grouped(sum.space), grouped(sum.evaluated), grouped(sum.cut_by_memory), grouped(sum.cut_by_compute), grouped(sum.cut_by_pipeline));
  return "\nSearched\n" + wrapped(text, page_width, 2);
}

std::string provenance(const PlanResults& r) {
  const PlanProvenance& p = r.provenance;
  std::string out = fmt::format("\nreckon {} (git {}){}; inputs {}", p.version,
                                p.git_commit.empty() ? "unknown" : p.git_commit.substr(0, 12), p.date.empty() ? "" : ", " + p.date, p.uuid);
  if (!p.command_line.empty()) out += "\n" + p.command_line;
  return out + "\n";
}

/// Energy of the answer at the meter, an upper bound where the power is the node's maximum.
std::string energy(const Verdict& verdict) {
  if (verdict.answer == nullptr) return "";
  const PlanPoint& p = *verdict.answer;
  return fmt::format("{} devices draw {} MWh, {} MW on average, facility included\n", grouped(p.devices),
                     significant(p.projection.energy.base() / 3.6e9),
                     significant((p.projection.energy / p.projection.wall_time).base() / 1e6));
}

std::string legend(const PlanResults& r) {
  std::string out;
  if (std::any_of(r.sizes.begin(), r.sizes.end(), [](const PlanSize& s) { return s.on_front; }))
    out = "> the answer   * no other size is both faster and cheaper\n";
  return out;
}

}  // namespace

std::string short_strategy(const Strategy& strategy) {
  std::vector<std::string> kept;
  const std::string whole = describe(strategy);
  for (const std::string_view word : split(whole, ' '))
    if (word != "pp1" && word != "vp1" && word != "cp1" && word != "ep1" && word != "tp1" && word != "zero0") kept.emplace_back(word);
  if (is_low_precision(strategy.precision)) kept.emplace_back(name_of(strategy.precision));
  return join(kept, " ");
}

std::string plan_report(const PlanResults& results) {
  const Verdict verdict = judge(results);
  std::string out = verdict.sentence + "\n";
  for (const std::string& line : verdict.details) out += "  " + line + "\n";
  out += "\n" + sizes_table(results, verdict) + legend(results) + (results.costs ? cost_summary(results) : energy(verdict));
  out += remarks(results) + close_up_text(results, verdict) + runners_up(results, verdict) + proof(results) + assumptions_report(results.assumptions) +
         provenance(results);
  return out;
}

}  // namespace reckon
