// SPDX-License-Identifier: Apache-2.0
#include "projection/uncertainty.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.hpp"

namespace reckon {
namespace {

constexpr double z90 = 1.2815515655446004;  // normal quantile of 0.9
constexpr std::size_t results_before_scenarios = 3, bins = 40;

double two_piece(const CostAssumption& a, double z) {
  if (a.spread == Spread::normal) return a.value + z / z90 * (z > 0 ? a.high - a.value : a.value - a.low);
  return a.value * std::exp(z / z90 * (z > 0 ? std::log(a.high / a.value) : std::log(a.value / a.low)));
}

double triangular(const CostAssumption& a, double u) {
  const double width = a.high - a.low;
  if (width <= 0) return a.value;
  const double peak = (a.value - a.low) / width;
  return u < peak ? a.low + std::sqrt(u * width * (a.value - a.low)) : a.high - std::sqrt((1 - u) * width * (a.high - a.value));
}

/// The rows and cells that a draw needs, looked up once.
class Reducer {
 public:
  explicit Reducer(const CostModel& model) : model_(model) {
    for (const char* name : {"calendar_days", "energy_mwh", "carbon_t"}) cells_.push_back(model.sheet.index(name));
    events_ = model.sheet.index("expected_events");
    for (const CostScenario& s : model.scenarios) {
      auto& pairs = rows_.emplace_back();
      for (const CostRow& row : model.rows)
        if (row.scenario == s.id) pairs.emplace_back(model.sheet.index(row.quantity), model.sheet.index(row.unit_price));
    }
    for (std::size_t i = 0; i < model.assumptions.size(); ++i)
      if (model.assumptions[i].spread != Spread::fixed) drawn_.push_back(i);
  }

  const std::vector<std::size_t>& drawn() const { return drawn_; }

  void draw_into(std::vector<double>& values, std::uint64_t seed, std::int64_t number) const {
    Philox random(seed, static_cast<std::uint64_t>(number));
    std::vector<std::size_t> counted;
    for (const std::size_t i : drawn_) {
      if (model_.assumptions[i].spread == Spread::poisson)
        counted.push_back(i);
      else
        values[i] = draw(model_.assumptions[i], 0, random);
    }
    for (const std::size_t i : counted) values[i] = model_.assumptions[i].value;
    if (!counted.empty()) model_.sheet.evaluate_until(events_ + 1, values);
    for (const std::size_t i : counted) values[i] = draw(model_.assumptions[i], values[events_], random);
    model_.sheet.evaluate(values);
  }

  double cost(const std::vector<double>& values, std::size_t scenario) const {
    double sum = 0;
    for (const auto& [quantity, price] : rows_[scenario]) sum += values[quantity] * values[price];
    return sum;
  }
  double days(const std::vector<double>& values) const { return values[cells_[0]]; }

  void append(const std::vector<double>& values, std::vector<double>& out) const {
    for (const std::size_t cell : cells_) out.push_back(values[cell]);
    for (std::size_t s = 0; s < rows_.size(); ++s) out.push_back(cost(values, s));
    for (const std::size_t i : drawn_) out.push_back(values[i]);
  }

 private:
  const CostModel& model_;
  std::vector<std::size_t> cells_, drawn_;
  std::size_t events_ = 0;
  std::vector<std::vector<std::pair<std::size_t, std::size_t>>> rows_;
};

std::size_t chosen_index(const CostModel& model) {
  for (std::size_t i = 0; i < model.scenarios.size(); ++i)
    if (model.scenarios[i].id == model.chosen) return i;
  throw InternalError("a cost model has no chosen scenario");
}

/// Means of `columns` over bins of draws in the order `order`; by bin, then column.
std::vector<std::vector<double>> bin_means(const std::vector<std::vector<double>>& columns, const std::vector<std::size_t>& order) {
  std::vector<std::vector<double>> means(bins, std::vector<double>(columns.size(), 0.0));
  for (std::size_t b = 0; b < bins; ++b) {
    const std::size_t begin = b * order.size() / bins, end = (b + 1) * order.size() / bins;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      for (std::size_t i = begin; i < end; ++i) means[b][c] += columns[c][order[i]];
      means[b][c] /= static_cast<double>(std::max<std::size_t>(1, end - begin));
    }
  }
  return means;
}

struct Known {
  double variance = 0;  ///< of the chosen cost's bin means
  double regret = 0;    ///< min of means less mean of minima
};

Known known_by_bins(const std::vector<std::vector<double>>& costs, std::size_t chosen, const std::vector<std::size_t>& order) {
  const auto means = bin_means(costs, order);
  Known out;
  double mean = 0, least = 0;
  std::vector<double> total(costs.size(), 0.0);
  for (const auto& bin : means) {
    mean += bin[chosen] / bins;
    least += *std::min_element(bin.begin(), bin.end()) / bins;
    for (std::size_t s = 0; s < costs.size(); ++s) total[s] += bin[s] / bins;
  }
  for (const auto& bin : means) out.variance += (bin[chosen] - mean) * (bin[chosen] - mean) / bins;
  out.regret = *std::min_element(total.begin(), total.end()) - least;
  return out;
}

Distribution distribution_of(std::string name, std::string title, std::string unit, std::vector<double> values) {
  Distribution out{std::move(name), std::move(title), std::move(unit), {}, {}};
  out.spread.mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  std::sort(values.begin(), values.end());
  for (int p = 1; p <= 99; ++p) out.percentiles.push_back(quantile(values, p / 100.0));
  out.spread.p10 = out.percentiles[9];
  out.spread.p50 = out.percentiles[49];
  out.spread.p90 = out.percentiles[89];
  return out;
}

std::vector<double> column(const std::vector<double>& rows, std::size_t width, std::size_t at) {
  std::vector<double> out;
  for (std::size_t i = at; i < rows.size(); i += width) out.push_back(rows[i]);
  return out;
}

double bounded(const CostAssumption& a, double value) {
  const CostAssumptionRule& rule = cost_assumption_rule(a.name);
  return std::clamp(value, rule.least, rule.most);
}

Sensitivity sensitivity_of(const CostModel& model, const Reducer& reducer, std::size_t chosen, std::size_t i) {
  std::vector<double> assumed;
  for (const CostAssumption& a : model.assumptions) assumed.push_back(a.value);
  const CostAssumption& a = model.assumptions[i];
  const auto at = [&](double value) {
    std::vector<double> changed = assumed;
    changed[i] = value;
    return model.values(changed);
  };
  const double base = reducer.cost(model.values(assumed), chosen);
  const auto low = at(a.low), high = at(a.high);
  Sensitivity out;
  out.assumption = a.name;
  out.minus_tenth = reducer.cost(at(bounded(a, 0.9 * a.value)), chosen) - base;
  out.plus_tenth = reducer.cost(at(bounded(a, 1.1 * a.value)), chosen) - base;
  out.at_low = reducer.cost(low, chosen);
  out.at_high = reducer.cost(high, chosen);
  out.days_low = reducer.days(low);
  out.days_high = reducer.days(high);
  return out;
}

}  // namespace

double poisson(double mean, Philox& random) {
  if (!(mean > 0)) return 0;
  if (mean > 100) return std::max(0.0, std::round(mean + std::sqrt(mean) * random.normal()));
  double count = 0;
  for (double time = random.exponential(1.0); time <= mean; time += random.exponential(1.0)) ++count;
  return count;
}

double poisson_quantile(double mean, double share) {
  if (!(mean > 0)) return 0;
  if (mean > 500) return std::max(0.0, std::round(mean + std::sqrt(mean) * (share < 0.5 ? -z90 : z90) * std::abs(share - 0.5) / 0.4));
  double term = std::exp(-mean), sum = term, n = 0;
  while (sum < share && n < 10 * mean + 100) {
    ++n;
    term *= mean / n;
    sum += term;
  }
  return n;
}

double draw(const CostAssumption& a, double expected, Philox& random) {
  switch (a.spread) {
    case Spread::fixed:
      return a.value;
    case Spread::normal:
    case Spread::lognormal:
      return bounded(a, two_piece(a, random.normal()));
    case Spread::triangular:
      return triangular(a, random.uniform());
    case Spread::uniform:
      return a.low + (a.high - a.low) * random.uniform();
    case Spread::poisson:
      return expected > 0 ? bounded(a, poisson(expected, random) / expected) : a.value;
  }
  throw InternalError("an assumption has an unknown spread");
}

std::vector<std::string> draw_columns(const CostModel& model) {
  std::vector<std::string> out{"calendar_days", "energy_mwh", "carbon_t"};
  for (const CostScenario& s : model.scenarios) out.push_back("cost_" + s.id);
  for (const CostAssumption& a : model.assumptions)
    if (a.spread != Spread::fixed) out.push_back(a.name);
  return out;
}

std::vector<double> draw_rows(const CostModel& model, std::uint64_t seed, std::int64_t first, std::int64_t count) {
  const Reducer reducer(model);
  std::vector<double> out, values = model.values();
  out.reserve(static_cast<std::size_t>(count) * draw_columns(model).size());
  for (std::int64_t i = first; i < first + count; ++i) {
    reducer.draw_into(values, seed, i);
    reducer.append(values, out);
  }
  return out;
}

Uncertainty reduce_draws(const CostModel& model, std::uint64_t seed, std::int64_t draws, const std::vector<double>& rows) {
  const std::vector<std::string> names = draw_columns(model);
  const std::size_t width = names.size(), scenarios = model.scenarios.size(), n = static_cast<std::size_t>(draws);
  if (draws < 1 || rows.size() != n * width) throw InternalError("the draws of a cost study are not complete");
  const Reducer reducer(model);
  const std::size_t chosen = chosen_index(model);
  Uncertainty out;
  out.seed = seed;
  out.draws = draws;
  out.results.push_back(distribution_of("calendar_days", "days until done", "days", column(rows, width, 0)));
  out.results.push_back(distribution_of("energy_mwh", "energy, facility included", "MWh", column(rows, width, 1)));
  out.results.push_back(distribution_of("carbon_t", "carbon, operational and embodied", "t CO2e", column(rows, width, 2)));
  std::vector<std::vector<double>> costs;
  for (std::size_t s = 0; s < scenarios; ++s) {
    costs.push_back(column(rows, width, results_before_scenarios + s));
    out.results.push_back(distribution_of(model.scenarios[s].id, model.scenarios[s].title, "USD", costs.back()));
  }
  out.wins.assign(scenarios, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t best = 0;
    for (std::size_t s = 1; s < scenarios; ++s)
      if (costs[s][i] < costs[best][i]) best = s;
    out.wins[best] += 1;
  }
  for (double& w : out.wins) w /= static_cast<double>(n);

  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const Known noise = known_by_bins(costs, chosen, order);
  double variance = 0;
  const double mean = out.results[results_before_scenarios + chosen].spread.mean;
  for (const double c : costs[chosen]) variance += (c - mean) * (c - mean) / static_cast<double>(n);
  std::size_t next = results_before_scenarios + scenarios;
  for (std::size_t i = 0; i < model.assumptions.size(); ++i) {
    Sensitivity one = sensitivity_of(model, reducer, chosen, i);
    if (model.assumptions[i].spread != Spread::fixed) {
      const std::vector<double> drawn = column(rows, width, next++);
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return drawn[a] < drawn[b]; });
      const Known known = known_by_bins(costs, chosen, order);
      if (variance > 0) one.variance_share = std::clamp((known.variance - noise.variance) / variance, 0.0, 1.0);
      one.worth = std::max(0.0, known.regret - noise.regret);
    }
    out.sensitivities.push_back(one);
  }
  return out;
}

std::vector<const Sensitivity*> largest_swings(const Uncertainty& uncertainty, std::size_t count) {
  std::vector<const Sensitivity*> out;
  for (const Sensitivity& s : uncertainty.sensitivities)
    if (s.swing() > 0) out.push_back(&s);
  std::stable_sort(out.begin(), out.end(), [](const Sensitivity* a, const Sensitivity* b) { return a->swing() > b->swing(); });
  if (out.size() > count) out.resize(count);
  return out;
}

}  // namespace reckon
