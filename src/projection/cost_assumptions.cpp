// The register: what may be assumed, in which unit, within which bounds.
// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/text.hpp"
#include "projection/cost_model.hpp"

namespace reckon {
namespace {

using Rules = std::vector<CostAssumptionRule>;

/// The run: size, time, interruptions.
Rules run_rules() {
  return {
      {"device_count", "devices", "devices", 1, 1e7},
      {"step_count", "optimiser steps of a run", "steps", 1, 1e12},
      {"step_seconds", "predicted time of a step", "s", 1e-9, 1e9},
      {"model_error", "real time of a step over the predicted one", "1", 0.01, 100},
      {"load_seconds", "time to read the data of a step, behind it", "s", 0, 1e9},
      {"busy_share", "share of a step in which the devices compute", "1", 0, 1},
      {"run_work", "useful work of a run", "1e18 FLOP", 0, 1e15},
      {"unit_count", "trained on", "1e9 tokens", 0, 1e9},
      {"failure_rate", "unexpected interruptions", "1/device-day", 0, 10},
      {"failure_luck", "interruptions that happen over those expected", "1", 0, 100},
      {"restart_hours", "restart after an interruption", "h", 0, 1e4},
      {"planned_stops", "planned stops for each unexpected one", "1", 0, 1000},
      {"checkpoint_stall_s", "stall of a checkpoint", "s", 0, 1e6},
      {"checkpoint_every_s", "time between checkpoints; 0 = optimum", "s", 0, 1e9},
      {"slip_days", "late start: delivery, set-up, acceptance", "days", 0, 3650},
      {"run_count", "final runs", "runs", 1, 1e6},
      {"reserve_share", "device-time in reserve", "1", 0, 10},
      {"trial_share", "experiments before the final run, of its compute", "1", 0, 100},
      {"rollout_share", "generation and scoring beside training (RLHF), of its compute", "1", 0, 100},
  };
}

/// Rents, data, people.
Rules spending_rules() {
  return {
      {"price_given", "rent, as given", "USD/device-hour", 0, 1e4},
      {"price_on_demand", "rent on demand", "USD/device-hour", 0, 1e4},
      {"price_reserved_1y", "rent reserved for 1 year", "USD/device-hour", 0, 1e4},
      {"price_reserved_3y", "rent reserved for 3 years", "USD/device-hour", 0, 1e4},
      {"price_reserved_term", "rent reserved for a stated term", "USD/device-hour", 0, 1e4},
      {"price_spot", "rent of spot capacity", "USD/device-hour", 0, 1e4},
      {"price_block", "rent of a capacity block", "USD/device-hour", 0, 1e4},
      {"term_months", "term of that reservation", "months", 0, 240},
      {"idle_charge_share", "unused committed hours that this run pays", "1", 0, 1},
      {"block_days", "capacity blocks are sold in steps of", "days", 0.01, 365},
      {"spot_preemptions", "preemptions of spot capacity", "1/device-day", 0, 10},
      {"spot_restart_hours", "wait and restart after a preemption", "h", 0, 1e4},
      {"bytes_per_unit", "stored bytes a token or sample", "B", 0, 1e12},
      {"storage_price", "storage of the data set", "USD/GB-month", 0, 100},
      {"storage_extra_months", "data kept beyond the run", "months", 0, 1200},
      {"checkpoint_gb", "one checkpoint", "GB", 0, 1e9},
      {"checkpoints_kept", "checkpoints kept at once", "checkpoints", 0, 1e6},
      {"checkpoint_price", "storage of checkpoints", "USD/GB-month", 0, 100},
      {"egress_gb", "data carried out", "GB", 0, 1e12},
      {"egress_price", "carrying data out", "USD/GB", 0, 100},
      {"curation_price", "preparation and curation of data", "USD/1e9 tokens", 0, 1e9},
      {"run_staff", "people for the run", "FTE", 0, 1e6},
      {"staff_month_price", "one person", "USD/FTE-month", 0, 1e6},
      {"exit_cost", "exit: transfer, termination, once", "USD", 0, 1e12},
  };
}

/// What is bought, how long it serves, energy and carbon.
Rules ownership_rules() {
  return {
      {"server_price", "server, a device's share", "USD/device", 0, 1e7},
      {"network_share", "switches, optics, cables over the server", "1", 0, 5},
      {"storage_share", "storage system over the server", "1", 0, 5},
      {"rack_price", "racks and power distribution", "USD/kW", 0, 1e6},
      {"spares_share", "spare devices", "1", 0, 5},
      {"support_share", "support contract over the purchase, a year", "1/year", 0, 2},
      {"software_price", "software licences", "USD/device-year", 0, 1e6},
      {"staff_per_thousand", "operations staff", "FTE/1000 devices", 0, 1000},
      {"colocation_price", "space, cooling, power connection", "USD/kW-month", 0, 1e5},
      {"electricity_price", "electricity", "USD/kWh", 0, 100},
      {"pue_ratio", "facility over equipment energy", "1", 1, 5},
      {"capital_rate", "cost of capital", "1/year", 0, 1},
      {"rent_decline", "fall of rents a year, while a bought cluster is in service", "1/year", 0, 0.9},
      {"life_years", "years in service", "years", 0.1, 50},
      {"use_share", "share of its life that the cluster is used", "1", 0.01, 1},
      {"residual_share", "resale value at the end", "1", 0, 1},
      {"decommission_share", "decommissioning over the purchase", "1", 0, 1},
      {"rated_kw", "rated power at the wall, a device's share", "kW", 0, 1000},
      {"full_share", "power in full work over the rated", "1", 0, 1.5},
      {"idle_share", "power at rest over the rated", "1", 0, 1},
      {"grid_carbon", "carbon of the grid", "g/kWh", 0, 3000},
      {"embodied_kg", "carbon of making a device with its share of the server", "kg/device", 0, 1e6},
  };
}

}  // namespace

const std::vector<std::string>& spread_names() {
  static const std::vector<std::string> names{"fixed", "normal", "lognormal", "triangular", "uniform", "poisson"};
  return names;
}

const std::vector<CostAssumptionRule>& cost_assumption_rules() {
  static const Rules rules = [] {
    Rules out = run_rules();
    for (const Rules& more : {spending_rules(), ownership_rules()}) out.insert(out.end(), more.begin(), more.end());
    return out;
  }();
  return rules;
}

const CostAssumptionRule& cost_assumption_rule(std::string_view name) {
  std::vector<std::string> known;
  for (const CostAssumptionRule& rule : cost_assumption_rules()) {
    if (rule.name == name) return rule;
    known.push_back(rule.name);
  }
  throw TextError("no assumption is named " + in_quotes(name), suggestion(name, known));
}

const std::vector<CostScenario>& known_scenarios() {
  static const std::vector<CostScenario> all{{"given", "rented at the given price", "price_given"},
                                             {"on_demand", "rented on demand", "price_on_demand"},
                                             {"reserved_1y", "rented, reserved for 1 year", "price_reserved_1y"},
                                             {"reserved_3y", "rented, reserved for 3 years", "price_reserved_3y"},
                                             {"reserved_term", "rented, reserved for a stated term", "price_reserved_term"},
                                             {"spot", "rented as spot capacity", "price_spot"},
                                             {"block", "rented as capacity blocks", "price_block"},
                                             {"buy", "bought", "server_price"}};
  return all;
}

}  // namespace reckon
