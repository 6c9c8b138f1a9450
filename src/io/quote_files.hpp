// Reads offers: JSON (`{"format": "reckon/quotes/1", "quotes": [...], "rates": {"EUR": {"usd": 1.08, "date": "2026-11-01"}}}`) or CSV with
// a head of the same names. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/quote.hpp"

namespace reckon {

/// What one unit of a currency costs, and when.
struct ExchangeRate {
  double usd = 0;
  std::string date, source;
};
using ExchangeRates = std::map<std::string, ExchangeRate>;

struct QuoteFile {
  std::vector<Quote> quotes;
  ExchangeRates rates;
  std::string text;  ///< verbatim
};

/// The names of the columns, those that must be there first.
const std::vector<std::string>& quote_columns();

/// A file of offers; the suffix decides.  Throws ConfigError, with file and JSON pointer or line, for a missing or unknown column or
/// member, a repeated id, a negative or absurd price, a currency that ISO 4217 does not know, money a node or server, a date that is none,
/// text that begins like a formula.
QuoteFile read_quotes(const std::filesystem::path& path);

/// "EUR=1.08@2026-11-01": currency and rate.  Throws TextError.
std::pair<std::string, ExchangeRate> parse_rate(std::string_view text);

/// True for codes of ISO 4217 in use.
bool is_currency(std::string_view code);

}  // namespace reckon
