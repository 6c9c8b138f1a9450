// Where a number comes from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

namespace reckon {

/// `read` is false for a figure recalled or estimated and not read in a source; reports mark such figures.
struct Source {
  std::string title;
  std::string date;  ///< of the source, or of the copy that was read: YYYY, YYYY-MM or YYYY-MM-DD
  bool read = false;
  std::string url;  ///< page, or repository path with commit; empty only where `read` is false
};

/// Source per field of a catalogue entry, keyed by the field's JSON name; "" is the source of all fields not named.
/// A member of a group has the key `group.member`, e.g. `peak.fp8`, and falls back on `group`.
using Provenance = std::map<std::string, Source>;

/// The source of a field: its own, that of its group, or that of the whole entry; nullptr when none of them is stated.
const Source* source_of(const Provenance& provenance, const std::string& field);

}  // namespace reckon
