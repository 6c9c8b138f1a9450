// The fields of a Hugging Face config.json under all the names that they have, and which of them were looked at.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.hpp"

namespace reckon {

/// Names of one field in order of preference.
using FieldNames = std::vector<std::string_view>;

/// Largest values that a description may hold; far above any network, far below what overflows a product of three.
namespace field_limit {
inline constexpr std::int64_t layers = 10'000, width = 10'000'000, heads = 100'000, vocabulary = 100'000'000, positions = 1'000'000'000,
                              experts = 100'000;
}

/// Checked access to a config object.  A null counts as absent, as it does for the libraries that wrote the file.  Wrong types and values
/// out of range throw ConfigError at the field's pointer; so does a needed field that has none of its names, at the first of them.
class Fields {
 public:
  explicit Fields(JsonNode node) : node_(std::move(node)) {}

  std::int64_t need(const FieldNames& names, std::string_view meaning, std::int64_t most, std::int64_t least = 1);
  std::optional<std::int64_t> maybe(const FieldNames& names, std::int64_t most, std::int64_t least = 1);
  std::int64_t whole(const FieldNames& names, std::int64_t fallback, std::int64_t most, std::int64_t least = 1);
  double number(std::string_view name, double fallback, double least, double most);
  bool flag(std::string_view name, bool fallback);
  std::string text(std::string_view name, const std::string& fallback);
  std::vector<std::int64_t> wholes(std::string_view name, std::int64_t most, std::int64_t least = 1);  ///< empty when absent
  std::vector<std::string> texts(std::string_view name);                                               ///< empty when absent
  std::optional<JsonNode> object(std::string_view name);
  std::optional<JsonNode> any(std::string_view name);  ///< present and not null
  bool has(std::string_view name) const;               ///< present and not null; does not count as looked at

  /// Throws ConfigError at the field (present or not).
  [[noreturn]] void fail(std::string_view name, const std::string& reason, const std::string& cure = "") const;
  /// The name among `names` under which the field is present; the first when it is not.
  std::string_view present(const FieldNames& names) const;

  void note(std::string text) { notes_.push_back(std::move(text)); }
  const std::vector<std::string>& notes() const { return notes_; }
  /// Keys of the file that nobody asked for.
  std::vector<std::string> unused() const;
  const JsonNode& node() const { return node_; }

 private:
  std::optional<JsonNode> find(std::string_view name);

  JsonNode node_;
  std::set<std::string, std::less<>> seen_;
  std::vector<std::string> notes_;
};

}  // namespace reckon
