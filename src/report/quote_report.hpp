// Offers side by side: one column an offer, the same rows, what is not quoted said so.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "projection/quote_outcome.hpp"
#include "report/document.hpp"

namespace reckon {

/// What the offers are for.
struct QuotePurpose {
  std::string model;
  double units = 0;
  bool counts_tokens = true;
  std::optional<Seconds> deadline;
  double confidence = 0.8;
  std::string provenance;  ///< program and command line
};

Document quote_report(const std::vector<QuoteOutcome>& outcomes, const QuotePurpose& purpose);

}  // namespace reckon
