// SPDX-License-Identifier: Apache-2.0
#include "report/cost_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "report/cost_sections.hpp"
#include "report/numbers.hpp"
#include "report/verdict.hpp"

namespace reckon {

std::string amount_text(Amount amount) { return separated(amount.text()); }
std::string decimal_text(Decimal value) { return separated(value.text()); }

namespace detail {

std::string range_text(const Quantiles& q, const std::string& unit) {
  const std::string space = unit.empty() ? "" : " " + unit;
  return fmt::format("{} to {}{}", significant(q.p10), significant(q.p90), space);
}

std::string money_of(const CostStudy& s, double value) { return money_text(Dollars{value}, s.model.currency); }

std::string money_range(const CostStudy& s, const Quantiles& q) { return fmt::format("{} to {}", money_of(s, q.p10), money_of(s, q.p90)); }

std::string break_even_text(const CostStudy& s) {
  if (!s.model.sheet.has("break_even_share")) return "";
  const double share = s.value("break_even_share"), months = s.value("break_even_months");
  if (!(share > 0 && share <= 1)) return "Buying never costs less than renting at this price, at any use.";
  std::string out = fmt::format("Buying costs less than renting above {} % use", significant(100 * share));
  if (months > 0)
    out += fmt::format("; at the planned {} % it pays back after {} months", significant(100 * s.value("use_share")), significant(months));
  return out + ".";
}

}  // namespace detail

using namespace detail;

std::string cost_summary(const PlanResults& r) {
  if (!r.costs) return "";
  const CostStudy& s = *r.costs;
  const bool drawn = s.uncertainty.draws > 0;
  Table table({{"", Align::left},
               {fmt::format("all in, on {} devices", grouped(s.devices)), Align::left},
               {s.model.currency},
               {"P10"},
               {"P50"},
               {"P90"},
               {"cheapest in"}});
  for (std::size_t i = 0; i < s.model.scenarios.size(); ++i) {
    const CostScenario& scenario = s.model.scenarios[i];
    std::vector<std::string> row{scenario.id == s.model.chosen ? ">" : "", scenario.title, amount_text(s.ledger.totals[i].total)};
    if (drawn) {
      const Quantiles& q = s.distribution(scenario.id).spread;
      for (const double v : {q.p10, q.p50, q.p90}) row.push_back(money_of(s, v));
      row.push_back(significant(100 * s.uncertainty.wins[i], 2) + " %");
    }
    table.row(row);
  }
  std::string out = "\n" + table.text();
  if (drawn) {
    const Quantiles &d = s.distribution("calendar_days").spread, &e = s.distribution("energy_mwh").spread,
                    &c = s.distribution("carbon_t").spread;
    out += fmt::format("{} days ({}), {} MWh ({}), {} t CO2e ({}), {} MW on average, {} MW at most; P10 to P90 of {} draws\n",
                       significant(d.p50), range_text(d, ""), significant(e.p50), range_text(e, ""), significant(c.p50), range_text(c, ""),
                       significant(s.value("average_mw")), significant(s.value("peak_mw")), grouped(s.uncertainty.draws));
  }
  const std::string even = break_even_text(s);
  return out + (even.empty() ? "" : even + "\n");
}

Document cost_report(const PlanResults& r) {
  const Verdict verdict = judge(r);
  Document out;
  out.title = fmt::format("{} on {}: days and dollars", r.question.model, r.question.device_name);
  add_answer(r, verdict, out);
  add_scope(r, out);
  if (r.costs) {
    out.blocks.push_back(Heading{2, "In pictures"});
    for (Chart& chart : report_charts(r)) out.blocks.push_back(std::move(chart));
    add_scenarios(*r.costs, out);
    add_build_up(*r.costs, out);
    add_sensitivity(*r.costs, out);
    add_break_even(*r.costs, out);
    add_energy(*r.costs, out);
    add_risks(*r.costs, out);
    add_register(*r.costs, out);
  } else if (verdict.answer != nullptr) {
    out.blocks.push_back(Paragraph{"This file holds no cost study; plan again with this program to get one."});
    for (Chart& chart : report_charts(r)) out.blocks.push_back(std::move(chart));
  }
  add_sizes(r, verdict, out);
  add_evidence(r, out);
  add_appendix(r, out);
  return out;
}

}  // namespace reckon
