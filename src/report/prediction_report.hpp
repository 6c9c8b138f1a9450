// The answer of `reckon predict` as text.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "io/plan_results.hpp"

namespace reckon {

/// One sentence, step time and memory part by part, assumptions.  `host`: what a device may keep in host memory.
std::string prediction_report(const PlanQuestion& question, const PlanPoint& point, Bytes host, const std::vector<Assumption>& assumptions);

}  // namespace reckon
