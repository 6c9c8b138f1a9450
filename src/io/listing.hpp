// What the catalogue says, ready to be printed: lists of entries and the facts of one entry with their sources.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/provenance.hpp"

namespace reckon {

/// Entries of one kind, one a row.  Values are texts in the quantity grammar.
struct Listing {
  std::string kind;                            ///< devices, nodes, ...
  std::vector<std::string> keys;               ///< the first is the id
  std::vector<std::vector<std::string>> rows;  ///< as many cells as keys
};

/// One field of an entry.
struct Fact {
  std::string field, value;
  std::optional<Source> source;  ///< nothing for names and other words
};

/// All of one entry.
struct Details {
  std::string kind, id, name;
  std::vector<Fact> facts;
  std::vector<std::string> notes;
};

/// Schemas "reckon/catalog-list/1" and "reckon/catalog-entry/1".
std::string listing_json(const std::vector<Listing>& listings);
std::string details_json(const Details& details);

/// A flat record of texts: {"schema": schema, key: value, ...}.
std::string record_json(const std::string& schema, const std::vector<std::pair<std::string, std::string>>& members);

}  // namespace reckon
