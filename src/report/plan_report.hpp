// The answer of `reckon plan` as text: for the terminal, for --report, and for `reckon show`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "io/plan_results.hpp"

namespace reckon {

/// Verdict, table of sizes, step time and memory part by part, runners-up, what does not work and why, assumptions, provenance.
std::string plan_report(const PlanResults& results);

/// describe() without the degrees that are 1, and with the precision where that is 8 bits or fewer.
std::string short_strategy(const Strategy& strategy);

}  // namespace reckon
