// An offer carried through to the run that it is for, and offers set against each other.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "catalog/quote.hpp"
#include "projection/cost_study.hpp"

namespace reckon {

struct QuoteOutcome {
  Quote quote;
  double usd_rate = 1;    ///< USD for one unit of the quote's currency
  std::string rate_date;  ///< empty for USD
  Decimal usd_price;      ///< a device-hour, or a device with kind purchase
  bool expired = false;
  std::string remark;  ///< why there is no plan; empty where there is one
  // With a plan:
  Amount total;
  Quantiles days, cost;
  double chance = 1;                                ///< of being done by the deadline, delivery included
  double usd_per_exaflop = 0, usd_per_billion = 0;  ///< of useful work, of tokens or samples
  std::int64_t rank_cost = 0, rank_value = 0;       ///< from 1; 0 = not ranked
  // Of a purchase, against the cheapest rent of the same device:
  std::string against;
  double break_even_share = 0, break_even_months = 0;
};

/// Ranks those with a plan: by median cost; and by value: first those that keep the deadline in at least `confidence` of the draws, by the
/// 90th percentile of their cost, then the others by their chance.
void rank_quotes(std::vector<QuoteOutcome>& outcomes, double confidence);

}  // namespace reckon
