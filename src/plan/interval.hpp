// How sure a predicted step time is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "calibration/stack.hpp"

namespace reckon {

/// Expected |ln(measured / predicted)| of a step on `devices` devices of one kind:
///
///   spread^2 = (n s^2 + 5 p^2) / (n + 5) + [device unseen] d^2 + (g log2(devices / most))^2
///
/// n runs of the stack with cross-validated spread s, p the mean spread of all stacks (IntervalRule::pooled), d and g its unseen_device
/// and per_doubling; a stack without runs has unseen_stack alone, and a traced one beside it the share by which its host time is unknown
/// (spread over centre of the fit's prior).
double expected_spread(const IntervalRule& rule, const Stack& stack, const std::string& device, std::int64_t devices);

struct StepInterval {
  Seconds low, high;
};

/// The 90 % interval: predicted exp(-+ factor spread).
StepInterval step_interval(const IntervalRule& rule, Seconds predicted, double spread);

}  // namespace reckon
