// SPDX-License-Identifier: Apache-2.0
#include "report/explore_report.hpp"

#include <fmt/format.h>

#include "report/numbers.hpp"
#include "report/plan_report.hpp"
#include "report/table.hpp"

namespace reckon {
namespace {

constexpr std::size_t page_width = 120;

std::vector<std::string> cells(const ExploredPoint& e) {
  const Projection& p = e.point.projection;
  return {grouped(e.point.devices),
          e.device,
          run_text(p.wall_time),
          money_text(p.cost()),
          significant(p.energy.base() / 3.6e9),
          significant(100.0 * e.point.cost.mfu),
          short_strategy(e.point.strategy)};
}

std::vector<Table::Head> heads(std::vector<Table::Head> first) {
  for (Table::Head h :
       std::vector<Table::Head>{{"devices"}, {"kind", Align::left}, {"time"}, {"cost"}, {"MWh"}, {"MFU, %"}, {"strategy", Align::left}})
    first.push_back(h);
  return first;
}

std::string wishes_table(const ExploreResults& r) {
  Table table(heads({{"wish", Align::left}}));
  for (const Wish& w : r.wishes) {
    std::vector<std::string> row{w.name};
    if (w.best)
      for (std::string& cell : cells(r.points[*w.best])) row.push_back(std::move(cell));
    else
      row.emplace_back("none");
    table.row(std::move(row));
  }
  return table.text();
}

std::string front_table(const ExploreResults& r) {
  Table table(heads({}));
  for (const ExploredPoint& e : r.points)
    if (e.on_front) table.row(cells(e));
  return "\nWhat nothing beats in devices, time and cost\n" + table.text();
}

std::string signed_percent(double share) { return fmt::format("{:+.1f} %", 100.0 * share); }

/// The other strategies of the answer's size, and the answer's neighbours: more time, more money, or more memory for what.
std::string gives_up(const ExploreResults& r) {
  const ExploredPoint& answer = r.points[*r.answer];
  Table table({{"instead", Align::left}, {"devices"}, {"time"}, {"cost"}, {"energy"}, {"memory, GiB"}, {"strategy", Align::left}});
  std::size_t rows = 0;
  for (const ExploredPoint& e : r.points) {
    const bool runner_up = e.device == answer.device && e.point.devices == answer.point.devices;
    if (&e == &answer || !(runner_up || (e.on_front && e.point.place == 1)) || rows >= 12) continue;
    const Projection &a = answer.point.projection, &b = e.point.projection;
    table.row({e.device, grouped(e.point.devices), signed_percent(b.wall_time / a.wall_time - 1.0),
               signed_percent(b.cost() / a.cost() - 1.0), signed_percent(b.energy / a.energy - 1.0),
               significant(e.point.cost.memory.total().in(gibibytes)), short_strategy(e.point.strategy)});
    ++rows;
  }
  return rows == 0 ? "" : "\nWhat each alternative gives up against the answer, and what it gains\n" + table.text();
}

std::string sensitivity_table(const ExploreResults& r) {
  if (r.sensitivities.empty()) return "";
  Table table({{"10 % better", Align::left}, {"step time"}, {"with the old strategy"}, {"best strategy then", Align::left}});
  for (const InputEffect& s : r.sensitivities)
    table.row({s.input, signed_percent(s.change), signed_percent(s.kept), s.same ? "the same" : short_strategy(s.best)});
  return "\nWhat moves the optimum\n" + table.text();
}

std::string proof(const SearchCounts& c) {
  return "\n" +
         wrapped(
             fmt::format(
                 "{} strategies: {} priced, {} cut by memory, {} by compute, {} by compute and bubble; none of those can be better.",
                 grouped(c.space), grouped(c.evaluated), grouped(c.cut_by_memory), grouped(c.cut_by_compute), grouped(c.cut_by_pipeline)),
             page_width, 0);
}

std::string demands(const std::optional<Seconds>& deadline, const std::optional<Dollars>& budget) {
  std::string out;
  if (deadline) out += " within " + run_text(*deadline);
  if (budget) out += (deadline ? " and for " : " for ") + money_text(*budget);
  return out;
}

std::string scaled_table(const std::vector<ScaledPoint>& points, const ScaleResults& r) {
  Table table({{"kind", Align::left},
               {"devices"},
               {"parameters"},
               {"tokens"},
               {"tokens a parameter"},
               {"time"},
               {"cost"},
               {"loss"},
               {"by " + r.other_law},
               {"strategy", Align::left}});
  for (const ScaledPoint& p : points)
    table.row({p.device, grouped(p.devices), count_text(p.parameters), count_text(p.tokens), significant(p.tokens / p.parameters),
               run_text(p.time), money_text(p.cost), fmt::format("{:.4f}", p.loss), fmt::format("{:.4f}", p.loss_other),
               short_strategy(p.strategy)});
  return table.text();
}

}  // namespace

std::string explore_report(const ExploreResults& r) {
  std::string out;
  if (r.answer) {
    const ExploredPoint& e = r.points[*r.answer];
    out = fmt::format("{} on {}: {} x {} is the cheapest{}: {}, {}.\n", r.model, count_text(r.units), grouped(e.point.devices), e.device,
                      demands(r.deadline, r.budget), run_text(e.point.projection.wall_time), money_text(e.point.projection.cost()));
  } else {
    out = fmt::format("{} on {}: nothing trains it{}.\n", r.model, count_text(r.units), demands(r.deadline, r.budget));
  }
  out += "\n" + wishes_table(r);
  if (!r.points.empty()) out += front_table(r);
  if (r.answer) out += gives_up(r) + sensitivity_table(r);
  for (const std::string& remark : r.remarks) out += (&remark == &r.remarks.front() ? "\nRemarks\n" : "") + wrapped(remark, page_width, 2);
  std::string prices;
  for (const auto& [device, price] : r.prices)
    prices += (prices.empty() ? "" : ", ") + fmt::format("{} ${:.2f}/h", device, price.in(dollars_per_hour));
  return out + "\nPrices: " + prices + "\n" + proof(r.counts);
}

std::string scale_report(const ScaleResults& r) {
  if (r.best_of_device.empty()) return fmt::format("No model of the family can be trained{}.\n", demands(r.deadline, r.budget));
  const ScaledPoint& best = r.best_of_device.front();
  std::string out =
      fmt::format("A model of {} parameters on {} tokens{}: {} x {}, {}, {}.\n", count_text(best.parameters), count_text(best.tokens),
                  demands(r.deadline, r.budget), grouped(best.devices), best.device, run_text(best.time), money_text(best.cost));
  out += fmt::format("Expected loss {:.4f} nats a token by {} ({}).\n", best.loss, r.law, r.law_source);
  out += "\nThe best of each kind of device\n" + scaled_table(r.best_of_device, r);
  out += "\nModel sizes on " + best.device + ", each on its best cluster\n" + scaled_table(r.sizes, r);
  out += "\n" + wrapped(
                    "Losses are those of the laws' own data and tokenizer; they rank sizes, and say little of other data. Data that is "
                    "used more than once is worth less.",
                    page_width, 0);
  return out + proof(r.counts);
}

}  // namespace reckon
