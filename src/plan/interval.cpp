// SPDX-License-Identifier: Apache-2.0
#include "plan/interval.hpp"

#include <algorithm>
#include <cmath>

#include "plan/fit_stack.hpp"

namespace reckon {
namespace {

constexpr double pseudo_runs = 5.0;  // weight of the pooled spread: a handful of runs says little about their spread

}  // namespace

double expected_spread(const IntervalRule& rule, const Stack& stack, const std::string& device, std::int64_t devices) {
  const StackResiduals& r = stack.residuals;
  if (r.runs == 0) {
    const ConstantRange& host_time = host_time_range(stack.facts);
    return stack.facts.traced ? std::hypot(rule.unseen_stack, host_time.spread / host_time.usual) : rule.unseen_stack;
  }
  const double n = static_cast<double>(r.runs);
  double square = (n * r.spread * r.spread + pseudo_runs * rule.pooled * rule.pooled) / (n + pseudo_runs);
  if (std::find(r.devices.begin(), r.devices.end(), device) == r.devices.end()) square += rule.unseen_device * rule.unseen_device;
  if (devices > r.most_devices && r.most_devices > 0) {
    const double beyond = rule.per_doubling * std::log2(static_cast<double>(devices) / static_cast<double>(r.most_devices));
    square += beyond * beyond;
  }
  return std::sqrt(square);
}

StepInterval step_interval(const IntervalRule& rule, Seconds predicted, double spread) {
  const double half = std::exp(rule.factor * spread);
  return {predicted / half, predicted * half};
}

}  // namespace reckon
