// Every number by hand.
// SPDX-License-Identifier: Apache-2.0
#include "projection/cost_model.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "projection/goodput.hpp"
#include "sample_costs.hpp"

namespace reckon {
namespace {

struct Study {
  CostModel model;
  std::vector<double> values;
  Ledger ledger;
  explicit Study(const std::map<std::string, double>& changed = {}, const std::string& chosen = "on_demand")
      : model(make_cost_model(sample_costs(changed), chosen)), values(model.values()), ledger(make_ledger(model, values)) {}
  double operator[](const std::string& name) const { return values[model.sheet.index(name)]; }
  const LedgerRow& row(const std::string& scenario, const std::string& item) const {
    for (const LedgerRow& r : ledger.rows)
      if (r.scenario == scenario && r.item == item) return r;
    throw std::runtime_error("no row " + item);
  }
};

TEST(CostModel, RentIsHoursTimesPrice) {
  const Study s;  // 1,000 * 36 s = 10 h on 100 devices at $2
  EXPECT_DOUBLE_EQ(s["wall_hours"], 10);
  EXPECT_EQ(s.ledger.total("on_demand").text(), "2000.00");
  EXPECT_EQ(s.row("on_demand", "final run: useful training").amount.text(), "2000.00");
}

TEST(CostModel, EveryTotalIsTheSumOfItsRows) {
  const Study s(
      {{"failure_rate", 0.01}, {"restart_hours", 0.3}, {"checkpoint_stall_s", 7}, {"reserve_share", 0.031}, {"curation_price", 3.333}});
  for (const ScenarioTotal& t : s.ledger.totals) {
    Amount sum;
    for (const LedgerRow& r : s.ledger.rows)
      if (r.scenario == t.scenario) sum += r.amount;
    EXPECT_EQ(sum, t.total) << t.scenario;
    EXPECT_NEAR(scenario_cost(s.model, s.values, t.scenario), t.total.value(), 0.05) << t.scenario;
  }
}

TEST(CostModel, GoodputIsThatOfTheProjection) {
  for (const double rate : {0.0, 1e-4, 5e-3})
    for (const double every : {0.0, 1800.0}) {
      FailureModel m;
      m.failures_per_device_day = rate;
      m.checkpoint_interval = Seconds{every};
      const Study s({{"failure_rate", rate},
                     {"restart_hours", m.restart.in(hours)},
                     {"planned_stops", m.planned_per_unexpected},
                     {"checkpoint_stall_s", m.checkpoint_stall.base()},
                     {"checkpoint_every_s", every}});
      EXPECT_NEAR(s["goodput_share"], goodput(100, m).value, 1e-12) << rate << " " << every;
    }
}

TEST(CostModel, ACommitmentIsPaidWhetherUsedOrNot) {
  const Study s;  // 100 devices * 8,760 h = 876,000 committed, 1,000 used
  EXPECT_EQ(s.row("reserved_1y", "reserved hours without use").quantity.text(), "875000");
  EXPECT_EQ(s.ledger.total("reserved_1y").text(), "1314000.00");  // 876,000 * 1.5
  EXPECT_EQ(Study({{"idle_charge_share", 0}}).ledger.total("reserved_1y").text(), "1500.00");
}

TEST(CostModel, BlocksAreSoldWhole) {
  const Study s;  // 10 h need one day: 14 h on 100 devices are left over
  EXPECT_EQ(s.row("block", "rest of the capacity blocks").quantity.text(), "1400");
  EXPECT_EQ(s.ledger.total("block").text(), "5280.00");  // 2,400 h * 2.2
}

TEST(CostModel, ARunOfWholeDaysNeedsNoMoreBlocks) {
  const Study s({{"step_count", 2400}});  // 24 h
  EXPECT_EQ(s.row("block", "rest of the capacity blocks").quantity.text(), "0");
}

TEST(CostModel, PreemptionsLengthenTheRunOnSpotCapacityOnly) {
  // 100 devices * 0.024 a day = one preemption in 10 h; each costs 1 h: goodput 0.9
  const Study s({{"spot_preemptions", 0.024}, {"spot_restart_hours", 1}});
  EXPECT_DOUBLE_EQ(s["wall_hours"], 10);
  EXPECT_NEAR(s["spot_goodput_share"], 0.9, 1e-12);
  EXPECT_NEAR(s["spot_wall_hours"], 10 / 0.9, 1e-9);
  EXPECT_EQ(s.row("spot", "failed and repeated work, restarts, checkpoints").amount.text(), "111.11");
}

TEST(CostModel, BuyingChargesTheLivesThatTheRunUses) {
  const Study s;  // a life is 4 a * 8,760 h * 0.5 = 17,520 h; 1,000 device-hours are 0.057078 lives
  EXPECT_DOUBLE_EQ(s["life_hours"], 17520);
  EXPECT_EQ(s.row("buy", "accelerators and hosts").quantity.text(), "0.057078");
  EXPECT_EQ(s.row("buy", "accelerators and hosts").amount.text(), "1712.34");
  EXPECT_DOUBLE_EQ(s["purchase_price"], 30000 + 3000 + 1500 + 500);
  EXPECT_DOUBLE_EQ(s["support_life_price"], 35000 * 0.05 * 4);
  EXPECT_DOUBLE_EQ(s["staff_life_price"], 0.002 * 10000 * 48);
  EXPECT_EQ(s.row("buy", "resale value").amount.text(), "-199.77");                                     // 0.057078 * 3,500
  EXPECT_EQ(s.row("buy", "colocation: space, cooling, power connection").quantity.text(), "2.739726");  // lives * 48 months * 1 kW
}

TEST(CostModel, FinancingIsTheAnnuityLessThePurchase) {
  const Study s({{"capital_rate", 0.08}});  // 35,000 over 4 years at 8 %: 10,567.23 a year
  const double payment = 35000 * 0.08 / (1 - std::pow(1.08, -4));
  EXPECT_NEAR(s["finance_life_price"], 4 * payment - 35000, 1e-5);
}

TEST(CostModel, BreakEvenUseMakesBothCostTheSame) {
  const std::map<std::string, double> none{{"support_share", 0},    {"software_price", 0}, {"staff_per_thousand", 0},
                                           {"colocation_price", 0}, {"residual_share", 0}, {"decommission_share", 0},
                                           {"idle_share", 0}};
  const Study s(none);
  // 35,000 over 35,040 h at 2 - 0.8 * 1.2 * 0.1 = 1.904 a used hour
  EXPECT_NEAR(s["break_even_share"], 35000 / (35040 * 1.904), 1e-9);
  std::map<std::string, double> at = none;
  at["use_share"] = s["break_even_share"];
  EXPECT_NEAR(Study(at)["own_used_price"], 2.0, 1e-9);
}

/// Rents that fall by 20 % a year average (1 - 0.8^4) / (4 ln 1.25) of today's over four years.
TEST(CostModel, FallingRentsMakeBuyingPayLater) {
  const Study base, s({{"rent_decline", 0.2}});
  EXPECT_DOUBLE_EQ(base["mean_rent_price"], 2);
  EXPECT_NEAR(s["mean_rent_price"], 2 * (1 - std::pow(0.8, 4)) / (4 * std::log(1.25)), 1e-9);
  EXPECT_GT(s["break_even_share"], base["break_even_share"]);
  EXPECT_EQ(s.ledger.total("on_demand"), base.ledger.total("on_demand"));  // the run itself is paid at today's price
  double mean = 0;                                                         // by hand: the rent of 100,000 slices of the four years
  for (int i = 0; i < 100000; ++i) mean += 2 * std::pow(0.8, 4 * (i + 0.5) / 100000) / 100000;
  EXPECT_NEAR(s["mean_rent_price"], mean, 1e-8);
}

TEST(CostModel, BreakEvenMonthsPayThePurchaseBack) {
  const std::map<std::string, double> none{{"support_share", 0},    {"software_price", 0},    {"staff_per_thousand", 0},
                                           {"colocation_price", 0}, {"electricity_price", 0}, {"use_share", 1}};
  // no interest: 35,000 / (730 * 2) months
  EXPECT_NEAR(Study(none)["break_even_months"], 35000 / 1460.0, 1e-3);
  std::map<std::string, double> with = none;
  with["capital_rate"] = 0.08;
  const double r = std::pow(1.08, 1.0 / 12) - 1, months = Study(with)["break_even_months"];
  double paid = 0;  // the annuity of saved rent over that time is worth the purchase
  paid = 1460 * (1 - std::pow(1 + r, -months)) / r;
  EXPECT_NEAR(paid, 35000, 1);
  std::map<std::string, double> never = none;
  never["colocation_price"] = 2000;
  EXPECT_EQ(Study(never)["break_even_months"], 0);
}

TEST(CostModel, EnergyIsPowerTimesHoursTimesPue) {
  const Study s;  // 1,000 device-hours at 0.8 kW and PUE 1.2
  EXPECT_NEAR(s["energy_mwh"], 0.96, 1e-12);
  EXPECT_NEAR(s["operational_t"], 0.96 * 0.4, 1e-12);
  EXPECT_NEAR(s["embodied_t"], 0.5 * 1000 / 17520, 1e-12);
  EXPECT_NEAR(s["peak_mw"], 0.12, 1e-12);
  EXPECT_NEAR(s["average_mw"], 0.096, 1e-12);
  EXPECT_NEAR(Study({{"busy_share", 0.5}})["train_kw"], 0.5, 1e-12);
}

/// Touvron et al. 2023, LLaMA, arXiv 2302.13971, Table 15: 1,022,362 A100-hours at 400 W, PUE 1.1, 385 g/kWh: 449 MWh, 173 t.
TEST(CostModel, Llama65bsEnergyFollowsFromItsHours) {
  const Study s({{"device_count", 2048},
                 {"step_count", 1022362.0 / 2048 * 3600 / 36},
                 {"rated_kw", 0.4},
                 {"full_share", 1},
                 {"pue_ratio", 1.1},
                 {"grid_carbon", 385}});
  EXPECT_NEAR(s["energy_mwh"], 449, 0.01 * 449);
  EXPECT_NEAR(s["operational_t"], 173, 0.01 * 173);
}

/// Luccioni et al. 2022, BLOOM, arXiv 2211.02001: 1,082,990 A100-hours, 433,195 kWh, 57 g/kWh, 24.69 t.
TEST(CostModel, BloomsEnergyFollowsFromItsHours) {
  const Study s({{"device_count", 384},
                 {"step_count", 1082990.0 / 384 * 3600 / 36},
                 {"rated_kw", 0.4},
                 {"full_share", 1},
                 {"pue_ratio", 1},
                 {"grid_carbon", 57}});
  EXPECT_NEAR(s["energy_mwh"], 433.195, 0.01 * 433);
  EXPECT_NEAR(s["operational_t"], 24.69, 0.01 * 24.69);
}

TEST(CostModel, DataIsPaidByTheMonth) {
  // 10e9 tokens of 4 B are 40 GB, for 10 h and one month
  const Study s({{"bytes_per_unit", 4},
                 {"storage_price", 0.02},
                 {"storage_extra_months", 1},
                 {"checkpoint_gb", 100},
                 {"checkpoints_kept", 5},
                 {"checkpoint_price", 0.1},
                 {"egress_gb", 50},
                 {"egress_price", 0.09},
                 {"curation_price", 7}});
  EXPECT_EQ(s.row("on_demand", "storage of the data set").quantity.text(), "40.547945");
  EXPECT_EQ(s.row("on_demand", "storage of the data set").amount.text(), "0.81");
  EXPECT_EQ(s.row("on_demand", "storage of checkpoints").amount.text(), "50.68");
  EXPECT_EQ(s.row("on_demand", "egress").amount.text(), "4.50");
  EXPECT_EQ(s.row("on_demand", "data preparation and curation").amount.text(), "70.00");
}

TEST(CostModel, ExperimentsRolloutsAndRunsAddHours) {
  const Study s({{"trial_share", 0.5}, {"rollout_share", 2}, {"run_count", 3}});
  EXPECT_EQ(s.row("on_demand", "final run: useful training").quantity.text(), "3000");
  EXPECT_EQ(s.row("on_demand", "experiments before the final run").quantity.text(), "500");
  EXPECT_EQ(s.row("on_demand", "generation and scoring (RLHF)").quantity.text(), "6000");
  EXPECT_DOUBLE_EQ(s["calendar_days"], 30 / 24.0 * (1 + 2));  // the devices generate before they train
}

TEST(CostModel, RowsNameTheAssumptionsBehindThem) {
  const Study s;
  EXPECT_EQ(s.row("on_demand", "data preparation and curation").rests, (std::vector<std::string>{"unit_count", "curation_price"}));
  for (const LedgerRow& r : s.ledger.rows) EXPECT_FALSE(r.rests.empty()) << r.item;
}

TEST(CostModel, RefusesWhatIsMissingUnknownRepeatedOrOutOfRange) {
  const auto refused = [](auto change) {
    std::vector<CostAssumption> list = sample_costs();
    change(list);
    EXPECT_THROW(make_cost_model(list, "on_demand"), TextError);
  };
  refused([](auto& l) { l.pop_back(); });
  refused([](auto& l) { l.push_back(l.front()); });
  refused([](auto& l) { l.front().name = "nonsense_name"; });
  refused([](auto& l) { l.front().value = l.front().low = l.front().high = -1; });
  refused([](auto& l) { l.front().value = NAN; });
  refused([](auto& l) { l.front().low = 2 * l.front().value; });
  EXPECT_THROW(make_cost_model(sample_costs(), "given"), TextError);
}

}  // namespace
}  // namespace reckon
