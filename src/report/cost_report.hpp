// The report that a procurement officer files: answer first, then scope, assumptions, build-up, sensitivity, break-even, energy, risks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "io/plan_results.hpp"
#include "report/document.hpp"

namespace reckon {

/// The whole report.  Results without a plan give the verdict and why; results without a cost study (files of older programs) say so.
Document cost_report(const PlanResults& results);

/// The charts of a report, in its order.
std::vector<Chart> report_charts(const PlanResults& results);

/// A few lines for `reckon plan`: every way to come by the devices with its total and spread, break-even, energy.  Empty without a study.
std::string cost_summary(const PlanResults& results);

/// "1,234,567.89".
std::string amount_text(Amount amount);
/// A quantity or unit price with thousands separated: "3,445,477.128993".
std::string decimal_text(Decimal value);

}  // namespace reckon
