// The ledger as CSV with the column names of FOCUS, the FinOps Open Cost and Usage Specification, version 1.2.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "io/plan_results.hpp"

namespace reckon {

/// One line a row of every scenario (column x_Scenario), no totals.  RFC 4180, UTF-8, decimal points, LF.  It is a projection:
/// ChargeDescription begins with PROJECTED and InvoiceId is empty.  EffectiveCost is the amortised cost, which a total sums; BilledCost is
/// cash: for a bought cluster one line of ChargeCategory Purchase has it, with EffectiveCost 0.
std::string cost_csv(const PlanResults& results);

/// A field: quoted where needed; text that a spreadsheet would take for a formula gets an apostrophe in front.
std::string csv_text(std::string_view text);

}  // namespace reckon
