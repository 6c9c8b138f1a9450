// Members that the readers of run descriptions share.  Internal to src/io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/problem.hpp"
#include "io/json.hpp"

namespace reckon {

/// Largest degree, width or batch that a description may state; keeps every product of two in 64 bits.
inline constexpr std::int64_t largest_size = 1'000'000'000;

/// A required whole number of at least 1.
inline std::int64_t size_at(const JsonNode& node, const char* key) { return node.at(key, "a whole number").integer(1, largest_size); }

/// An optional whole number; 0 when it is missing.
inline std::int64_t size_or_zero(const JsonNode& node, const char* key) {
  const auto found = node.find(key);
  return found ? found->integer(0, largest_size) : 0;
}

/// The member `key` as one of the `known` values; `parse` may accept more spellings than their names.
template <class Enum, std::size_t N, class Parse>
Enum word_at(const JsonNode& node, const char* key, const std::array<Enum, N>& known, Parse parse) {
  std::vector<std::string> names;
  for (const Enum value : known) names.emplace_back(name_of(value));
  const JsonNode word = node.at(key, "\"" + names.back() + "\"");
  if (const auto value = parse(word.string())) return *value;
  word.choice(names);  // throws: no name parses to nothing
  word.fail("unknown value");
}

/// Throws for the first problem, at the member of `node` that it names, or at `node` where it has none.
inline void refuse_run_problems(const JsonNode& node, const Problems& problems) {
  if (problems.empty()) return;
  const auto member = node.find(problems.front().field);
  (member ? *member : node).fail(problems.front().message);
}

}  // namespace reckon
