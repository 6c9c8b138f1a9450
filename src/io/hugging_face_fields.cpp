// Checked access to the fields of a Hugging Face config.json.
// SPDX-License-Identifier: Apache-2.0
#include "io/hugging_face_fields.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace reckon {

std::optional<JsonNode> Fields::find(std::string_view name) {
  seen_.emplace(name);
  auto found = node_.find(name);
  if (found && found->is_null()) return std::nullopt;
  return found;
}

bool Fields::has(std::string_view name) const {
  const auto found = node_.find(name);
  return found && !found->is_null();
}

std::string_view Fields::present(const FieldNames& names) const {
  for (const std::string_view name : names)
    if (has(name)) return name;
  return names.front();
}

void Fields::fail(std::string_view name, const std::string& reason, const std::string& cure) const {
  throw ConfigError(node_.file(), fmt::format("{}/{}", node_.pointer(), name), reason, cure);
}

std::optional<std::int64_t> Fields::maybe(const FieldNames& names, std::int64_t most, std::int64_t least) {
  std::optional<std::int64_t> value;
  for (const std::string_view name : names) {  // all are looked at, so that a synonym is not reported as unknown and is checked too
    if (const auto found = find(name)) {
      const std::int64_t read = found->integer(least, most);
      if (!value) value = read;
    }
  }
  return value;
}

std::int64_t Fields::need(const FieldNames& names, std::string_view meaning, std::int64_t most, std::int64_t least) {
  if (const auto value = maybe(names, most, least)) return *value;
  std::vector<std::string> words;
  for (const std::string_view name : names) words.push_back(in_quotes(name));
  const std::string near = nearest_word(names.front(), node_.keys());
  std::string cure = near.empty() || names.size() > 1 ? "" : fmt::format("; there is a {}", in_quotes(near));
  fail(names.front(), fmt::format("missing: {}", meaning),
       fmt::format("write it as {}, a whole number from {} to {}{}", join(words, " or "), least, most, cure));
}

std::int64_t Fields::whole(const FieldNames& names, std::int64_t fallback, std::int64_t most, std::int64_t least) {
  return maybe(names, most, least).value_or(fallback);
}

double Fields::number(std::string_view name, double fallback, double least, double most) {
  const auto found = find(name);
  return found ? found->number(least, most) : fallback;
}

bool Fields::flag(std::string_view name, bool fallback) {
  const auto found = find(name);
  return found ? found->boolean() : fallback;
}

std::string Fields::text(std::string_view name, const std::string& fallback) {
  const auto found = find(name);
  return found ? found->string() : fallback;
}

std::vector<std::int64_t> Fields::wholes(std::string_view name, std::int64_t most, std::int64_t least) {
  std::vector<std::int64_t> values;
  if (const auto found = find(name))
    for (const JsonNode& item : found->items()) values.push_back(item.integer(least, most));
  return values;
}

std::vector<std::string> Fields::texts(std::string_view name) {
  std::vector<std::string> values;
  if (const auto found = find(name))
    for (const JsonNode& item : found->items()) values.push_back(item.string());
  return values;
}

std::optional<JsonNode> Fields::object(std::string_view name) {
  auto found = find(name);
  if (found && !found->is_object()) found->fail("expected an object, found " + found->dump().substr(0, 60));
  return found;
}

std::optional<JsonNode> Fields::any(std::string_view name) { return find(name); }

std::vector<std::string> Fields::unused() const {
  std::vector<std::string> keys;
  for (const std::string& key : node_.keys())
    if (seen_.find(key) == seen_.end()) keys.push_back(key);
  return keys;
}

}  // namespace reckon
