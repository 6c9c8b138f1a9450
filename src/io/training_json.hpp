// The record of a training run, and its JSON.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "train/step_report.hpp"

namespace reckon {

struct ValidationPoint {
  std::int64_t step = 0;
  double loss = 0;
};

struct TrainingRecord {
  std::string model, strategy, precision, optimizer, text;
  double parameters = 0, model_flops_per_token = 0;
  int ranks = 1, threads = 1;
  std::int64_t seq_len = 0, global_batch_size = 0, micro_batch_size = 0, first_step = 1, last_step = 0;
  std::int64_t state_bytes = 0;          ///< of the rank that holds most
  std::vector<train::StepReport> steps;  ///< seconds are means over the ranks
  std::vector<ValidationPoint> validation;

  double tokens_per_step() const { return double(global_batch_size) * double(seq_len); }
  /// Median over the steps, leaving out the first where there are three or more: it pays for first touches of memory.
  double step_seconds() const;
};

/// Schema "reckon/training/1".
std::string training_json(const TrainingRecord& record);

}  // namespace reckon
