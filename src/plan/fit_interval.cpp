// SPDX-License-Identifier: Apache-2.0
#include "plan/fit_interval.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace reckon {
namespace {

double residual(const Replay& r) { return std::abs(std::log1p(r.relative_error)); }

/// Mean |residual| of each stack.
std::map<std::string, double> spreads(const std::vector<SourcedRun>& runs, const std::vector<Replay>& replays, const CalibrationSet& set) {
  std::map<std::string, std::pair<double, double>> sums;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (replays[i].status == ReplayStatus::unsupported) continue;
    auto& [sum, n] = sums[set.stack_of(*runs[i].run).id];
    sum += residual(replays[i]);
    n += 1;
  }
  std::map<std::string, double> out;
  for (const auto& [id, s] : sums) out[id] = s.first / s.second;
  return out;
}

double mean(const std::map<std::string, double>& values) {
  double sum = 0;
  for (const auto& [id, v] : values) sum += v;
  return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
}

/// What leaving out devices adds to leaving out models, in quadrature.  A stack whose models differ more than its devices adds nothing.
double device_spread(const std::vector<SourcedRun>& runs, const std::map<std::string, double>& by_model, const CalibrationSet& set) {
  std::map<std::string, std::set<std::string>> devices;
  for (const SourcedRun& r : runs) devices[set.stack_of(*r.run).id].insert(r.run->cluster.device.id);
  double square = 0, n = 0;
  for (const auto& [id, spread] : spreads(runs, cross_validated(runs, set, LeaveOut::device), set)) {
    if (devices[id].size() < 2) continue;
    square += std::max(0.0, spread * spread - by_model.at(id) * by_model.at(id));
    n += 1;
  }
  return n > 0 ? std::sqrt(square / n) : IntervalRule{}.unseen_device;
}

/// Quantile of `value` over the runs; those of a stack with n runs weigh n^-exponent each.
template <class Value>
double weighted_quantile(const std::vector<SourcedRun>& runs, const std::vector<Replay>& replays, const CalibrationSet& set, double share, double exponent,
                         Value value) {
  std::map<std::string, double> count;
  for (const SourcedRun& r : runs) count[set.stack_of(*r.run).id] += 1.0;
  std::vector<std::pair<double, double>> all;  // value, weight
  double total = 0, below = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (replays[i].status == ReplayStatus::unsupported) continue;
    const double weight = std::pow(count[set.stack_of(*runs[i].run).id], -exponent);
    all.emplace_back(value(replays[i], *runs[i].run), weight);
    total += weight;
  }
  std::sort(all.begin(), all.end());
  for (const auto& [v, weight] : all) {
    below += weight;
    if (below >= share * total) return v;
  }
  return 0.0;
}

}  // namespace

StackResiduals residuals_of(const std::string& stack, const std::vector<SourcedRun>& runs, const std::vector<Replay>& left_out,
                            const CalibrationSet& set) {
  StackResiduals out;
  std::set<std::string> devices;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const PublishedRun& run = *runs[i].run;
    if (set.stack_of(run).id != stack || left_out[i].status == ReplayStatus::unsupported) continue;
    out.runs += 1;
    out.spread += residual(left_out[i]);
    out.most_devices = std::max(out.most_devices, run.strategy.num_devices());
    devices.insert(run.cluster.device.id);
  }
  if (out.runs > 0) out.spread /= static_cast<double>(out.runs);
  out.devices.assign(devices.begin(), devices.end());
  return out;
}

IntervalRule interval_rule(const std::vector<SourcedRun>& all_runs, const std::vector<Replay>& all_left_out, const CalibrationSet& set) {
  std::vector<SourcedRun> runs;  // what a simulator put together says nothing about measurements
  std::vector<Replay> left_out;
  for (std::size_t i = 0; i < all_runs.size(); ++i) {
    if (all_left_out[i].traced) continue;
    runs.push_back(all_runs[i]);
    left_out.push_back(all_left_out[i]);
  }
  IntervalRule out;
  const std::map<std::string, double> by_model = spreads(runs, left_out, set);
  out.pooled = mean(by_model);
  out.unseen_device = device_spread(runs, by_model, set);
  const auto seen = [&](const Replay& r, const PublishedRun& run) {
    return residual(r) / expected_spread(out, set.stack_of(run), run.cluster.device.id, run.strategy.num_devices());
  };
  out.factor = weighted_quantile(runs, left_out, set, 0.9, 0.5, seen);
  const std::vector<Replay> defaults = cross_validated(runs, set, LeaveOut::stack);
  const auto error = [](const Replay& r, const PublishedRun&) { return residual(r); };
  // 90 % with the stacks in balance, and 86 % of all runs if that is more
  out.unseen_stack = std::max(weighted_quantile(runs, defaults, set, 0.9, 1.0, error), weighted_quantile(runs, defaults, set, 0.86, 0.0, error)) / out.factor;
  return out;
}

}  // namespace reckon
