// Published runs replayed: prediction beside measurement, and what the differences say.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalog/published_run.hpp"
#include "cost/step_cost.hpp"
#include "plan/interval.hpp"

namespace reckon {

/// All that a prediction reads beside the question itself: one calibration a device, the links, one entry a software stack.
struct CalibrationSet {
  std::map<std::string, ComputeCalibration> compute;  ///< by device id
  LinkTable links;
  StackTable stacks;

  /// The stack of a published run: its generation's where one fits, else the one it names, else "default".
  const Stack& stack_of(const PublishedRun& run) const;

  /// The stack of that id, or "default".  Throws CalibrationError when there is neither.
  const Stack& stack(const std::string& id) const;
  /// The device's own calibration.  Throws CalibrationError naming the device when there is none.
  const ComputeCalibration& device(const std::string& id) const;
};

enum class ReplayStatus { ok, infeasible, unsupported };

struct Replay {
  ReplayStatus status = ReplayStatus::ok;
  std::string reason;       ///< why it does not fit, or is not supported
  StepCost cost;
  double relative_error = 0;   ///< predicted / measured - 1
  double spread = 0;           ///< expected |ln(measured / predicted)|
  StepInterval interval;       ///< the 90 % interval of the step time
  bool traced = false;         ///< no measurement: what the run's file states was put together by a simulator (StackFacts::traced)
};

/// The inputs of a published run as a job.  `links` must outlive the result.
Job job_of(const PublishedRun& run, const CalibrationSet& set, const Stack& stack, const LinkCalibration& links);

/// Predicts one run at its own strategy; a plan that the memory model refuses is still priced and says so in `reason`.
Replay replay(const PublishedRun& run, const CalibrationSet& set);
Replay replay(const PublishedRun& run, const CalibrationSet& set, const Stack& stack);

/// Median error of the memory model over the published peaks: a run that exceeds its device by less is tight, not infeasible.
constexpr double memory_error = 0.05;

/// The predicted footprint on the measure that the run's peak memory was read with.
inline Bytes comparable_memory(const PublishedRun& run, const StepCost& cost) {
  return run.whole_device_memory ? cost.memory.total() : cost.memory.allocated();
}

/// Signed relative errors of the runs that were priced.
std::vector<double> signed_errors(const std::vector<Replay>& replays);

/// Absolute relative errors of a group of runs.
struct ErrorSummary {
  std::size_t n = 0;
  double median = 0, mean = 0, p90 = 0, worst = 0, bias = 0;  ///< bias: mean signed error
};
ErrorSummary summarise(const std::vector<double>& signed_errors);

/// The mean of every column over groups, the worst of all, and the runs of all; groups without runs do not count.
ErrorSummary average(const std::vector<ErrorSummary>& groups);

}  // namespace reckon
