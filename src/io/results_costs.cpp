// Writes a cost study as HDF5 and JSON.
// SPDX-License-Identifier: Apache-2.0
#include "io/results_costs.hpp"

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"

namespace reckon {
namespace {

using Json = nlohmann::ordered_json;

/// Columns of one group over one dimension that only numbers.
template <class Item>
class Columns {
 public:
  Columns(Hdf5Image& image, std::string group, const std::string& dimension, const std::vector<Item>& items, const std::string& long_name)
      : image_(image), group_(std::move(group)), scale_(group_ + "/" + dimension), items_(items) {
    std::vector<std::int64_t> numbers;
    for (std::size_t i = 0; i < items.size(); ++i) numbers.push_back(static_cast<std::int64_t>(i));
    image_.scale(scale_, numbers, {"1", long_name, {}, false, ""});
  }
  void text(const std::string& name, const std::string& long_name, const std::function<std::string(const Item&)>& get) const {
    std::vector<std::string> values;
    for (const Item& item : items_) values.push_back(get(item));
    image_.dataset(group_ + "/" + name, values, {"1", long_name, {scale_}, false, ""});
  }
  void real(const std::string& name, const std::string& units, const std::string& long_name,
            const std::function<double(const Item&)>& get) const {
    std::vector<double> values;
    for (const Item& item : items_) {
      values.push_back(get(item));
      if (!std::isfinite(values.back()))
        throw InternalError("the cost study has a number in " + group_ + "/" + name + " that is not finite");
    }
    image_.dataset(group_ + "/" + name, values, {units, long_name, {scale_}, false, ""});
  }
  void whole(const std::string& name, const std::string& units, const std::string& long_name,
             const std::function<std::int64_t(const Item&)>& get) const {
    std::vector<std::int64_t> values;
    for (const Item& item : items_) values.push_back(get(item));
    image_.dataset(group_ + "/" + name, values, {units, long_name, {scale_}, false, ""});
  }

 private:
  Hdf5Image& image_;
  std::string group_, scale_;
  const std::vector<Item>& items_;
};

void write_assumptions(Hdf5Image& image, const CostStudy& s) {
  using A = CostAssumption;
  const Columns<A> c(image, "/costs/assumptions", "assumption", s.model.assumptions, "number of the assumption, A1 is 0");
  c.text("name", "name of the cell", [](const A& a) { return a.name; });
  c.text("title", "what is assumed", [](const A& a) { return a.title; });
  c.text("unit", "unit of value, low and high", [](const A& a) { return a.unit; });
  c.real("value", "1", "value, in `unit`", [](const A& a) { return a.value; });
  c.real("low", "1", "10th percentile or lower end, in `unit`", [](const A& a) { return a.low; });
  c.real("high", "1", "90th percentile or upper end, in `unit`", [](const A& a) { return a.high; });
  c.text("spread", "how it is drawn", [](const A& a) { return spread_names()[static_cast<std::size_t>(a.spread)]; });
  c.text("basis", "predicted, given, default, catalogue or assumed", [](const A& a) { return a.basis; });
  c.text("source", "where it comes from", [](const A& a) { return a.source; });
  c.text("date", "date of the source", [](const A& a) { return a.date; });
  if (s.uncertainty.sensitivities.empty()) return;
  const Columns<Sensitivity> e(image, "/costs/sensitivities", "assumption", s.uncertainty.sensitivities,
                               "number of the assumption, A1 is 0");
  e.text("name", "name of the assumption", [](const Sensitivity& x) { return x.assumption; });
  e.real("minus_tenth", "USD", "change of the cost when the value is 10 % lower", [](const Sensitivity& x) { return x.minus_tenth; });
  e.real("plus_tenth", "USD", "change of the cost when the value is 10 % higher", [](const Sensitivity& x) { return x.plus_tenth; });
  e.real("cost_at_low", "USD", "cost with the low value", [](const Sensitivity& x) { return x.at_low; });
  e.real("cost_at_high", "USD", "cost with the high value", [](const Sensitivity& x) { return x.at_high; });
  e.real("days_at_low", "day", "days with the low value", [](const Sensitivity& x) { return x.days_low; });
  e.real("days_at_high", "day", "days with the high value", [](const Sensitivity& x) { return x.days_high; });
  e.real("variance_share", "1", "share of the variance of the cost that goes when it is known",
         [](const Sensitivity& x) { return x.variance_share; });
  e.real("worth", "USD", "what knowing it is worth for the choice of the scenario", [](const Sensitivity& x) { return x.worth; });
}

void write_rows(Hdf5Image& image, const CostStudy& s) {
  struct Row {
    CostRow spec;
    LedgerRow made;
  };
  std::vector<Row> rows;
  for (std::size_t i = 0; i < s.ledger.rows.size(); ++i) rows.push_back({s.model.rows[i], s.ledger.rows[i]});
  const Columns<Row> c(image, "/costs/rows", "row", rows, "number of the row");
  c.text("scenario", "the total that the row is part of", [](const Row& r) { return r.made.scenario; });
  c.text("category", "kind of cost", [](const Row& r) { return r.made.category; });
  c.text("item", "what is paid for", [](const Row& r) { return r.made.item; });
  c.text("unit", "unit of the quantity", [](const Row& r) { return r.made.unit; });
  c.text("quantity_cell", "cell of the quantity", [](const Row& r) { return r.spec.quantity; });
  c.text("unit_price_cell", "cell of the unit price", [](const Row& r) { return r.spec.unit_price; });
  c.whole("quantity_micro", "1", "quantity, millionths of `unit`", [](const Row& r) { return r.made.quantity.micro(); });
  c.whole("unit_price_micro", "1e-6 USD", "price of one unit", [](const Row& r) { return r.made.unit_price.micro(); });
  c.whole("amount_cents", "0.01 USD", "quantity times unit price, rounded to the cent", [](const Row& r) { return r.made.amount.cents; });
  c.text("rests_on", "assumptions behind the row", [](const Row& r) { return join(r.made.rests, " "); });
}

void write_results(Hdf5Image& image, const CostStudy& s) {
  const auto& results = s.uncertainty.results;
  if (results.empty()) return;
  const Columns<Distribution> c(image, "/costs/results", "result", results, "number of the result");
  c.text("name", "calendar_days, energy_mwh, carbon_t or a scenario's cost", [](const Distribution& d) { return d.name; });
  c.text("title", "what it is", [](const Distribution& d) { return d.title; });
  c.text("unit", "unit", [](const Distribution& d) { return d.unit; });
  c.real("mean", "1", "mean of the draws", [](const Distribution& d) { return d.spread.mean; });
  std::vector<double> percents, values;
  for (int p = 1; p <= 99; ++p) percents.push_back(p);
  for (const Distribution& d : results) values.insert(values.end(), d.percentiles.begin(), d.percentiles.end());
  image.scale("/costs/results/percent", percents, {"1", "share of the draws below, in per cent", {}, false, ""});
  image.dataset("/costs/results/percentile", values,
                {"1", "percentiles of the draws, in `unit`", {"/costs/results/result", "/costs/results/percent"}, false, ""});
}

void write_fan(Hdf5Image& image, const CostStudy& s) {
  if (s.fan.empty()) return;
  std::vector<std::int64_t> devices;
  for (const FanPoint& p : s.fan) devices.push_back(p.devices);
  image.scale("/costs/fan/devices", devices, {"1", "devices of the cluster", {}, false, ""});
  const auto column = [&](const std::string& name, const std::string& unit, const std::string& title, auto get) {
    std::vector<double> values;
    for (const FanPoint& p : s.fan) values.push_back(get(p));
    image.dataset("/costs/fan/" + name, values, {unit, title, {"/costs/fan/devices"}, false, ""});
  };
  column("days_p10", "day", "days until done, 10th percentile", [](const FanPoint& p) { return p.days.p10; });
  column("days_p50", "day", "days until done, median", [](const FanPoint& p) { return p.days.p50; });
  column("days_p90", "day", "days until done, 90th percentile", [](const FanPoint& p) { return p.days.p90; });
  column("cost_p10", "USD", "cost of the chosen scenario, 10th percentile", [](const FanPoint& p) { return p.cost.p10; });
  column("cost_p50", "USD", "cost of the chosen scenario, median", [](const FanPoint& p) { return p.cost.p50; });
  column("cost_p90", "USD", "cost of the chosen scenario, 90th percentile", [](const FanPoint& p) { return p.cost.p90; });
}

Json json_of(const std::vector<FanPoint>& fan_points) {
  Json out = Json::array();
  for (const FanPoint& p : fan_points)
    out.push_back({{"devices", p.devices},
                   {"days", {{"p10", p.days.p10}, {"p50", p.days.p50}, {"p90", p.days.p90}}},
                   {"cost_usd", {{"p10", p.cost.p10}, {"p50", p.cost.p50}, {"p90", p.cost.p90}}}});
  return out;
}

Json json_of(const Quantiles& q) { return {{"p10", q.p10}, {"p50", q.p50}, {"p90", q.p90}, {"mean", q.mean}}; }

}  // namespace

void write_costs(Hdf5Image& image, const CostStudy& s) {
  image.group("/costs");
  image.attribute("/costs", "devices", s.devices);
  image.attribute("/costs", "place", s.place);
  image.attribute("/costs", "currency", "USD");
  image.attribute("/costs", "chosen", s.model.chosen);
  image.attribute("/costs", "seed", static_cast<std::int64_t>(s.uncertainty.seed));
  image.attribute("/costs", "draws", s.uncertainty.draws);
  write_assumptions(image, s);
  struct Cell {
    SheetCell cell;
    double value;
  };
  std::vector<Cell> cells;
  for (std::size_t i = s.model.assumptions.size(); i < s.model.sheet.size(); ++i) cells.push_back({s.model.sheet.cells()[i], s.values[i]});
  const Columns<Cell> c(image, "/costs/cells", "cell", cells, "number of the formula");
  c.text("name", "name of the cell", [](const Cell& x) { return x.cell.name; });
  c.text("title", "what it is", [](const Cell& x) { return x.cell.title; });
  c.text("unit", "unit", [](const Cell& x) { return x.cell.unit; });
  c.text("formula", "of assumptions and cells above", [](const Cell& x) { return x.cell.formula; });
  c.real("value", "1", "value, in `unit`", [](const Cell& x) { return x.value; });
  struct Total {
    CostScenario scenario;
    Amount total;
    double wins;
  };
  std::vector<Total> totals;
  for (std::size_t i = 0; i < s.model.scenarios.size(); ++i)
    totals.push_back({s.model.scenarios[i], s.ledger.totals[i].total, s.uncertainty.wins.empty() ? 0 : s.uncertainty.wins[i]});
  const Columns<Total> t(image, "/costs/scenarios", "scenario", totals, "number of the scenario");
  t.text("id", "id of the scenario", [](const Total& x) { return x.scenario.id; });
  t.text("title", "how the devices are come by", [](const Total& x) { return x.scenario.title; });
  t.text("price", "the assumption with its price", [](const Total& x) { return x.scenario.price; });
  t.whole("total_cents", "0.01 USD", "sum of its rows", [](const Total& x) { return x.total.cents; });
  t.real("wins", "1", "share of the draws in which it is the cheapest", [](const Total& x) { return x.wins; });
  write_rows(image, s);
  write_results(image, s);
  write_fan(image, s);
}

Json costs_json(const CostStudy& s) {
  Json out{{"devices", s.devices},     {"place", s.place},           {"currency", s.model.currency},
           {"chosen", s.model.chosen}, {"seed", s.uncertainty.seed}, {"draws", s.uncertainty.draws}};
  Json assumptions = Json::array(), cells = Json::array(), scenarios = Json::array(), rows = Json::array(), results = Json::array();
  for (std::size_t i = 0; i < s.model.assumptions.size(); ++i) {
    const CostAssumption& a = s.model.assumptions[i];
    Json one{
        {"id", s.label(a.name)}, {"name", a.name},     {"title", a.title}, {"unit", a.unit},
        {"value", a.value},      {"low", a.low},       {"high", a.high},   {"spread", spread_names()[static_cast<std::size_t>(a.spread)]},
        {"basis", a.basis},      {"source", a.source}, {"date", a.date}};
    if (!s.uncertainty.sensitivities.empty()) {
      const Sensitivity& x = s.uncertainty.sensitivities[i];
      one["cost_change_minus_tenth_usd"] = x.minus_tenth;
      one["cost_change_plus_tenth_usd"] = x.plus_tenth;
      one["cost_at_low_usd"] = x.at_low;
      one["cost_at_high_usd"] = x.at_high;
      one["variance_share"] = x.variance_share;
      one["worth_usd"] = x.worth;
    }
    assumptions.push_back(one);
  }
  for (std::size_t i = s.model.assumptions.size(); i < s.model.sheet.size(); ++i) {
    const SheetCell& c = s.model.sheet.cells()[i];
    cells.push_back({{"name", c.name}, {"title", c.title}, {"unit", c.unit}, {"formula", c.formula}, {"value", s.values[i]}});
  }
  for (std::size_t i = 0; i < s.model.scenarios.size(); ++i) {
    const CostScenario& sc = s.model.scenarios[i];
    Json one{{"id", sc.id}, {"title", sc.title}, {"total_usd", s.ledger.totals[i].total.text()}};
    one["cheapest_in_share_of_draws"] = s.uncertainty.wins.empty() ? Json(nullptr) : Json(s.uncertainty.wins[i]);
    scenarios.push_back(one);
  }
  for (const LedgerRow& r : s.ledger.rows) {
    Json rests = Json::array();
    for (const std::string& name : r.rests) rests.push_back(s.label(name));
    rows.push_back({{"scenario", r.scenario},
                    {"category", r.category},
                    {"item", r.item},
                    {"quantity", r.quantity.text()},
                    {"unit", r.unit},
                    {"unit_price_usd", r.unit_price.text()},
                    {"amount_usd", r.amount.text()},
                    {"rests_on", rests}});
  }
  for (const Distribution& d : s.uncertainty.results) {
    Json one{{"name", d.name}, {"title", d.title}, {"unit", d.unit}};
    one.update(json_of(d.spread));
    results.push_back(one);
  }
  out["scenarios"] = scenarios;
  out["rows"] = rows;
  out["results"] = results;
  out["fan"] = json_of(s.fan);
  out["assumptions"] = assumptions;
  out["cells"] = cells;
  return out;
}

}  // namespace reckon
