// Answers as JSON: `--json` of plan, predict and show.  Units stand in the keys; a value that is missing is null.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "io/json.hpp"
#include "io/plan_results.hpp"

namespace reckon {

/// The whole answer, schema "reckon/plan/1".  `currency` is that of every amount; keys carry it (`total_usd`, `total_eur`).
std::string plan_json(const PlanResults& results);

/// One strategy, schema "reckon/prediction/1".  `fits` is against the usable memory of the question.
std::string prediction_json(const PlanQuestion& question, const PlanPoint& point, bool fits, const std::vector<Assumption>& assumptions);

/// The question alone, as it is kept in a results file, and back; round trip exact.
std::string question_json(const PlanQuestion& question);
PlanQuestion read_question(const JsonNode& root);

}  // namespace reckon
