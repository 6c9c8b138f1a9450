// A step replayed with its symmetry folded: one device stands for all of its pipeline stage, since they do the same at the same time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "simulate/replay.hpp"
#include "simulate/step_plan.hpp"

namespace reckon {

/// Where the seconds of a step went; total() is their sum and nothing else.
struct StepSeconds {
  double work = 0;    ///< passes of the busiest stage, its messages and, where they wait, its transfers
  double bubble = 0;  ///< the rest of the pipeline's time
  double data = 0;    ///< gradient reduction and parameter gather that show after the last backward pass
  double optimizer = 0;
  double jitter = 0;  ///< the stack's allowance for stragglers at scale, as in the closed form
  double total() const { return work + bubble + data + optimizer + jitter; }
};

/// A change of held bytes.
struct MemoryPoint {
  double time = 0, bytes = 0;
};

struct StepSimulation {
  PipelineSchedule schedule;
  PipelineTimeline timeline;
  StepSeconds seconds;
  std::vector<double> reduce_end;                ///< by stage: end of what shows of the gradient reduction
  std::vector<std::vector<MemoryPoint>> memory;  ///< by stage, from the start of the step to its last backward pass
  std::vector<double> peak_bytes;                ///< by stage
};

StepSimulation simulate_step(const StepPlan& plan);

/// One part of a step in the closed form and in the simulation.
struct StepDifference {
  std::string part;
  double closed = 0, simulated = 0;  ///< seconds
  std::string where, why;            ///< the stages that decide, and what the closed form simplifies; empty within 0.1 % of the step
};

/// Part by part: busiest stage, bubble, pipeline messages, data, optimizer, jitter, total.
std::vector<StepDifference> step_differences(const StepPlan& plan, const StepSimulation& simulation);

}  // namespace reckon
