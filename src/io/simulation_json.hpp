// `reckon simulate --json`, schema "reckon/simulation/1".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "io/plan_results.hpp"
#include "simulate/step_simulation.hpp"

namespace reckon {

/// A simulated strategy and what it was made of, ready to be printed.
struct SimulationAnswer {
  PlanQuestion question;
  Strategy strategy;
  StepPlan plan;
  StepSimulation step;
  std::vector<std::string> files;  ///< written beside the answer
  std::vector<Assumption> assumptions;
};

std::string simulation_json(const SimulationAnswer& answer);

}  // namespace reckon
