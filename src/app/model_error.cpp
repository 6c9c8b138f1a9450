// SPDX-License-Identifier: Apache-2.0
#include "app/model_error.hpp"

#include <fmt/format.h>

#include <cmath>

#include "report/numbers.hpp"

namespace reckon {
namespace {

constexpr double z90 = 1.2815515655446004, z95 = 1.6448536269514722;  // normal quantiles

}  // namespace

CostAssumption model_error_of(const ModelTrust& trust, std::int64_t devices) {
  const StackResiduals& r = trust.stack.residuals;
  const double spread = expected_spread(trust.rule, trust.stack, trust.device, devices);
  const double end = std::pow(step_interval(trust.rule, Seconds{1.0}, spread).high.base(), z90 / z95);
  const CostAssumptionRule& rule = cost_assumption_rule("model_error");
  const std::string source =
      r.runs > 0 ? fmt::format(
                       "measured over predicted step time of {} published runs of the stack {} up to {} devices, "
                       "each left out with its model",
                       grouped(r.runs), trust.stack.id, grouped(r.most_devices))
                 : fmt::format("no published run of the stack {}: runs of all others, predicted with default constants", trust.stack.id);
  return {rule.name, rule.title, rule.unit, 1.0, 1.0 / end, end, Spread::lognormal, "predicted", source, ""};
}

}  // namespace reckon
