// A small cost study with round numbers, for tests.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "projection/cost_model.hpp"

namespace reckon {

/// Every assumption at a round number: 100 devices, 1,000 steps of 36 s (10 h), no failures, $2 an hour, servers of $30,000.  `changed`
/// replaces values; a negative value leaves a price out.
inline std::vector<CostAssumption> sample_costs(const std::map<std::string, double>& changed = {}) {
  std::map<std::string, double> values{
      {"device_count", 100},      {"step_count", 1000},      {"step_seconds", 36},         {"model_error", 1}, {"load_seconds", 0},
      {"busy_share", 1},          {"run_work", 1000},        {"unit_count", 10},           {"failure_luck", 1},
      {"run_count", 1},           {"price_on_demand", 2},    {"price_reserved_1y", 1.5},   {"price_spot", 1},
      {"price_block", 2.2},       {"price_given", -1},       {"price_reserved_3y", -1},    {"price_reserved_term", -1},
      {"idle_charge_share", 1},   {"block_days", 1},         {"server_price", 30000},      {"network_share", 0.1},
      {"storage_share", 0.05},    {"rack_price", 500},       {"spares_share", 0},          {"support_share", 0.05},
      {"software_price", 100},    {"staff_per_thousand", 2}, {"staff_month_price", 10000}, {"colocation_price", 150},
      {"electricity_price", 0.1}, {"pue_ratio", 1.2},        {"capital_rate", 0},          {"life_years", 4},
      {"use_share", 0.5},         {"residual_share", 0.1},   {"decommission_share", 0.01}, {"rated_kw", 1},
      {"full_share", 0.8},        {"idle_share", 0.2},       {"grid_carbon", 400},         {"embodied_kg", 500}};
  for (const auto& [name, value] : changed) values[name] = value;
  std::vector<CostAssumption> out;
  for (const CostAssumptionRule& rule : cost_assumption_rules()) {
    const double value = values.contains(rule.name) ? values[rule.name] : 0;
    if (value < 0) continue;
    CostAssumption a;
    a.name = rule.name;
    a.title = rule.title;
    a.unit = rule.unit;
    a.value = a.low = a.high = value;
    a.basis = "given";
    out.push_back(a);
  }
  return out;
}

}  // namespace reckon
