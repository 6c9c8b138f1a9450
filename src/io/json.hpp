// The one way to read JSON: every access is checked and every error names file, JSON pointer, reason and cure.
//
// Nobody else in the program calls the JSON library to read: it narrows 3.7 to 3 and -5 to 4294967291 silently.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/quantity_text.hpp"

namespace reckon {

struct JsonContent;  // the parsed text; in json.cpp

/// A view of one value of a document, with the pointer to it; keeps the document alive, cheap to copy.
class JsonNode {
 public:
  JsonNode(std::shared_ptr<const JsonContent> content, const nlohmann::json* value, std::string pointer)
      : content_(std::move(content)), value_(value), pointer_(std::move(pointer)) {}

  /// The file as named by the user, and the JSON pointer (RFC 6901) of this value; "" is the root.
  const std::string& file() const;
  const std::string& pointer() const { return pointer_; }

  /// The member `key`; missing is an error that says `expected`, e.g. "a size such as \"80 GiB\"".
  JsonNode at(std::string_view key, std::string_view expected = "") const;
  /// The member `key`; nothing when it is missing.  A null is a value: see is_null().
  std::optional<JsonNode> find(std::string_view key) const;
  bool has(std::string_view key) const;

  bool is_null() const;
  bool is_string() const;
  bool is_boolean() const;
  bool is_number() const;
  bool is_object() const;
  bool is_array() const;

  std::string string() const;
  bool boolean() const;
  /// A whole number in [least, most]; 8.0 and 1e12 are whole, 3.7, true and "8" are errors.
  std::int64_t integer(std::int64_t least, std::int64_t most) const;
  /// A finite number in [least, most].
  double number(double least, double most) const;
  /// A count in [least, most], as a whole number or as text such as "15T".
  std::int64_t count(std::int64_t least, std::int64_t most = largest_count) const;
  /// Text with a unit, such as "80 GiB"; a bare number is an error.
  template <class Q>
  Q quantity() const {
    return Q(base_units(DimensionOf<Q>::value));
  }
  /// The same within [least, most]: catches a slipped exponent.
  template <class Q>
  Q quantity(Q least, Q most) const {
    const Q value = quantity<Q>();
    if (!(value >= least && value <= most))
      fail(format_quantity(value) + " is out of range", "write a quantity from " + format_quantity(least) + " to " + format_quantity(most));
    return value;
  }
  /// A text that is one of `choices`.
  std::string choice(const std::vector<std::string>& choices) const;

  std::vector<JsonNode> items() const;
  std::vector<std::pair<std::string, JsonNode>> members() const;  ///< by key
  std::vector<std::string> keys() const;                          ///< sorted
  std::size_t size() const;                                       ///< of an array or object

  /// Throws for the first member that is not in `allowed`, with the nearest allowed name.
  void refuse_unknown(const std::vector<std::string>& allowed) const;

  /// Throws ConfigError for this place.
  [[noreturn]] void fail(const std::string& reason, const std::string& cure = "") const;

  /// The text of this value as compact JSON.
  std::string dump() const;

 private:
  double base_units(const Dimension& expected) const;
  JsonNode child(std::string_view key, const nlohmann::json& value) const;
  [[noreturn]] void wrong_type(std::string_view expected) const;
  void need_object() const;

  std::shared_ptr<const JsonContent> content_;
  const nlohmann::json* value_;
  std::string pointer_;
};

/// A parsed file with its verbatim text.
class JsonDocument {
 public:
  explicit JsonDocument(std::shared_ptr<const JsonContent> content) : content_(std::move(content)) {}
  JsonNode root() const;
  const std::string& name() const;
  const std::string& text() const;

 private:
  std::shared_ptr<const JsonContent> content_;
};

/// Parses strictly (RFC 8259; a byte order mark is allowed).  Throws ConfigError with name:line:column for bad syntax or UTF-8, duplicate
/// keys, nesting deeper than 64, more than 1 million values, keys longer than 1000 bytes, numbers beyond a double.
JsonDocument parse_json(std::string text, std::string name);

/// Reads and parses a file of at most 64 MiB; see read_input_file for what else is refused.
JsonDocument read_json(const std::filesystem::path& path);

/// `value` as text, indented by `indent` spaces (-1 = one line), with a newline at the end.  A number that is not finite is an
/// InternalError: the library would write null.
std::string dump_json(const nlohmann::ordered_json& value, int indent = 1);

}  // namespace reckon
