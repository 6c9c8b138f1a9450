// A step on every device: with noise, slow devices, slow nodes and slow links, nothing is symmetric any more and every task is executed.
//
// Devices are numbered as in device_order.hpp.  A device runs its passes in the order of the
// schedule; a message of a group starts when its last member arrives.  Times are sums and maxima of what precedes, so that no queue is
// needed and the order of execution does not matter: the same bits on one process and on many.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "simulate/step_plan.hpp"

namespace reckon {

/// What makes devices differ.  `slower` is the added share of time: 0.1 = a tenth more.
struct Disturbance {
  struct Slow {
    std::int64_t first = 0, count = 1;  ///< devices
    double slower = 0;
  };
  double jitter = 0;          ///< standard deviation of a pass's compute time on one device, as a share
  std::vector<Slow> devices;  ///< compute
  std::vector<Slow> links;    ///< every message in which one of these devices takes part, its transfers included
  std::uint64_t seed = 1;
};

/// Pipelines (columns of devices, one a data-parallel rank) that this process simulates, and how it agrees with the others.
struct Share {
  std::int64_t rank = 0, ranks = 1;
  /// Replaces every value by the largest of all processes; called in the same order everywhere.
  std::function<void(std::vector<double>&)> all_max;
};

struct UnfoldedStep {
  double seconds = 0;             ///< of the step, without the closed form's allowance for jitter
  double pipeline = 0;            ///< until the last stage has done its last pass
  std::int64_t devices = 0;       ///< simulated by all processes together
  std::int64_t tasks = 0;         ///< compute and message tasks executed, all processes
  std::vector<double> stage_end;  ///< latest end of a stage's passes, by stage
};

/// Runs the step.  Throws UsageError for a disturbance of devices that are not there.
UnfoldedStep simulate_unfolded(const StepPlan& plan, const Strategy& strategy, const Disturbance& disturbance, const Share& share = {});

}  // namespace reckon
