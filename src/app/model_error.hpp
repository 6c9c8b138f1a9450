// How far the real step may lie from the predicted one, as an assumption of the cost model.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "plan/interval.hpp"
#include "projection/cost_model.hpp"

namespace reckon {

/// What says how sure the predictions of a stack are: the rule of all stacks, the stack's own residuals, the device that is predicted.
struct ModelTrust {
  IntervalRule rule;
  Stack stack;
  std::string device;  ///< id
};

/// The assumption `model_error` of a step on `devices` devices: median 1, and as 10th and 90th percentile the ends of the 80 % band that
/// belongs to the 90 % interval of step_interval() (what `reckon predict` states), by the quantiles of the normal distribution:
/// exp(-+ factor spread z(0.9) / z(0.95)).
CostAssumption model_error_of(const ModelTrust& trust, std::int64_t devices);

}  // namespace reckon
