// Tables of replayed runs for the terminal.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "io/validate_document.hpp"

namespace reckon {

/// What the rows of the error table stand for.
enum class ErrorGroup { source, stack, device };

/// Absolute error per group in per cent: n, median, mean, 90th percentile, worst, bias, and the median error of the one constant MFU that
/// serves the group best in hindsight, and the share of runs inside the 90 % interval (pooled in the last row); a macro average below.
std::string error_table(const std::vector<ReplayedFile>& files, ErrorGroup group);

/// Regret of the predicted fastest strategy within groups of runs that differ in their strategy alone; empty without such groups.
std::string regret_table(const std::vector<ReplayedFile>& files);

/// The `count` runs with the largest errors.
std::string worst_table(const std::vector<ReplayedFile>& files, std::size_t count);

/// Median, mean and worst absolute error of the peak memory where it was measured; empty when nowhere.
std::string memory_table(const std::vector<ReplayedFile>& files);

}  // namespace reckon
