// SPDX-License-Identifier: Apache-2.0
#include "projection/uncertainty.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "sample_costs.hpp"

namespace reckon {
namespace {

constexpr double z90 = 1.2815515655446004;

std::vector<CostAssumption> with(std::vector<CostAssumption> list, const std::string& name, double low, double high, Spread spread) {
  for (CostAssumption& a : list)
    if (a.name == name) a.low = low, a.high = high, a.spread = spread;
  return list;
}

Uncertainty study(const CostModel& model, std::int64_t draws = 10'000, std::uint64_t seed = 7) {
  return reduce_draws(model, seed, draws, draw_rows(model, seed, 0, draws));
}

const Distribution& result(const Uncertainty& u, const std::string& name) {
  return *std::find_if(u.results.begin(), u.results.end(), [&](const Distribution& d) { return d.name == name; });
}

/// A sum of normals: cost = hours * price + 10 * curation with both uncertain: mean and quantiles in closed form.
TEST(Uncertainty, ASumOfNormalsHasTheQuantilesOfANormal) {
  auto list = sample_costs({{"curation_price", 50}});
  list = with(list, "price_on_demand", 2 - 0.2, 2 + 0.2, Spread::normal);  // 1,000 h: sigma 200 / z90
  list = with(list, "curation_price", 50 - 15, 50 + 15, Spread::normal);   // 10 units: sigma 150 / z90
  const Quantiles q = result(study(make_cost_model(list, "on_demand")), "on_demand").spread;

  EXPECT_NEAR(q.p50, 2500, 0.01 * 2500);
  EXPECT_NEAR(q.p10, 2500 - 250, 0.01 * 2250);  // sqrt(200^2 + 150^2) = 250
  EXPECT_NEAR(q.p90, 2500 + 250, 0.01 * 2750);
  EXPECT_NEAR((q.p90 - q.p10) / 500, 1, 0.03);
}

TEST(Uncertainty, ALognormalKeepsItsMedianAndTails) {
  const auto list = with(sample_costs(), "model_error", 0.9, 1.25, Spread::lognormal);
  const Quantiles q = result(study(make_cost_model(list, "on_demand")), "on_demand").spread;
  EXPECT_NEAR(q.p10, 1800, 18);
  EXPECT_NEAR(q.p50, 2000, 20);
  EXPECT_NEAR(q.p90, 2500, 25);
}

/// Gaps between failures are exponential: the number in a run is Poisson, mean and variance 20.
TEST(Uncertainty, ExponentialFailuresGiveAPoissonNumber) {
  Philox random(3, 0);
  double sum = 0, squares = 0;
  constexpr int n = 200'000;
  for (int i = 0; i < n; ++i) {
    const double k = poisson(20, random);
    sum += k;
    squares += k * k;
  }
  EXPECT_NEAR(sum / n, 20, 0.01 * 20);
  EXPECT_NEAR(squares / n - sum / n * sum / n, 20, 0.01 * 20);
}

/// 100 devices failing 0.48 times a day each for 10 h: 20 interruptions to expect; each costs 0.1 h: wall = 10 / (1 - 0.2 N / 20).
TEST(Uncertainty, FailuresLengthenTheRunAsTheClosedFormSays) {
  auto list = sample_costs({{"failure_rate", 0.48}, {"restart_hours", 0.1}});
  list = with(list, "failure_luck", 1, 1, Spread::poisson);
  const CostModel model = make_cost_model(list, "on_demand");
  const Uncertainty u = study(model);
  const auto wall_days = [](double events) { return 10 / (1 - 0.2 * events / 20) / 24; };
  EXPECT_NEAR(result(u, "calendar_days").spread.p10, wall_days(poisson_quantile(20, 0.1)), 0.01 * wall_days(14));
  EXPECT_NEAR(result(u, "calendar_days").spread.p50, wall_days(20), 0.01 * wall_days(20));
  EXPECT_NEAR(result(u, "calendar_days").spread.p90, wall_days(poisson_quantile(20, 0.9)), 0.01 * wall_days(26));
}

TEST(Uncertainty, ExponentialGapsHaveTheirMeanAndMedian) {
  Philox random(5, 1);
  std::vector<double> gaps(200'000);
  for (double& g : gaps) g = random.exponential(0.25);
  std::sort(gaps.begin(), gaps.end());
  EXPECT_NEAR(quantile(gaps, 0.5), 4 * std::log(2.0), 0.01 * 4);
  EXPECT_NEAR(quantile(gaps, 0.9), 4 * std::log(10.0), 0.01 * 9.2);
}

TEST(Uncertainty, UniformAndTriangularKeepTheirEnds) {
  CostAssumption a;
  a.name = "price_on_demand";
  a.value = 2;
  a.low = 1;
  a.high = 4;
  for (const Spread spread : {Spread::uniform, Spread::triangular}) {
    a.spread = spread;
    Philox random(1, 1);
    std::vector<double> x(100'000);
    for (double& v : x) v = draw(a, 0, random);
    std::sort(x.begin(), x.end());
    EXPECT_GE(x.front(), 1);
    EXPECT_LE(x.back(), 4);
    const double median = spread == Spread::uniform ? 2.5 : 4 - std::sqrt(0.5 * 3 * 2);
    EXPECT_NEAR(quantile(x, 0.5), median, 0.01 * median);
  }
}

TEST(Uncertainty, DrawsDoNotDependOnHowTheyAreShared) {
  const auto list = with(with(sample_costs(), "model_error", 0.9, 1.2, Spread::lognormal), "pue_ratio", 1.1, 1.5, Spread::triangular);
  const CostModel model = make_cost_model(list, "on_demand");
  std::vector<double> parts;
  for (const auto& [first, count] : {std::pair<int, int>{0, 10}, {10, 1}, {11, 89}})
    for (const double v : draw_rows(model, 9, first, count)) parts.push_back(v);
  EXPECT_EQ(parts, draw_rows(model, 9, 0, 100));
  EXPECT_NE(parts, draw_rows(model, 10, 0, 100));
}

TEST(Uncertainty, SwingsAreTheCostAtBothEnds) {
  auto list = with(sample_costs(), "price_on_demand", 1.5, 3, Spread::lognormal);
  list = with(list, "model_error", 0.9, 1.1, Spread::normal);
  const Uncertainty u = study(make_cost_model(list, "on_demand"), 100);
  const auto swings = largest_swings(u, 10);
  ASSERT_EQ(swings.size(), 2u);
  EXPECT_EQ(swings[0]->assumption, "price_on_demand");
  EXPECT_DOUBLE_EQ(swings[0]->at_low, 1500);
  EXPECT_DOUBLE_EQ(swings[0]->at_high, 3000);
  EXPECT_DOUBLE_EQ(swings[1]->swing(), 400);
  EXPECT_DOUBLE_EQ(swings[0]->minus_tenth, -200);
  EXPECT_DOUBLE_EQ(swings[0]->plus_tenth, 200);
}

/// cost = 1000 x + 1000 y with variances 9 : 1: the first index is 0.9.
TEST(Uncertainty, VarianceIsSharedAsItIsMade) {
  auto list = with(sample_costs({{"curation_price", 200}}), "price_on_demand", 1.7, 2.3, Spread::normal);
  list = with(list, "curation_price", 190, 210, Spread::normal);
  const Uncertainty u = study(make_cost_model(list, "on_demand"));
  for (const Sensitivity& s : u.sensitivities) {
    if (s.assumption == "price_on_demand") {
      EXPECT_NEAR(s.variance_share, 0.9, 0.03);
    }
    if (s.assumption == "curation_price") {
      EXPECT_NEAR(s.variance_share, 0.1, 0.03);
    }
    if (s.assumption == "use_share") {
      EXPECT_EQ(s.variance_share, 0);
    }
  }
}

/// On demand costs 2,000 +- sigma, a block exactly 2,000: knowing the rent is worth E max(0, x - 2000) = sigma / sqrt(2 pi).
TEST(Uncertainty, AMeasurementIsWorthWhatItSaves) {
  auto list = sample_costs({{"price_block", 2000.0 / 2400}, {"price_spot", -1}, {"price_reserved_1y", -1}, {"server_price", -1}});
  list = with(list, "price_on_demand", 2 - 0.2 * z90, 2 + 0.2 * z90, Spread::normal);
  const Uncertainty u = study(make_cost_model(list, "on_demand"), 40'000);
  for (const Sensitivity& s : u.sensitivities)
    if (s.assumption == "price_on_demand") {
      EXPECT_NEAR(s.worth, 200 / std::sqrt(2 * M_PI), 3);
    }
  EXPECT_NEAR(u.wins[0], 0.5, 0.01);
}

}  // namespace
}  // namespace reckon
