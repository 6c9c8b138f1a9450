// What a run costs, rented or bought: a register of assumptions, formulas over them, and the rows of which every total is the sum.
//
// Nothing enters a total that is not a row, and no row has a quantity or price that is not a formula of registered assumptions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "projection/decimal.hpp"
#include "projection/sheet.hpp"

namespace reckon {

/// How an assumption is drawn.  `normal` and `lognormal` have the value as median and low and high as 10th and 90th percentile (two halves
/// of different width where those are not symmetric); `triangular` and `uniform` have low and high as their ends; `poisson` is a number of
/// events over its expectation, which the sheet computes (expected_events).
enum class Spread { fixed = 0, normal, lognormal, triangular, uniform, poisson };
const std::vector<std::string>& spread_names();

/// One line of the register A1, A2, ...
struct CostAssumption {
  std::string name, title, unit;
  double value = 0, low = 0, high = 0;
  Spread spread = Spread::fixed;
  std::string basis;  ///< predicted, given, default, catalogue or assumed
  std::string source, date;
};

/// What the model knows of an assumption before it has a value.
struct CostAssumptionRule {
  std::string name, title, unit;
  double least = 0, most = 0;
};
/// All assumptions in the order of the register.
const std::vector<CostAssumptionRule>& cost_assumption_rules();
/// The rule named `name`; throws TextError with the nearest name.
const CostAssumptionRule& cost_assumption_rule(std::string_view name);

/// A way to come by the devices.
struct CostScenario {
  std::string id;  ///< given, on_demand, reserved_1y, reserved_3y, reserved_term, spot, block or buy
  std::string title;
  std::string price;  ///< the assumption with its price
};
const std::vector<CostScenario>& known_scenarios();

/// A row: quantity and unit price are names of cells.
struct CostRow {
  std::string scenario, category, item, unit, quantity, unit_price;
};

struct CostModel {
  std::vector<CostAssumption> assumptions;
  std::vector<CostScenario> scenarios;  ///< those that have a price
  std::string chosen;                   ///< id of the scenario that the answer is about
  Sheet sheet;                          ///< the assumptions, in their order, then the formulas
  std::vector<CostRow> rows;            ///< by scenario, in the order of `scenarios`
  std::string currency = "USD";         ///< of rows and totals, ISO 4217; another one only after in_currency()

  /// The assumptions' values, formulas evaluated.
  std::vector<double> values() const;
  /// The same with the values given, one an assumption.
  std::vector<double> values(const std::vector<double>& assumed) const;
};

/// Completes the model: `assumptions` in any order, every rule's but for prices, of which at least one; `chosen` is one of the scenarios
/// with a price.  Throws TextError for a missing, repeated, unknown or out-of-range assumption.
CostModel make_cost_model(std::vector<CostAssumption> assumptions, const std::string& chosen);

/// A priced row.
struct LedgerRow {
  std::string scenario, category, item, unit;
  Decimal quantity, unit_price;
  Amount amount;                   ///< product(quantity, unit_price)
  std::vector<std::string> rests;  ///< names of the assumptions behind it
};

struct ScenarioTotal {
  std::string scenario;
  Amount total;
};

struct Ledger {
  std::vector<LedgerRow> rows;
  std::vector<ScenarioTotal> totals;  ///< each the sum of its rows, exactly
  Amount total(std::string_view scenario) const;
};

/// All rows of `model` at `values` (of all cells).
Ledger make_ledger(const CostModel& model, const std::vector<double>& values);

/// The total of a scenario as a real number, for draws: the same sum without rounding.
double scenario_cost(const CostModel& model, const std::vector<double>& values, std::string_view scenario);

}  // namespace reckon
