// Numbers as reports print them: three significant digits, thousands separated, the unit chosen once for a column.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/quantity.hpp"

namespace reckon {

/// `value` with `digits` significant digits and thousands separated: 12.3, 1,230, 0.00123.  Zero is "0"; not a number is "-".
std::string significant(double value, int digits = 3);

/// A decimal text with thousands separated: "-1234567.80" is "-1,234,567.80".
std::string separated(std::string text);

/// A whole number with thousands separated: 24,576.
std::string grouped(std::int64_t value);

/// A unit and its size in base units, e.g. {"ms", 1e-3}.
struct DisplayUnit {
  std::string name;
  double size = 1.0;
};

/// The units in which a column of values is read most easily: the largest whose median value is 1 or more.
DisplayUnit duration_unit(const std::vector<double>& times);   ///< us, ms, s
DisplayUnit run_unit(const std::vector<double>& times);        ///< s, min, h, days
DisplayUnit money_unit(const std::vector<double>& usd);        ///< $, k$, M$, B$
DisplayUnit rate_unit(const std::vector<double>& per_second);  ///< 1/s, k/s, M/s; names "", "k", "M"

/// For sentences: "36.4 days", "5.1 h", "43 min", "12 s"; "1 day" for exactly one.
std::string run_text(Seconds time);
/// "$812", "$13.9M", "$1.2B", "$0.05"; of another currency than USD "EUR 13.9M".
std::string money_text(Dollars money, const std::string& currency = "USD");
/// A price of one of something, with three significant digits: "$2.50", "EUR 0.00123".
std::string price_text(double price, const std::string& currency);
/// "15T", "1.5M", "300"; counts in words of people.
std::string count_text(double count);

}  // namespace reckon
