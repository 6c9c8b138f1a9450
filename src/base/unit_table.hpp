// The units that the quantity grammar knows; internal to src/base.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity_text.hpp"

namespace reckon::detail {

/// A unit with its prefix: `times / over` base units; kept as a fraction so that 1.5 us is the double nearest to 1.5e-6.
struct Unit {
  double times = 1.0, over = 1.0;
  Dimension dimension;
  int devices = 0;  ///< exponent of the label GPU, which has no dimension
};

/// The unit spelled `word`, prefix included, e.g. "GiB", "kWh", "Gbps"; nothing when unknown.
std::optional<Unit> find_unit(std::string_view word);

/// Known spellings that differ from `word` in case only, or that an ambiguous word could mean, each with its meaning.
std::vector<std::string> unit_readings(std::string_view word);

/// Thousand, million, ... for counts and money: k M G B T, and the words; 0 when unknown.
double scale_of(std::string_view word);

/// True for a word that may follow a count: params, GPUs, tokens, ...
bool is_count_noun(std::string_view word);

}  // namespace reckon::detail
