// The width of the 90 % intervals, from residuals of runs that no fit saw.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "plan/cross_validation.hpp"

namespace reckon {

/// Residuals of one stack's runs; `left_out` from cross_validated by model, in the order of `runs`.
StackResiduals residuals_of(const std::string& stack, const std::vector<SourcedRun>& runs, const std::vector<Replay>& left_out,
                            const CalibrationSet& set);

/// The rule for all stacks of `set`, whose residuals must be filled.  pooled: mean spread of the stacks; unseen_device:
/// what leaving out devices adds to leaving out models, in quadrature, over stacks with two devices or more; factor: the 90 % quantile of
/// |residual| / expected spread, every stack weighing sqrt(runs); unseen_stack: the same quantile of |residual| with the default stack's
/// constants, every stack weighing the same, or that of 86 % of all runs where it is larger, over factor; per_doubling stays.  Runs that a
/// simulator put together do not count.
IntervalRule interval_rule(const std::vector<SourcedRun>& runs, const std::vector<Replay>& left_out, const CalibrationSet& set);

}  // namespace reckon
