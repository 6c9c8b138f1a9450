// SPDX-License-Identifier: Apache-2.0
#include "projection/cost_model.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "projection/cost_formulas.hpp"
#include "projection/uncertainty.hpp"

namespace reckon {
namespace {

bool is_scenario_price(const std::string& name) {
  return std::any_of(known_scenarios().begin(), known_scenarios().end(), [&](const CostScenario& s) { return s.price == name; });
}

void check(const CostAssumption& a, const CostAssumptionRule& rule) {
  const auto inside = [&](double v) { return std::isfinite(v) && v >= rule.least && v <= rule.most; };
  if (!inside(a.value) || !inside(a.low) || !inside(a.high))
    throw TextError(
        "the assumption " + in_quotes(a.name) + " is out of range",
        "give from " + Decimal::nearest(rule.least).text() + " to " + Decimal::nearest(std::min(rule.most, 9e12)).text() + " " + rule.unit);
  if (a.low > a.value || a.high < a.value)
    throw TextError("the range of the assumption " + in_quotes(a.name) + " does not hold its value", "give low <= value <= high");
  if (a.spread == Spread::lognormal && a.low <= 0)
    throw TextError("the assumption " + in_quotes(a.name) + " is lognormal and may not be zero", "give low above zero, or another spread");
}

/// In the order of the rules; every rule but the prices of scenarios must have one.
std::vector<CostAssumption> ordered(std::vector<CostAssumption> assumptions) {
  std::vector<CostAssumption> out;
  for (const CostAssumption& a : assumptions) cost_assumption_rule(a.name);  // refuses unknown names
  for (const CostAssumptionRule& rule : cost_assumption_rules()) {
    const auto is_it = [&](const CostAssumption& a) { return a.name == rule.name; };
    const auto found = std::find_if(assumptions.begin(), assumptions.end(), is_it);
    if (found == assumptions.end()) {
      if (is_scenario_price(rule.name)) continue;
      throw TextError("the assumption " + in_quotes(rule.name) + " has no value", "state it in a file of --costs");
    }
    if (std::find_if(found + 1, assumptions.end(), is_it) != assumptions.end())
      throw TextError("the assumption " + in_quotes(rule.name) + " is stated twice");
    check(*found, rule);
    out.push_back(*found);
  }
  return out;
}

}  // namespace

CostModel make_cost_model(std::vector<CostAssumption> assumptions, const std::string& chosen) {
  CostModel model;
  model.assumptions = ordered(std::move(assumptions));
  std::vector<SheetCell> cells;
  const auto has = [&](const std::string& name) {
    return std::any_of(model.assumptions.begin(), model.assumptions.end(), [&](const CostAssumption& a) { return a.name == name; });
  };
  for (const CostAssumption& a : model.assumptions) cells.push_back({a.name, a.title, a.unit, ""});
  const auto append = [&](std::vector<SheetCell> more) { cells.insert(cells.end(), more.begin(), more.end()); };
  append(detail::common_cells());
  std::string rent;
  for (const CostScenario& s : known_scenarios()) {
    if (!has(s.price)) continue;
    model.scenarios.push_back(s);
    append(detail::scenario_cells(s));
    for (CostRow& row : detail::scenario_rows(s)) model.rows.push_back(std::move(row));
    if (s.id != "buy" && (rent.empty() || s.id == chosen)) rent = s.price;
  }
  if (!rent.empty() && has("server_price")) append(detail::break_even_cells(rent));
  model.chosen = chosen;
  if (std::none_of(model.scenarios.begin(), model.scenarios.end(), [&](const CostScenario& s) { return s.id == chosen; }))
    throw TextError("there is no price for " + in_quotes(chosen), "give one, e.g. --price '$2.50/h'");
  model.sheet = Sheet(std::move(cells));
  const double events = model.values()[model.sheet.index("expected_events")];
  for (CostAssumption& a : model.assumptions) {
    if (a.spread != Spread::poisson || !(events > 0)) continue;
    a.low = std::min(a.value, poisson_quantile(events, 0.1) / events);
    a.high = std::max(a.value, poisson_quantile(events, 0.9) / events);
  }
  return model;
}

std::vector<double> CostModel::values() const {
  std::vector<double> assumed;
  for (const CostAssumption& a : assumptions) assumed.push_back(a.value);
  return values(assumed);
}

std::vector<double> CostModel::values(const std::vector<double>& assumed) const {
  std::vector<double> out = assumed;
  out.resize(sheet.size(), 0.0);
  sheet.evaluate(out);
  return out;
}

Amount Ledger::total(std::string_view scenario) const {
  const auto found = std::find_if(totals.begin(), totals.end(), [&](const ScenarioTotal& t) { return t.scenario == scenario; });
  if (found == totals.end()) throw InternalError("a ledger is asked for the total of an unknown scenario");
  return found->total;
}

Ledger make_ledger(const CostModel& model, const std::vector<double>& values) {
  Ledger out;
  for (const CostScenario& s : model.scenarios) out.totals.push_back({s.id, {}});
  for (const CostRow& row : model.rows) {
    const std::size_t quantity = model.sheet.index(row.quantity), price = model.sheet.index(row.unit_price);
    LedgerRow& made = out.rows.emplace_back();
    made = {row.scenario, row.category, row.item, row.unit, Decimal::nearest(values[quantity]), Decimal::nearest(values[price]), {}, {}};
    made.amount = product(made.quantity, made.unit_price);
    std::vector<std::size_t> inputs = model.sheet.inputs_of(quantity);
    for (const std::size_t i : model.sheet.inputs_of(price)) inputs.push_back(i);
    std::sort(inputs.begin(), inputs.end());
    inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
    for (const std::size_t i : inputs) made.rests.push_back(model.sheet.cells()[i].name);
    for (ScenarioTotal& t : out.totals)
      if (t.scenario == row.scenario) t.total += made.amount;
  }
  return out;
}

double scenario_cost(const CostModel& model, const std::vector<double>& values, std::string_view scenario) {
  double sum = 0;
  for (const CostRow& row : model.rows)
    if (row.scenario == scenario) sum += values[model.sheet.index(row.quantity)] * values[model.sheet.index(row.unit_price)];
  return sum;
}

}  // namespace reckon
