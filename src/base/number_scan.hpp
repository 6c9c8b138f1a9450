// Reads the number at the start of a text, strictly; internal to src/base.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace reckon::detail {

/// Refuses what no quantity or count may be: empty, too long, control characters.  Throws TextError.
void check_plain(std::string_view text, std::string_view example);

/// The non-negative decimal number at the front of `rest`, which loses it; `text` is the whole for messages.
/// Throws TextError for nan, inf, a sign, hexadecimal, separators, leading zeros, a decimal comma and what a double cannot hold.
double take_number(std::string_view& rest, std::string_view text);

/// The word (letters, `$`, `%`, bytes above ASCII) at the front of `rest`, which loses it and the spaces before it.
std::string_view take_word(std::string_view& rest);

/// Drops spaces and tabs from the front.
void skip_spaces(std::string_view& rest);

}  // namespace reckon::detail
