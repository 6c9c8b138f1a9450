// Sums shown as their parts: step time and memory, one column a plan.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "io/plan_results.hpp"
#include "report/numbers.hpp"

namespace reckon {

/// A plan with the title of its column.
struct PartsColumn {
  std::string title;
  const PlanPoint* point = nullptr;
};

/// Rows of parts and, below a line, their sum; parts that are zero in every column are left out.  `unit` is the unit of all times.
std::string step_time_report(const std::vector<PartsColumn>& columns, const DisplayUnit& unit);
/// In GiB.
std::string memory_report(const std::vector<PartsColumn>& columns);

/// The table of assumptions; empty when there are none.
std::string assumptions_report(const std::vector<Assumption>& assumptions);

}  // namespace reckon
