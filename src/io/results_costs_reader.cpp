// Reads a cost study back and evaluates it again.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/text.hpp"
#include "io/results_contents.hpp"
#include "io/results_costs.hpp"

namespace reckon {
namespace {

constexpr double tolerance = 1e-9;  // libraries of another machine may round exp and ln otherwise

class CostsReader : private ResultsContents {
 public:
  using ResultsContents::ResultsContents;

  CostStudy study() {
    CostStudy out;
    out.devices = attribute<std::int64_t>("/costs", "devices");
    out.place = attribute<std::string>("/costs", "place");
    try {
      read_model(out.model);
      out.values = out.model.values();
      check_values(out);
      out.ledger = make_ledger(out.model, out.values);
    } catch (const TextError& error) {
      fail("/costs", error.reason());
    }
    check_ledger(out);
    read_uncertainty(out);
    read_fan(out);
    return out;
  }

 private:
  const std::vector<double>& reals(const std::string& path, std::size_t n) const {
    const std::vector<double>& values = sized(path, dataset(path).doubles(), n);
    for (const double v : values)
      if (!std::isfinite(v)) fail(path, "a number that is missing");
    return values;
  }

  void read_model(CostModel& model) const {
    const std::string a = "/costs/assumptions/", c = "/costs/cells/", s = "/costs/scenarios/", r = "/costs/rows/";
    const std::size_t na = dataset(a + "name").texts().size(), nc = dataset(c + "name").texts().size(),
                      ns = dataset(s + "id").texts().size(), nr = dataset(r + "scenario").texts().size();
    const auto &names = texts(a + "name", na), &titles = texts(a + "title", na), &units = texts(a + "unit", na),
               &spreads = texts(a + "spread", na), &basis = texts(a + "basis", na), &source = texts(a + "source", na),
               &date = texts(a + "date", na);
    const auto &value = reals(a + "value", na), &low = reals(a + "low", na), &high = reals(a + "high", na);
    std::vector<SheetCell> cells;
    for (std::size_t i = 0; i < na; ++i) {
      const auto spread = std::find(spread_names().begin(), spread_names().end(), spreads[i]);
      if (spread == spread_names().end()) fail(a + "spread", "an unknown spread");
      if (!(low[i] <= value[i] && value[i] <= high[i])) fail(a + "value", "a value outside its range");
      model.assumptions.push_back({names[i], titles[i], units[i], value[i], low[i], high[i],
                                   static_cast<Spread>(spread - spread_names().begin()), basis[i], source[i], date[i]});
      cells.push_back({names[i], titles[i], units[i], ""});
    }
    const auto &cell = texts(c + "name", nc), &title = texts(c + "title", nc), &unit = texts(c + "unit", nc),
               &formula = texts(c + "formula", nc);
    for (std::size_t i = 0; i < nc; ++i) {
      if (formula[i].empty()) fail(c + "formula", "a cell without a formula");
      cells.push_back({cell[i], title[i], unit[i], formula[i]});
    }
    const auto &id = texts(s + "id", ns), &scenario_title = texts(s + "title", ns), &price = texts(s + "price", ns);
    for (std::size_t i = 0; i < ns; ++i) model.scenarios.push_back({id[i], scenario_title[i], price[i]});
    const auto &scenario = texts(r + "scenario", nr), &category = texts(r + "category", nr), &item = texts(r + "item", nr),
               &row_unit = texts(r + "unit", nr), &quantity = texts(r + "quantity_cell", nr),
               &unit_price = texts(r + "unit_price_cell", nr);
    for (std::size_t i = 0; i < nr; ++i) {
      if (std::find(id.begin(), id.end(), scenario[i]) == id.end()) fail(r + "scenario", "a row of no scenario");
      model.rows.push_back({scenario[i], category[i], item[i], row_unit[i], quantity[i], unit_price[i]});
    }
    model.chosen = attribute<std::string>("/costs", "chosen");
    if (std::find(id.begin(), id.end(), model.chosen) == id.end()) fail("/costs", "the chosen scenario is not one of the scenarios");
    model.sheet = Sheet(std::move(cells));
    for (const char* needed : {"calendar_days", "wall_days", "energy_mwh", "carbon_t", "operational_t", "embodied_t", "average_mw",
                               "peak_mw", "run_work", "run_count", "unit_count", "goodput_share", "device_count", "expected_events"})
      model.sheet.index(needed);
  }

  void check_values(const CostStudy& study) const {
    const std::size_t na = study.model.assumptions.size();
    const auto& stored = reals("/costs/cells/value", study.model.sheet.size() - na);
    for (std::size_t i = 0; i < stored.size(); ++i)
      if (!(std::abs(stored[i] - study.values[na + i]) <= tolerance * std::max(1e-6, std::abs(stored[i]))))
        fail("/costs/cells/value",
             fmt::format("{} is {}, which its formula does not give", study.model.sheet.cells()[na + i].name, stored[i]));
  }

  void check_ledger(const CostStudy& study) const {
    const std::string r = "/costs/rows/";
    const std::size_t n = study.ledger.rows.size();
    const auto &quantity = whole(r + "quantity_micro", n), &price = whole(r + "unit_price_micro", n),
               &amount = whole(r + "amount_cents", n);
    for (std::size_t i = 0; i < n; ++i) {
      const LedgerRow& row = study.ledger.rows[i];
      if (row.quantity.micro() != quantity[i] || row.unit_price.micro() != price[i] || row.amount.cents != amount[i])
        fail(r + "amount_cents",
             fmt::format("row {}: {} is not {} times {}", i, Amount{amount[i]}.text(), row.quantity.text(), row.unit_price.text()));
    }
    const auto& totals = whole("/costs/scenarios/total_cents", study.ledger.totals.size());
    for (std::size_t i = 0; i < totals.size(); ++i)
      if (totals[i] != study.ledger.totals[i].total.cents) fail("/costs/scenarios/total_cents", "a total is not the sum of its rows");
  }

  void read_uncertainty(CostStudy& study) const {
    Uncertainty& u = study.uncertainty;
    u.draws = attribute<std::int64_t>("/costs", "draws");
    u.seed = static_cast<std::uint64_t>(attribute<std::int64_t>("/costs", "seed"));
    if (u.draws < 0) fail("/costs", "a negative number of draws");
    if (u.draws == 0) return;
    const std::size_t na = study.model.assumptions.size(), ns = study.model.scenarios.size(), nr = 3 + ns;
    u.wins = reals("/costs/scenarios/wins", ns);
    const std::string e = "/costs/sensitivities/", d = "/costs/results/";
    const auto& name = texts(e + "name", na);
    const auto &minus = reals(e + "minus_tenth", na), &plus = reals(e + "plus_tenth", na), &low = reals(e + "cost_at_low", na),
               &high = reals(e + "cost_at_high", na), &days_low = reals(e + "days_at_low", na), &days_high = reals(e + "days_at_high", na),
               &variance = reals(e + "variance_share", na), &worth = reals(e + "worth", na);
    for (std::size_t i = 0; i < na; ++i)
      u.sensitivities.push_back({name[i], minus[i], plus[i], low[i], high[i], days_low[i], days_high[i], variance[i], worth[i]});
    const auto &names = texts(d + "name", nr), &titles = texts(d + "title", nr), &units = texts(d + "unit", nr);
    const auto &mean = reals(d + "mean", nr), &values = reals(d + "percentile", nr * 99);
    for (std::size_t i = 0; i < nr; ++i) {
      Distribution one{names[i], titles[i], units[i], {}, {}};
      one.percentiles.assign(values.begin() + static_cast<std::ptrdiff_t>(i * 99),
                             values.begin() + static_cast<std::ptrdiff_t>(i * 99 + 99));
      if (!std::is_sorted(one.percentiles.begin(), one.percentiles.end())) fail(d + "percentile", "percentiles that fall");
      one.spread = {one.percentiles[9], one.percentiles[49], one.percentiles[89], mean[i]};
      u.results.push_back(std::move(one));
    }
    for (const char* needed : {"calendar_days", "energy_mwh", "carbon_t"})
      if (std::find(names.begin(), names.end(), needed) == names.end()) fail(d + "name", "a result is missing");
    for (const CostScenario& s : study.model.scenarios)
      if (std::find(names.begin(), names.end(), s.id) == names.end()) fail(d + "name", "a result is missing");
  }

  void read_fan(CostStudy& study) const {
    if (contents_.find("/costs/fan/devices") == nullptr) return;
    const std::string f = "/costs/fan/";
    const std::size_t n = dataset(f + "devices").integers().size();
    const auto& devices = whole(f + "devices", n);
    const auto &d1 = reals(f + "days_p10", n), &d5 = reals(f + "days_p50", n), &d9 = reals(f + "days_p90", n),
               &c1 = reals(f + "cost_p10", n), &c5 = reals(f + "cost_p50", n), &c9 = reals(f + "cost_p90", n);
    for (std::size_t i = 0; i < n; ++i) study.fan.push_back({devices[i], {d1[i], d5[i], d9[i], 0}, {c1[i], c5[i], c9[i], 0}});
  }
};

}  // namespace

std::optional<CostStudy> read_costs(const Hdf5Contents& contents, const std::string& file) {
  if (!contents.groups.contains("/costs")) return std::nullopt;
  return CostsReader(contents, file).study();
}

}  // namespace reckon
