// Catalogue entries as text.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "io/listing.hpp"

namespace reckon {

/// A heading with the number of entries, then one row an entry.
std::string listing_report(const Listing& listing);

/// Every field with its value and source; a figure that was not read in its source is marked "recalled".
std::string details_report(const Details& details);

}  // namespace reckon
