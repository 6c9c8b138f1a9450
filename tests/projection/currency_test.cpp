// A study in another currency: the same run, every amount by the rate, sums exact.
// SPDX-License-Identifier: Apache-2.0
#include "projection/currency.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "sample_costs.hpp"

namespace reckon {
namespace {

CostStudy study(const std::map<std::string, double>& changed = {}) {
  std::vector<CostAssumption> list = sample_costs(changed);
  for (CostAssumption& a : list)
    if (a.name == "use_share") a.low = 0.4, a.high = 0.6, a.spread = Spread::triangular;
  CostStudy out = make_cost_study(make_cost_model(list, "on_demand"), 100, "somewhere");
  out.uncertainty = reduce_draws(out.model, 7, 200, draw_rows(out.model, 7, 0, 200));
  out.fan = {{100, {1, 2, 3, 2}, {125, 250, 375, 250}}};
  return out;
}

const Currency euro{"EUR", 1.25, "2026-11-01"};

TEST(Currency, PricesAreDividedByTheRate) {
  const CostStudy s = in_currency(study(), euro);
  EXPECT_EQ(s.model.currency, "EUR");
  EXPECT_EQ(s.ledger.total("on_demand").text(), "1600.00");  // 1,000 h at $2 = 2,000 / 1.25
  EXPECT_DOUBLE_EQ(s.value("price_on_demand"), 2);           // the register keeps what the source says
  EXPECT_DOUBLE_EQ(s.value("price_on_demand_eur"), 1.6);
  EXPECT_DOUBLE_EQ(s.value("purchase_price"), 35000 / 1.25);
  EXPECT_EQ(s.model.sheet.cells()[s.model.sheet.index("purchase_price")].unit, "EUR/device");
}

TEST(Currency, TotalsStaySumsOfTheirRowsAndFollowTheRate) {
  const CostStudy base = study({{"curation_price", 3.333}, {"failure_rate", 0.01}, {"restart_hours", 0.3}});
  for (const double rate : {0.0000393, 0.0067, 1.08, 3.26}) {  // VND, JPY, EUR, KWD
    const CostStudy s = in_currency(base, {"XTS", rate, "2026-11-01"});
    for (const ScenarioTotal& t : s.ledger.totals) {
      Amount sum;
      for (const LedgerRow& r : s.ledger.rows)
        if (r.scenario == t.scenario) sum += r.amount;
      EXPECT_EQ(sum, t.total) << t.scenario;
      const double expected = base.ledger.total(t.scenario).value() / rate;
      EXPECT_NEAR(t.total.value(), expected, 3e-6 * expected + 0.2) << t.scenario;  // unit prices have six places
    }
  }
}

TEST(Currency, TheRateIsARowOfTheRegisterBehindEveryPricedRow) {
  const CostStudy s = in_currency(study(), euro);
  const CostAssumption* rate = exchange_rate(s);
  ASSERT_NE(rate, nullptr);
  EXPECT_EQ(rate, &s.model.assumptions.back());
  EXPECT_DOUBLE_EQ(rate->value, 1.25);
  EXPECT_EQ(rate->unit, "USD/EUR");
  EXPECT_EQ(rate->date, "2026-11-01");
  EXPECT_EQ(exchange_rate(study()), nullptr);
  for (const LedgerRow& r : s.ledger.rows) EXPECT_EQ(r.rests.back(), exchange_rate_cell) << r.item;
}

TEST(Currency, WhatTheDrawsSayIsDividedToo) {
  const CostStudy base = study(), s = in_currency(base, euro);
  EXPECT_DOUBLE_EQ(s.distribution("buy").spread.p90, base.distribution("buy").spread.p90 / 1.25);
  EXPECT_EQ(s.distribution("buy").unit, "EUR");
  EXPECT_DOUBLE_EQ(s.distribution("calendar_days").spread.p90, base.distribution("calendar_days").spread.p90);
  EXPECT_DOUBLE_EQ(s.fan[0].cost.p50, 200);
  EXPECT_DOUBLE_EQ(s.fan[0].days.p50, 2);
  ASSERT_EQ(s.uncertainty.sensitivities.size(), s.model.assumptions.size());
  EXPECT_DOUBLE_EQ(s.uncertainty.sensitivities[0].at_high, base.uncertainty.sensitivities[0].at_high / 1.25);
}

/// The effect that the register states for the rate is what another rate does.
TEST(Currency, TheRatesOwnEffectIsThatOfAnotherRate) {
  const CostStudy base = study(), s = in_currency(base, euro);
  const Sensitivity& rate = s.uncertainty.sensitivities.back();
  const double total = s.ledger.total("on_demand").value();
  EXPECT_EQ(rate.assumption, exchange_rate_cell);
  EXPECT_NEAR(total + rate.plus_tenth, in_currency(base, {"EUR", 1.25 * 1.1, ""}).ledger.total("on_demand").value(), 0.01);
  EXPECT_NEAR(total + rate.minus_tenth, in_currency(base, {"EUR", 1.25 * 0.9, ""}).ledger.total("on_demand").value(), 0.01);
}

TEST(Currency, DaysEnergyAndBreakEvenStay) {
  const CostStudy base = study(), s = in_currency(base, euro);
  for (const char* name : {"calendar_days", "energy_mwh", "carbon_t"}) EXPECT_DOUBLE_EQ(s.value(name), base.value(name)) << name;
  EXPECT_NEAR(s.value("break_even_share"), base.value("break_even_share"), 1e-6);
  EXPECT_NEAR(s.value("break_even_months"), base.value("break_even_months"), 1e-3);
}

TEST(Currency, RefusesAmountsBeyondItsRangeAndASecondConversion) {
  EXPECT_THROW(in_currency(study(), {"XTS", 1e-9, ""}), MoneyRangeError);
  EXPECT_THROW(in_currency(in_currency(study(), euro), euro), InternalError);
}

}  // namespace
}  // namespace reckon
