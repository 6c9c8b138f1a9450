// The options of `reckon train` and the job that they describe.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "app/options.hpp"
#include "train/training_job.hpp"

namespace reckon {

/// Model and text, optimiser, strategy.
std::vector<OptionGroup> train_option_groups();

/// The job for `ranks` ranks; reads the architecture.  Throws UsageError or ConfigError; does not check what the trainer can train.
train::TrainingJob read_training_job(const ParsedOptions& options, int ranks);

std::string_view name_of(train::OptimizerKind kind);

}  // namespace reckon
