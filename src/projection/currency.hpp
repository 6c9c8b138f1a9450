// A cost study in another currency.
//
// Prices keep the currency that their sources state them in.  The rate becomes an assumption of the register, each price a formula of the
// stated price and the rate, and every formula over prices reads the converted ones: rows, totals and break-even follow, live in a
// spreadsheet too, and totals stay sums of their rows to the hundredth.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "projection/cost_study.hpp"

namespace reckon {

struct Currency {
  std::string code = "USD";  ///< ISO 4217
  double usd = 1;            ///< for one unit of it
  std::string date;          ///< of that rate
};

/// The name of the assumption with the rate, USD for one unit.
inline constexpr const char* exchange_rate_cell = "exchange_rate";

/// The assumption of that name; null where everything is in USD.
const CostAssumption* exchange_rate(const CostStudy& study);

/// `study`, which is in USD, in `currency`: price = stated price / rate, rounded to six places; rows and totals anew; quantiles and effects
/// of the draws divided by the rate.  Throws TextError when an amount leaves its range.
CostStudy in_currency(const CostStudy& study, const Currency& currency);

}  // namespace reckon
