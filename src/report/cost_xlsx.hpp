// The cost study as a workbook with live formulas: what the sheet Assumptions says drives all others through named cells.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "io/plan_results.hpp"

namespace reckon {

/// The bytes of the workbook; the same results give the same bytes.  No macros, no external links.  Every formula carries our value, so
/// that viewers that do not calculate show it.  Throws UsageError when the results hold no cost study or the program was built without
/// libxlsxwriter, FileError when the temporary file cannot be written.
std::string cost_xlsx(const PlanResults& results);

}  // namespace reckon
