// The two-way table between an enumeration and the words of files and flags.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace reckon {

/// Words of an enumeration.  The first entry of a value is its name; later entries of the same value are accepted synonyms.
template <class Enum, std::size_t N>
struct Names {
  std::array<std::pair<Enum, std::string_view>, N> entries;

  constexpr std::string_view name(Enum value) const {
    for (const auto& [candidate, text] : entries)
      if (candidate == value) return text;
    return "?";
  }
  constexpr std::optional<Enum> value(std::string_view text) const {
    for (const auto& [candidate, name] : entries)
      if (name == text) return candidate;
    return std::nullopt;
  }
};

}  // namespace reckon
