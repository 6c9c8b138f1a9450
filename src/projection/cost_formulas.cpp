// SPDX-License-Identifier: Apache-2.0
#include "projection/cost_formulas.hpp"

#include <utility>

namespace reckon::detail {
namespace {

using Cells = std::vector<SheetCell>;

/// First-order model of goodput(), projection/goodput.hpp, with `luck` on the number of interruptions.  `prefix` names the cells, `rate` is
/// interruptions a device-day, `restart` the hours that one costs, planned stops included.
Cells goodput_cells(const std::string& prefix, const std::string& rate, const std::string& restart) {
  const std::string mttf = prefix + "mttf_hours", every = prefix + "interval_hours";
  return {
      {mttf, "mean time between interruptions", "h", "if(" + rate + ">0,24/(device_count*max(" + rate + ",0.000000000001)),0)"},
      {every, "time between checkpoints", "h",
       "if(checkpoint_every_s>0,checkpoint_every_s/3600,if(" + mttf + ">0,max(sqrt(2*checkpoint_stall_s/3600*" + mttf +
           "),checkpoint_stall_s/3600),0))"},
      {prefix + "stall_share", "stall of checkpoints over the time between them", "1",
       "if(" + every + ">0,checkpoint_stall_s/3600/max(" + every + ",0.000000000001),0)"},
      {prefix + "lost_share", "share of time lost with interrupted work", "1",
       "if(" + mttf + ">0,0.5*" + every + "/max(" + mttf + ",0.000000000001)*failure_luck,0)"},
      {prefix + "restart_share", "share of time in restarts", "1",
       "if(" + mttf + ">0," + restart + "/max(" + mttf + ",0.000000000001)*failure_luck,0)"},
      {prefix + "goodput_share", "training time over wall time", "1",
       "max(0.01,(1-" + prefix + "lost_share-" + prefix + "restart_share)/(1+" + prefix + "stall_share))"},
      {prefix + "wall_hours", "time of a run on the wall clock", "h", "train_hours/" + prefix + "goodput_share"},
  };
}

void append(Cells& cells, Cells more) {
  for (SheetCell& cell : more) cells.push_back(std::move(cell));
}

Cells data_cells() {
  return {
      {"storage_months", "months of storage", "months", "wall_hours*run_count/730+storage_extra_months"},
      {"dataset_months", "storage of the data set", "GB-months", "round(unit_count*bytes_per_unit*storage_months,6)"},
      {"checkpoint_months", "storage of checkpoints", "GB-months", "round(checkpoint_gb*checkpoints_kept*storage_months,6)"},
      {"carried_gb", "data carried out", "GB", "round(egress_gb*run_count,6)"},
      {"curated_units", "data prepared", "1e9 tokens", "round(unit_count,6)"},
      {"exit_count", "exits", "exits", "round(1,0)"},
      {"staff_months", "people for the run", "FTE-months", "round(run_staff*(wall_hours*run_count/730+slip_days*24/730),6)"},
  };
}

/// Average power: at rest, plus what computing adds while it computes (measured nodes draw 76 to 82 % of the rating when fully used).
Cells energy_cells() {
  return {
      {"train_kw", "power of a device while training", "kW", "rated_kw*(idle_share+max(full_share-idle_share,0)*busy_share)"},
      {"idle_kw", "power of a device at rest", "kW", "rated_kw*idle_share"},
      {"work_hours", "device-hours of work, repeated and reserved ones included", "device-hours",
       "useful_hours+lost_hours+reserve_hours+trial_hours+rollout_hours"},
      {"stopped_hours", "device-hours at rest, in restarts", "device-hours", "device_count*wall_hours*run_count*restart_share"},
      {"equipment_kwh", "energy of the equipment", "kWh", "max(work_hours-stopped_hours,0)*train_kw+stopped_hours*idle_kw"},
      {"energy_mwh", "energy, facility included", "MWh", "equipment_kwh*pue_ratio/1000"},
      {"average_mw", "average power, facility included", "MW",
       "device_count*(train_kw*(1-restart_share)+idle_kw*restart_share)*pue_ratio/1000"},
      {"peak_mw", "power to provide, facility included", "MW", "device_count*rated_kw*pue_ratio/1000"},
      {"operational_t", "carbon of the energy", "t CO2e", "energy_mwh*grid_carbon/1000"},
      {"embodied_t", "share of the carbon of making the devices", "t CO2e", "embodied_kg/1000*work_hours/(life_years*8760*use_share)"},
      {"carbon_t", "carbon, operational and embodied", "t CO2e", "operational_t+embodied_t"},
  };
}

Cells reserved_cells(const std::string& id, const std::string& hours) {
  return {{id + "_idle_hours", "committed hours beyond the run that it pays", "device-hours",
           "round(max(0,device_count*" + hours + "-work_hours)*idle_charge_share,6)"}};
}

Cells spot_cells() {
  Cells cells{{"spot_rate", "interruptions and preemptions", "1/device-day", "failure_rate+spot_preemptions"},
              {"spot_mean_restart", "hours that an interruption costs on spot capacity", "h",
               "(failure_rate*restart_hours*(1+planned_stops)+spot_preemptions*spot_restart_hours)/max(spot_rate,0.000000000001)"}};
  append(cells, goodput_cells("spot_", "spot_rate", "spot_mean_restart"));
  cells.push_back({"spot_repeated_hours", "interrupted and repeated work on spot capacity", "device-hours",
                   "round(device_count*(spot_wall_hours-train_hours)*run_count,6)"});
  return cells;
}

Cells block_cells() {
  return {{"block_rest_hours", "hours of the blocks beyond the run", "device-hours",
           "round(device_count*run_count*(roundup(wall_hours/(24*block_days)-0.000001,0)*24*block_days-wall_hours),6)"}};
}

/// Total cost of ownership: everything for one device over its life, times the lives that the run uses up.
Cells buy_cells() {
  return {
      {"life_hours", "used hours in the life of a device", "h", "life_years*8760*use_share"},
      {"life_count", "lives of devices that the run uses up", "device lives", "round(work_hours/life_hours,6)"},
      {"bought_count", "the same with spares", "device lives", "round(work_hours/life_hours*(1+spares_share),6)"},
      {"network_price", "switches, optics, cables", "USD/device", "round(server_price*network_share,6)"},
      {"storage_system_price", "storage system", "USD/device", "round(server_price*storage_share,6)"},
      {"rack_device_price", "racks and power distribution", "USD/device", "round(rack_price*rated_kw,6)"},
      {"purchase_price", "everything bought, a device", "USD/device", "server_price+network_price+storage_system_price+rack_device_price"},
      {"support_life_price", "support contract", "USD/device", "round(purchase_price*support_share*life_years,6)"},
      {"software_life_price", "software licences", "USD/device", "round(software_price*life_years,6)"},
      {"staff_life_price", "operations staff", "USD/device", "round(staff_per_thousand/1000*staff_month_price*12*life_years,6)"},
      {"finance_life_price", "financing: equal yearly payments less the purchase", "USD/device",
       "round(if(capital_rate>0,purchase_price*(life_years*capital_rate/(1-exp(-life_years*ln(1+max(capital_rate,0.000001))))-1),0),6)"},
      {"decommission_life_price", "decommissioning", "USD/device", "round(purchase_price*decommission_share,6)"},
      {"residual_life_price", "resale", "USD/device", "round(-purchase_price*residual_share,6)"},
      {"colocation_months", "space, cooling, power connection", "kW-months", "round(work_hours/life_hours*rated_kw*life_years*12,6)"},
      {"bought_kwh", "electricity of the run, facility included", "kWh", "round(equipment_kwh*pue_ratio,6)"},
      {"rest_kwh", "electricity of the unused share of life, facility included", "kWh",
       "round(work_hours/life_hours*life_years*8760*(1-use_share)*idle_kw*pue_ratio,6)"},
      {"depreciation_year", "straight-line depreciation, a device and year", "USD/device-year",
       "purchase_price*(1-residual_share)/life_years"},
      {"upfront_cost", "paid at the start for the whole cluster", "USD", "device_count*(1+spares_share)*purchase_price"},
  };
}

CostRow row(const CostScenario& s, std::string category, std::string item, std::string unit, std::string quantity, std::string price) {
  return {s.id, std::move(category), std::move(item), std::move(unit), std::move(quantity), std::move(price)};
}

std::vector<CostRow> buy_rows(const CostScenario& s) {
  return {
      row(s, "purchase", "accelerators and hosts", "device lives", "life_count", "server_price"),
      row(s, "purchase", "spare accelerators and hosts", "device lives", "spare_count", "purchase_price"),
      row(s, "purchase", "switches, optics, cables", "device lives", "life_count", "network_price"),
      row(s, "purchase", "storage system", "device lives", "life_count", "storage_system_price"),
      row(s, "purchase", "racks and power distribution", "device lives", "life_count", "rack_device_price"),
      row(s, "operation", "support contract", "device lives", "bought_count", "support_life_price"),
      row(s, "operation", "software licences", "device lives", "life_count", "software_life_price"),
      row(s, "operation", "operations staff", "device lives", "life_count", "staff_life_price"),
      row(s, "facility", "colocation: space, cooling, power connection", "kW-months", "colocation_months", "colocation_price"),
      row(s, "energy", "electricity of the run, PUE included", "kWh", "bought_kwh", "electricity_price"),
      row(s, "energy", "electricity at rest, PUE included", "kWh", "rest_kwh", "electricity_price"),
      row(s, "finance", "cost of capital", "device lives", "bought_count", "finance_life_price"),
      row(s, "end of life", "decommissioning", "device lives", "bought_count", "decommission_life_price"),
      row(s, "end of life", "resale value", "device lives", "bought_count", "residual_life_price"),
  };
}

std::vector<CostRow> rent_rows(const CostScenario& s) {
  const std::string lost = s.id == "spot" ? "spot_repeated_hours" : "lost_hours";
  std::vector<CostRow> rows{
      row(s, "compute", "final run: useful training", "device-hours", "useful_hours", s.price),
      row(s, "compute", "failed and repeated work, restarts, checkpoints", "device-hours", lost, s.price),
      row(s, "compute", "reserve: spares, evaluation, aborted starts", "device-hours", "reserve_hours", s.price),
      row(s, "compute", "experiments before the final run", "device-hours", "trial_hours", s.price),
      row(s, "compute", "generation and scoring (RLHF)", "device-hours", "rollout_hours", s.price),
  };
  if (s.id.starts_with("reserved"))
    rows.push_back(row(s, "commitment", "reserved hours without use", "device-hours", s.id + "_idle_hours", s.price));
  if (s.id == "block") rows.push_back(row(s, "commitment", "rest of the capacity blocks", "device-hours", "block_rest_hours", s.price));
  return rows;
}

}  // namespace

Cells common_cells() {
  Cells cells{{"train_hours", "time of a run without interruptions", "h", "step_count*max(step_seconds*model_error,load_seconds)/3600"},
              {"restart_stop_hours", "hours that an interruption costs, planned stops included", "h", "restart_hours*(1+planned_stops)"}};
  append(cells, goodput_cells("", "failure_rate", "restart_stop_hours"));
  append(cells,
         {
             {"expected_events", "interruptions to expect", "1", "if(mttf_hours>0,train_hours*run_count/max(mttf_hours,0.000000000001),0)"},
             {"wall_days", "days of a run", "days", "wall_hours/24"},
             {"calendar_days", "days until the last run is done", "days", "wall_hours*(1+rollout_share)*run_count/24+slip_days"},
             {"useful_hours", "useful training", "device-hours", "round(device_count*train_hours*run_count,6)"},
             {"lost_hours", "failed and repeated work, restarts, checkpoints", "device-hours",
              "round(device_count*(wall_hours-train_hours)*run_count,6)"},
             {"reserve_hours", "reserve", "device-hours", "round(device_count*wall_hours*run_count*reserve_share,6)"},
             {"trial_hours", "experiments before the final run", "device-hours", "round(device_count*wall_hours*trial_share,6)"},
             {"rollout_hours", "generation and scoring", "device-hours", "round(device_count*wall_hours*run_count*rollout_share,6)"},
         });
  append(cells, data_cells());
  append(cells, energy_cells());
  return cells;
}

Cells scenario_cells(const CostScenario& s) {
  if (s.id == "reserved_1y") return reserved_cells(s.id, "8760");
  if (s.id == "reserved_3y") return reserved_cells(s.id, "26280");
  if (s.id == "reserved_term") return reserved_cells(s.id, "730*term_months");
  if (s.id == "spot") return spot_cells();
  if (s.id == "block") return block_cells();
  if (s.id != "buy") return {};
  Cells cells = buy_cells();
  cells.insert(cells.begin() + 3, {"spare_count", "spare devices", "device lives", "round(bought_count-life_count,6)"});
  return cells;
}

Cells break_even_cells(const std::string& rent) {
  return {
      {"own_life_price", "all that a device costs in its life but its energy in use", "USD/device",
       "(purchase_price+support_life_price+finance_life_price+decommission_life_price+residual_life_price)*(1+spares_share)"
       "+software_life_price+staff_life_price+rated_kw*life_years*12*colocation_price"},
      {"own_hour_price", "energy of a used hour", "USD/device-hour", "train_kw*pue_ratio*electricity_price"},
      {"own_rest_price", "energy of an unused hour", "USD/device-hour", "idle_kw*pue_ratio*electricity_price"},
      {"rent_level_share", "mean rent over the years in service, over that of today", "1",
       "if(rent_decline>0,(1-exp(life_years*ln(1-rent_decline)))/(life_years*max(-ln(1-rent_decline),0.000000001)),1)"},
      {"mean_rent_price", "mean rent over the years in service", "USD/device-hour", rent + "*rent_level_share"},
      {"break_even_share", "use at which buying costs what renting does; 0 = never", "1",
       "if(mean_rent_price+own_rest_price>own_hour_price,(own_life_price+life_years*8760*own_rest_price)"
       "/(life_years*8760*max(mean_rent_price+own_rest_price-own_hour_price,0.000000001)),0)"},
      {"own_used_price", "cost of a used device-hour of a bought cluster at the planned use", "USD/device-hour",
       "own_life_price/(life_years*8760*use_share)+own_hour_price+own_rest_price*(1-use_share)/use_share"},
      {"rent_month", "mean rent of a device for a month at the planned use", "USD/device-month", "730*use_share*mean_rent_price"},
      {"own_month", "running cost of a bought device, a month", "USD/device-month",
       "(support_life_price*(1+spares_share)+software_life_price+staff_life_price)/(life_years*12)+rated_kw*colocation_price"
       "+730*(use_share*own_hour_price+(1-use_share)*own_rest_price)"},
      {"month_rate", "cost of capital, a month", "1/month", "exp(ln(1+capital_rate)/12)-1"},
      {"break_even_left", "share of the purchase that saved rent never pays back", "1",
       "if(rent_month>own_month,1-(1+spares_share)*purchase_price*max(month_rate,0.000000001)/max(rent_month-own_month,0.000001),0)"},
      {"break_even_months", "months until saved rent has paid the purchase, discounted; 0 = never", "months",
       "if(break_even_left>0,-ln(max(break_even_left,0.000000001))/ln(1+max(month_rate,0.000000001)),0)"},
  };
}

std::vector<CostRow> scenario_rows(const CostScenario& s) {
  std::vector<CostRow> rows = s.id == "buy" ? buy_rows(s) : rent_rows(s);
  rows.push_back(row(s, "data", "storage of the data set", "GB-months", "dataset_months", "storage_price"));
  rows.push_back(row(s, "data", "storage of checkpoints", "GB-months", "checkpoint_months", "checkpoint_price"));
  rows.push_back(row(s, "data", "egress", "GB", "carried_gb", "egress_price"));
  rows.push_back(row(s, "data", "data preparation and curation", "1e9 tokens", "curated_units", "curation_price"));
  rows.push_back(row(s, "people", "people for the run", "FTE-months", "staff_months", "staff_month_price"));
  rows.push_back(row(s, "end of life", "exit: transfer, termination", "exits", "exit_count", "exit_cost"));
  return rows;
}

}  // namespace reckon::detail
