// The totals of a cost study in another currency.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "projection/cost_study.hpp"
#include "report/document.hpp"

namespace reckon {

struct ReportCurrency {
  std::string code;  ///< ISO 4217
  double usd = 1;    ///< for one unit of it
  std::string date;  ///< of that rate; may be empty
  Decimal per_usd() const { return Decimal::nearest(1.0 / usd); }
};

/// `amount` dollars in `currency`: times per_usd(), six decimals, rounded to the hundredth.
Amount converted(Amount amount, const ReportCurrency& currency);

namespace detail {

/// A section with every way's total and the chosen way's rows; a total is the sum of its converted rows, so that columns add up.
void add_currency(const CostStudy& study, const ReportCurrency& currency, Document& out);

}  // namespace detail
}  // namespace reckon
