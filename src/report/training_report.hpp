// A training run in words.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "io/training_json.hpp"

namespace reckon {

/// What was trained, a table of at most some 20 steps, validation losses, speed and where the time went.
std::string training_report(const TrainingRecord& record);

/// One line for a step in progress: "step 12 of 200: loss 3.1204, gradient 0.82, 0.52 s, 492 tokens/s, 98 s left".
std::string step_line(const train::StepReport& step, double tokens_per_step, std::int64_t last_step);

}  // namespace reckon
