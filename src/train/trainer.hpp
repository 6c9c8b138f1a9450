// One rank of a training run: its part of the model, its steps, its state.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "train/process_grid.hpp"
#include "train/step_report.hpp"
#include "train/text_data.hpp"
#include "train/training_job.hpp"

namespace reckon::train {

class Trainer {
 public:
  virtual ~Trainer() = default;

  /// Trains step `step` (from 1).  Collective.  Throws InternalError when the loss is no number.
  virtual StepReport step(std::int64_t step) = 0;
  /// Mean loss over `batches` global batches of the part held back.  Collective.
  virtual double validation_loss(std::int64_t batches) = 0;

  /// Master weights and moments; after their bytes are replaced, restored() spreads the weights (collective).
  virtual std::vector<StatePiece> state() = 0;
  virtual void restored() = 0;
  virtual std::vector<ParameterPlace> places() = 0;
  /// Weights, gradients and optimiser state held by this rank.
  virtual std::int64_t state_bytes() = 0;
};

/// Builds the model with its first weights.  `job`, `grid` and `data` must outlive it.  Collective.  Throws UsageError: see check_job.
std::unique_ptr<Trainer> make_trainer(const TrainingJob& job, const ProcessGrid& grid, const TextData& data);
/// The same in double through the reference kernels, for gradient checks.
std::unique_ptr<Trainer> make_reference_trainer(const TrainingJob& job, const ProcessGrid& grid, const TextData& data);

}  // namespace reckon::train
