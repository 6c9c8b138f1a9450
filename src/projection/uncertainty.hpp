// How sure is it: random draws of a cost model, quantiles, the swing of each assumption, and what knowing one better would be worth.
//
// Draw i takes its numbers from stream i of a counter-based generator, so that draws may be spread over any number of processes without
// changing one of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/quantile.hpp"
#include "base/random.hpp"
#include "projection/cost_model.hpp"

namespace reckon {

/// One value of an assumption; `expected` is the expectation of a poisson one, in events.  Two-piece distributions have the value as median
/// and low, high as 10th and 90th percentile.  Clamped to the rule's bounds.
double draw(const CostAssumption& assumption, double expected, Philox& random);

/// A number of events with expectation `mean`: gaps are exponential (exact) up to 100, above it the normal of equal mean and variance,
/// rounded (error of a quantile below 0.02 standard deviations).
double poisson(double mean, Philox& random);
/// The smallest n with P(events <= n) >= `share`.
double poisson_quantile(double mean, double share);

/// What a draw is reduced to, in this order: days until done, MWh, t CO2e, then the cost of each scenario, then the drawn assumptions
/// (those that are not fixed).
std::vector<std::string> draw_columns(const CostModel& model);

/// Draws `first` to `first + count - 1`, row by row over draw_columns().
std::vector<double> draw_rows(const CostModel& model, std::uint64_t seed, std::int64_t first, std::int64_t count);

struct Quantiles {
  double p10 = 0, p50 = 0, p90 = 0, mean = 0;
};

/// The distribution of one result.
struct Distribution {
  std::string name, title, unit;
  Quantiles spread;
  std::vector<double> percentiles;  ///< 1 to 99
};

/// What one assumption does to the cost of the chosen scenario.
struct Sensitivity {
  std::string assumption;
  double minus_tenth = 0, plus_tenth = 0;  ///< change of the cost when the value is 10 % lower, higher (within its bounds)
  double at_low = 0, at_high = 0;          ///< cost at low and high, all else at its value
  double days_low = 0, days_high = 0;      ///< days until done, likewise
  double variance_share = 0;               ///< share of the variance of the cost that goes when it is known
  double worth = 0;                        ///< USD that knowing it is worth for choosing the cheapest scenario
  double swing() const { return at_high > at_low ? at_high - at_low : at_low - at_high; }
};

struct Uncertainty {
  std::uint64_t seed = 0;
  std::int64_t draws = 0;
  std::vector<Distribution> results;       ///< days, energy, carbon, cost of each scenario
  std::vector<double> wins;                ///< by scenario: share of the draws in which it is the cheapest
  std::vector<Sensitivity> sensitivities;  ///< one an assumption, in the order of the register
};

/// Reduces all draws, in their order.  Throws InternalError when `rows` has not draws * draw_columns() values.
///
/// variance_share is the first-order index of Sobol by 40 bins of equal count, less what the bins of the unsorted draws show; worth is the
/// expected value of perfect information on one parameter (Strong, Oakley, Brennan, Medical Decision Making 34 (2014), by the same bins):
/// min_s E[cost_s] - E_bin[min_s E[cost_s | bin]], less the same of the unsorted draws, never below 0.
Uncertainty reduce_draws(const CostModel& model, std::uint64_t seed, std::int64_t draws, const std::vector<double>& rows);

/// The assumptions by descending swing, at most `count`.
std::vector<const Sensitivity*> largest_swings(const Uncertainty& uncertainty, std::size_t count);

}  // namespace reckon
