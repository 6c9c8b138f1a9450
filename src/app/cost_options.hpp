// The options about dollars beyond the rent, and the cost study of a planned size.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/model_error.hpp"
#include "app/options.hpp"
#include "app/scene.hpp"
#include "io/plan_results.hpp"
#include "projection/rollout.hpp"
#include "runtime/mpi_session.hpp"

namespace reckon {

/// --costs, --assume, --grid, --draws, --seed.
OptionGroup cost_options();

/// What a study needs beside a plan: every assumption that does not depend on the plan, with its source.
struct CostBasis {
  std::vector<CostAssumption> assumptions;
  ModelTrust trust;                    ///< how sure step times are; each size of plan has its own range of model_error
  DataFeed feed;                       ///< where the data come from
  std::optional<RolloutLoop> rollout;  ///< with reinforcement learning
  RolloutPolicy policy;                ///< that generates
  double seq_len = 1, batch = 1;       ///< of the training step
  std::string chosen;                  ///< scenario that the run's price belongs to
  std::string place;
  std::int64_t draws = 0;
  std::uint64_t seed = 0;
};

/// Defaults from models/costs, prices from the catalogue, then --costs, then --assume; the files go into the scene's inputs.
CostBasis read_cost_basis(const ParsedOptions& options, Scene& scene, const std::filesystem::path& models, const PlanQuestion& question);

/// A fixed assumption.
CostAssumption fixed_assumption(const std::string& name, double value, std::string basis, std::string source, std::string date = "");
/// Puts `a` in the place of the one of its name, or at the end.
void put_assumption(std::vector<CostAssumption>& list, CostAssumption a);

/// The model of one plan.  Throws UsageError for assumptions that do not go together.
CostModel model_of(const CostBasis& basis, const PlanPoint& point);

/// The study of one plan without draws.  Throws UsageError for assumptions that do not go together, MoneyRangeError when the run costs more
/// than money can say.
CostStudy study_of(const CostBasis& basis, const PlanPoint& point);

/// Days and costs over the sizes of `results` (at most 24), each by at most 300 draws.
std::vector<FanPoint> fan_of(const CostBasis& basis, const PlanResults& results);

/// Draws shared among the ranks, reduced on rank 0 (elsewhere empty).  Collective.  Every rank has the same `model`.
Uncertainty draw_together(const MpiSession& session, const CostModel& model, std::uint64_t seed, std::int64_t draws);

/// Assumptions of NAME=VALUE,NAME=VALUE put over `assumptions`: the value moves, the range keeps its shape around it.  Throws UsageError.
void assume(const ParsedOptions& options, std::vector<CostAssumption>& assumptions);

}  // namespace reckon
