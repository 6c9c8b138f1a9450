// Tables of replayed runs for the terminal.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "io/validate_document.hpp"
#include "plan/choice.hpp"

namespace reckon {

/// What the rows of the error table stand for.
enum class ErrorGroup { source, stack, device };

/// Absolute error per group in per cent: n, median, mean, 90th percentile, worst, bias, and the median error of the one constant MFU that
/// serves the group best in hindsight, and the share of runs inside the 90 % interval (pooled in the last row); a macro average
/// below, and one without runs that a simulator put together where there are such.
std::string error_table(const std::vector<ReplayedFile>& files, ErrorGroup group);

/// Regret of the predicted fastest strategy within groups of runs that differ in their strategy alone; empty without such groups.
std::string regret_table(const std::vector<ReplayedFile>& files);

/// The `count` runs with the largest errors.
std::string worst_table(const std::vector<ReplayedFile>& files, std::size_t count);

/// Median, mean and worst absolute error of the peak memory where it was measured; empty when nowhere.
std::string memory_table(const std::vector<ReplayedFile>& files);

/// Runs planned again: the strategy that was run, its place among all that fit, the planner's first and the one of its best that comes nearest
/// to it, and how many runs agree within 3 %.
std::string choice_table(const std::vector<ChoiceCheck>& checks, const std::string& restrictions);

}  // namespace reckon
