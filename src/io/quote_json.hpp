// A comparison of offers as JSON, schema "reckon/quotes-compared/1"; what is not quoted is null.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "projection/quote_outcome.hpp"

namespace reckon {

std::string quotes_json(const std::vector<QuoteOutcome>& outcomes, const std::string& model, double units, const std::string& command_line);

}  // namespace reckon
