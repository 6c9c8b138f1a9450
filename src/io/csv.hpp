// Reads comma-separated values (RFC 4180) that come from strangers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reckon {

struct CsvRow {
  std::size_t line = 0;  ///< where it begins, from 1
  std::vector<std::string> fields;
};

/// All rows of `text`, empty lines left out; a byte order mark is allowed.  Throws ConfigError with `name` and line for text that is not
/// UTF-8, control characters, an unclosed or stray quotation mark, a row with another number of fields than the first, more than 10,000
/// rows or 200 columns, and fields of more than 10,000 bytes.
std::vector<CsvRow> parse_csv(std::string_view text, const std::string& name);

}  // namespace reckon
