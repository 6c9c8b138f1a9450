// Errors of predictions for runs that the constants of their stack were not fitted to.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "plan/replay.hpp"

namespace reckon {

/// What is left out together.  none: the fit is taken as it is.  stack: the constants are the default stack's, its own facts stay.
enum class LeaveOut { none, model, device, source, stack };

/// A run beside the source that it stands in.
struct SourcedRun {
  const PublishedRun* run = nullptr;
  std::string source;
};

/// Constants of a stack without runs: medians of those of `median_of` (host time too) but `without`; scale_jitter their mean, because most
/// stacks have none and some have much.
StackConstants median_constants(const StackTable& table, const std::vector<std::string>& median_of, const std::string& without);

/// Predicts every run with constants fitted anew to the runs of its stack outside its group; groups are dealt into at most six folds. Where
/// none is left, the constants are the default stack's (without this one; the host time of a traced stack is the fit's prior).  Same order as `runs`.
std::vector<Replay> cross_validated(const std::vector<SourcedRun>& runs, const CalibrationSet& set, LeaveOut leave_out);

}  // namespace reckon
