// `reckon simulate --json`, schema "reckon/simulation/1".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/plan_results.hpp"
#include "simulate/contention.hpp"
#include "simulate/run_simulation.hpp"
#include "simulate/step_simulation.hpp"
#include "simulate/unfolded.hpp"

namespace reckon {

/// A run of the strategy, many times.
struct RunAnswer {
  RunScenario scenario;
  std::uint64_t seed = 1;
  RunSummary summary;
  CheckpointIntervals intervals;
  std::vector<double> wall;  ///< seconds of every sample, in their order
};

/// A simulated strategy and what it was made of, ready to be printed.
struct SimulationAnswer {
  PlanQuestion question;
  Strategy strategy;
  StepPlan plan;
  StepSimulation step;
  std::optional<UnfoldedStep> unfolded;
  std::optional<Contention> contention;
  std::optional<RunAnswer> run;
  std::vector<std::string> files;  ///< written beside the answer
  std::vector<Assumption> assumptions;
};

/// A planned strategy, simulated: `reckon plan --simulate`.
struct PlanReplay {
  std::int64_t devices = 0, place = 1;  ///< place: rank among the strategies of its size
  Strategy strategy;
  double closed = 0, simulated = 0;  ///< seconds a step
  std::vector<StepDifference> parts;
};

/// The answer of `reckon plan --json` with a member "replays".
std::string add_replays(const std::string& plan_json, const std::vector<PlanReplay>& replays);

/// Wall times as SVG: a histogram with P10, P50 and P90.
std::string histogram_svg(const RunAnswer& run, const std::string& title);

std::string simulation_json(const SimulationAnswer& answer);

}  // namespace reckon
