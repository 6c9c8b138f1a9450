// What the readers of catalogue entries share: sources, ranges, members that may be null.  Internal to src/io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalog/problem.hpp"
#include "catalog/provenance.hpp"
#include "io/json.hpp"

namespace reckon {

/// The `sources` object of a file: {key: {title, url, date, read}}.  A source that was read has a url.
std::map<std::string, Source> read_sources(const JsonNode& root);

/// The `src` object of an entry: {field: key of a source}.  Each of `numbers` that is present and not null must have a source, its own or
/// its group's (`peak` for `peak.fp8`); fields that the entry does not have and sources that nobody uses are refused.
Provenance read_provenance(const JsonNode& root, const std::vector<std::string>& numbers);

/// Throws for the first problem, at the member it names.
void refuse_problems(const JsonNode& entry, const Problems& problems);

/// Throws unless `format` is `expected` and `id` is the name of the file.
void check_head(const JsonNode& root, const std::string& expected);

/// Texts of an optional array such as `notes`.
std::vector<std::string> read_texts(const JsonNode& root, const std::string& key);

/// A quantity that must be written, but may be null where the vendor publishes none.
template <class Q>
Q published_or_zero(const JsonNode& root, const std::string& key) {
  const JsonNode value = root.at(key, "a quantity, or null where none is published");
  return value.is_null() ? Q{} : value.quantity<Q>();
}

}  // namespace reckon
