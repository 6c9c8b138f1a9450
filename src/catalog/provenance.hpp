// Where a number comes from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

namespace reckon {

/// `read` is false for a figure recalled or estimated and not read in a source; reports mark such figures.
struct Source {
  std::string title;
  std::string date;
  bool read = false;
};

/// Source per field of a catalogue entry, keyed by the field's JSON name; "" is the source of all fields not named.
using Provenance = std::map<std::string, Source>;

}  // namespace reckon
