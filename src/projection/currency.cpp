// SPDX-License-Identifier: Apache-2.0
#include "projection/currency.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace reckon {
namespace {

using Names = std::map<std::string, std::string, std::less<>>;  // of a price in USD: the cell with it converted

bool is_money(const std::string& unit) { return unit == "USD" || unit.starts_with("USD/"); }

std::string in_code(const std::string& unit, const std::string& code) { return is_money(unit) ? code + unit.substr(3) : unit; }

/// The formula over converted prices.
std::string renamed(const std::string& formula, const Names& names) {
  const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  std::string out;
  for (std::size_t i = 0; i < formula.size();) {
    std::size_t end = i;
    while (end < formula.size() && is_word(formula[end])) ++end;
    const std::string word = formula.substr(i, std::max<std::size_t>(1, end - i));
    const auto found = names.find(word);
    out += found == names.end() ? word : found->second;
    i += word.size();
  }
  return out;
}

CostModel converted(const CostModel& model, const Currency& currency) {
  if (model.currency != "USD") throw InternalError("a cost model is converted twice");
  CostModel out{model.assumptions, model.scenarios, model.chosen, {}, model.rows, currency.code};
  CostAssumption rate{exchange_rate_cell, "exchange rate: USD for 1 " + currency.code, "USD/" + currency.code, currency.usd, currency.usd,
                      currency.usd};
  rate.basis = "given";
  rate.source = "--currency";
  rate.date = currency.date;
  out.assumptions.push_back(rate);

  std::vector<SheetCell> cells;
  for (const CostAssumption& a : out.assumptions) cells.push_back({a.name, a.title, a.unit, ""});
  Names names;
  for (const CostAssumption& a : model.assumptions) {
    if (!is_money(a.unit)) continue;
    const std::string name = a.name + "_" + lower(currency.code);
    names.emplace(a.name, name);
    cells.push_back({name, a.title, in_code(a.unit, currency.code), "round(" + a.name + "/" + exchange_rate_cell + ",6)"});
  }
  for (std::size_t i = model.assumptions.size(); i < model.sheet.size(); ++i) {
    const SheetCell& cell = model.sheet.cells()[i];
    cells.push_back({cell.name, cell.title, in_code(cell.unit, currency.code), renamed(cell.formula, names)});
  }
  for (CostRow& row : out.rows) row.unit_price = renamed(row.unit_price, names);
  out.sheet = Sheet(std::move(cells));
  return out;
}

void divide(Quantiles& q, double rate) {
  for (double* v : {&q.p10, &q.p50, &q.p90, &q.mean}) *v /= rate;
}

/// `total` and `days` are those of the study at its assumptions.
Uncertainty converted(Uncertainty u, const Currency& currency, double total, double days) {
  for (Distribution& d : u.results) {
    if (!is_money(d.unit)) continue;
    d.unit = in_code(d.unit, currency.code);
    divide(d.spread, currency.usd);
    for (double& v : d.percentiles) v /= currency.usd;
  }
  if (u.sensitivities.empty()) return u;
  for (Sensitivity& s : u.sensitivities)
    for (double* v : {&s.minus_tenth, &s.plus_tenth, &s.at_low, &s.at_high, &s.worth}) *v /= currency.usd;
  // all is proportional to 1 / rate
  u.sensitivities.push_back({exchange_rate_cell, total / 0.9 - total, total / 1.1 - total, total, total, days, days, 0, 0});
  return u;
}

}  // namespace

const CostAssumption* exchange_rate(const CostStudy& study) {
  const auto& all = study.model.assumptions;
  const auto found = std::find_if(all.begin(), all.end(), [](const CostAssumption& a) { return a.name == exchange_rate_cell; });
  return found == all.end() ? nullptr : &*found;
}

CostStudy in_currency(const CostStudy& study, const Currency& currency) {
  CostStudy out = make_cost_study(converted(study.model, currency), study.devices, study.place);
  out.uncertainty = converted(study.uncertainty, currency, out.ledger.total(out.model.chosen).value(), out.value("calendar_days"));
  out.fan = study.fan;
  for (FanPoint& p : out.fan) divide(p.cost, currency.usd);
  return out;
}

}  // namespace reckon
