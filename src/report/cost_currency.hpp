// All that a results file says, in another currency.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/plan_results.hpp"
#include "projection/currency.hpp"

namespace reckon {

/// `results`, which are in USD, in `currency`: cost study, rents, prices, budget, and the answer in words.  What rendering reads afterwards
/// is in that currency in every format; sources of the evidence keep their wording.  Throws TextError when an amount leaves its range.
PlanResults in_currency(PlanResults results, const Currency& currency);

}  // namespace reckon
