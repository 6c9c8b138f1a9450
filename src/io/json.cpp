// The checked view of JSON values.  Parsing is in json_parse.cpp.
// SPDX-License-Identifier: Apache-2.0
#include "io/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "io/json_content.hpp"

namespace reckon {
namespace {

using nlohmann::json;

/// One step of a JSON pointer, RFC 6901: ~ is ~0 and / is ~1.
std::string escaped(std::string_view key) {
  std::string out;
  for (const char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

std::string short_text(const json& value) {
  const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  constexpr std::size_t longest = 60;
  return text.size() <= longest ? text : text.substr(0, longest) + "...";
}

std::string kind_text(const json& value) {
  switch (value.type()) {
    case json::value_t::object: return "an object";
    case json::value_t::array: return "an array";
    case json::value_t::null: return "null";
    default: return short_text(value);
  }
}

void check_finite(const nlohmann::ordered_json& value, const std::string& pointer) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) throw InternalError("a number to be written as JSON is not finite: " + pointer);
  if (value.is_structured())
    for (const auto& [key, child] : value.items()) check_finite(child, pointer + "/" + escaped(key));
}

}  // namespace

const std::string& JsonNode::file() const { return content_->name; }

void JsonNode::fail(const std::string& reason, const std::string& cure) const { throw ConfigError(file(), pointer_, reason, cure); }

void JsonNode::wrong_type(std::string_view expected) const { fail(fmt::format("expected {}, found {}", expected, kind_text(*value_))); }

void JsonNode::need_object() const {
  if (!value_->is_object()) wrong_type("an object");
}

JsonNode JsonNode::child(std::string_view key, const json& value) const { return {content_, &value, pointer_ + "/" + escaped(key)}; }

JsonNode JsonNode::at(std::string_view key, std::string_view expected) const {
  if (auto node = find(key)) return *node;
  std::string cure = expected.empty() ? "" : fmt::format("add \"{}\": {}", key, expected);
  if (const std::string near = nearest_word(key, keys()); !near.empty()) cure += (cure.empty() ? "" : "; ") + fmt::format("there is a '{}'", near);
  fail(fmt::format("the key '{}' is missing", key), cure);
}

std::optional<JsonNode> JsonNode::find(std::string_view key) const {
  need_object();
  const auto found = value_->find(std::string(key));
  if (found == value_->end()) return {};
  return child(key, *found);
}

bool JsonNode::has(std::string_view key) const {
  need_object();
  return value_->contains(std::string(key));
}

bool JsonNode::is_null() const { return value_->is_null(); }
bool JsonNode::is_string() const { return value_->is_string(); }
bool JsonNode::is_boolean() const { return value_->is_boolean(); }
bool JsonNode::is_number() const { return value_->is_number(); }
bool JsonNode::is_object() const { return value_->is_object(); }
bool JsonNode::is_array() const { return value_->is_array(); }

std::string JsonNode::string() const {
  if (!value_->is_string()) wrong_type("a text");
  return value_->get_ref<const std::string&>();
}

bool JsonNode::boolean() const {
  if (!value_->is_boolean()) wrong_type("true or false");
  return value_->get<bool>();
}

std::int64_t JsonNode::integer(std::int64_t least, std::int64_t most) const {
  const std::string wanted = fmt::format("a whole number from {} to {}", least, most);
  if (!value_->is_number()) wrong_type(wanted);
  bool in_range = true;
  std::int64_t whole = 0;
  if (value_->is_number_unsigned()) {
    const auto bits = value_->get<std::uint64_t>();
    in_range = bits <= static_cast<std::uint64_t>(INT64_MAX);
    whole = in_range ? static_cast<std::int64_t>(bits) : 0;
  } else if (value_->is_number_integer()) {
    whole = value_->get<std::int64_t>();
  } else {
    const double real = value_->get<double>();
    constexpr double exact = 9007199254740992.0;  // 2^53
    if (real != std::trunc(real)) wrong_type(wanted);
    in_range = std::abs(real) <= exact;
    whole = in_range ? static_cast<std::int64_t>(real) : 0;
  }
  if (!in_range || whole < least || whole > most) fail(fmt::format("{} is out of range", short_text(*value_)), "write " + wanted);
  return whole;
}

double JsonNode::number(double least, double most) const {
  if (!value_->is_number()) wrong_type(fmt::format("a number from {} to {}", least, most));
  const double real = value_->get<double>();
  if (!(real >= least && real <= most) || !std::isfinite(real))
    fail(fmt::format("{} is out of range", short_text(*value_)), fmt::format("write a number from {} to {}", least, most));
  return real;
}

std::int64_t JsonNode::count(std::int64_t least, std::int64_t most) const {
  if (!value_->is_string()) return integer(least, most);
  try {
    return parse_count(value_->get_ref<const std::string&>(), least, most);
  } catch (const TextError& error) {
    fail(error.reason(), error.cure());
  }
}

double JsonNode::base_units(const Dimension& expected) const {
  const DimensionName wanted = dimension_name(expected);
  if (value_->is_number()) fail(fmt::format("{} has no unit, {} is expected", short_text(*value_), wanted.name), fmt::format("write a text with its unit, such as \"{}\"", wanted.example));
  if (!value_->is_string()) wrong_type(fmt::format("{} such as \"{}\"", wanted.name, wanted.example));
  try {
    return parse_base_units(value_->get_ref<const std::string&>(), expected);
  } catch (const TextError& error) {
    fail(error.reason(), error.cure());
  }
}

std::string JsonNode::choice(const std::vector<std::string>& choices) const {
  std::string word = string();
  for (const std::string& known : choices)
    if (known == word) return word;
  fail("unknown value " + in_quotes(word), suggestion(word, choices));
}

std::vector<JsonNode> JsonNode::items() const {
  if (!value_->is_array()) wrong_type("an array");
  std::vector<JsonNode> nodes;
  nodes.reserve(value_->size());
  for (std::size_t i = 0; i < value_->size(); ++i) nodes.push_back(child(std::to_string(i), (*value_)[i]));
  return nodes;
}

std::vector<std::pair<std::string, JsonNode>> JsonNode::members() const {
  need_object();
  std::vector<std::pair<std::string, JsonNode>> nodes;
  for (const auto& [key, value] : value_->items()) nodes.emplace_back(key, child(key, value));
  return nodes;
}

std::vector<std::string> JsonNode::keys() const {
  need_object();
  std::vector<std::string> names;
  for (const auto& member : value_->items()) names.push_back(member.key());
  return names;
}

std::size_t JsonNode::size() const {
  if (!value_->is_structured()) wrong_type("an array or an object");
  return value_->size();
}

void JsonNode::refuse_unknown(const std::vector<std::string>& allowed) const {
  for (const std::string& key : keys()) {
    bool known = false;
    for (const std::string& name : allowed) known = known || name == key;
    if (!known) child(key, (*value_)[key]).fail("unknown key " + in_quotes(key), suggestion(key, allowed));
  }
}

std::string JsonNode::dump() const { return value_->dump(); }

JsonNode JsonDocument::root() const { return {content_, &content_->root, ""}; }
const std::string& JsonDocument::name() const { return content_->name; }
const std::string& JsonDocument::text() const { return content_->text; }

std::string dump_json(const nlohmann::ordered_json& value, int indent) {
  check_finite(value, "");
  return value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace reckon
