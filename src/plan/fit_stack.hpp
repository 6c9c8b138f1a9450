// Fits the six constants of a software stack to measured runs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "plan/replay.hpp"

namespace reckon {

/// A constant that may be fitted: its plausible range, its prior (where the data say nothing) and the width of the prior.
struct ConstantRange {
  const char* name;
  double StackConstants::* number;   ///< null for host_time
  double low, high;
  double usual, spread;              ///< where isolated kernels and other stacks put it: centre and one standard deviation of the prior
  bool logarithmic = false;          ///< the fit searches its logarithm, of which `spread` is the deviation: positive, over orders of magnitude
};
/// product_slowdown, stream_slowdown, host_time (us), tensor_slowdown, exposed_data, scale_jitter (a factor of two either way).  Under a tracer that runs kernels one at a
/// time the prior of host_time is 50 +- 30 us, a guess: launch, the kernel's end, a synchronisation and the records of three CUDA calls.
const std::vector<ConstantRange>& constant_ranges(const StackFacts& facts);

/// That of host_time (us).
const ConstantRange& host_time_range(const StackFacts& facts);

struct StackFit {
  Stack stack;
  ErrorSummary before, after;
  std::vector<std::string> at_bound;  ///< constants that ended at the end of their range: a mechanism is missing
};

/// Minimises the mean of a robust loss of log(predicted / measured) (linear beyond 10 %) plus a weak pull to the prior, by coordinate
/// search with shrinking steps from the prior: deterministic, no derivative.  `prior` gives the facts.  Runs with the same
/// architecture count together as `sqrt(n)`, so that one much-repeated model does not decide alone.
StackFit fit_stack(const std::vector<const PublishedRun*>& runs, const CalibrationSet& set, const Stack& prior);

/// The constants alone.  `stack` gives the facts.
StackConstants fit_constants(const std::vector<const PublishedRun*>& runs, const CalibrationSet& set, const Stack& stack);

}  // namespace reckon
