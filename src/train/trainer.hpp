// One rank of a training run: its part of the model, its steps, its state.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "train/process_grid.hpp"
#include "train/text_data.hpp"
#include "train/training_job.hpp"

namespace reckon::train {

/// Where the wall-clock time of a step went on this rank, in seconds.  Compute is without the messages inside it.
struct PhaseSeconds {
  double forward = 0, backward = 0, optimizer = 0;                       ///< compute; backward holds what is computed again
  double tensor = 0, context = 0, expert = 0, pipeline = 0, replicas = 0, other = 0;  ///< messages and waiting, by group
  double total = 0;
};

struct StepReport {
  std::int64_t step = 0;
  double loss = 0;           ///< mean over the tokens of the global batch, before the update
  double gradient_norm = 0;  ///< before clipping
  double learning_rate = 0;
  PhaseSeconds seconds;
};

/// A run of bytes of this rank's state, and what it is.
struct StatePiece {
  std::string name;
  void* data = nullptr;
  std::size_t size = 0;
};

/// Where a parameter lies in its unit's pieces: for readers of checkpoints.
struct ParameterPlace {
  std::string unit, name;
  std::int64_t offset = 0, rows = 0, columns = 0, row = 0, column = 0, owned_first = 0, owned_count = 0;
};

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
