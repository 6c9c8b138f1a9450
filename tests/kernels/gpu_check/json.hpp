// The few lines of JSON that the check writes; it must build where no JSON library is installed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace reckon::check {

/// A finished JSON value as text.
struct Json {
  std::string text = "null";

  Json() = default;
  Json(bool value) : text(value ? "true" : "false") {}
  Json(long long value) : text(std::to_string(value)) {}
  Json(int value) : text(std::to_string(value)) {}
  /// Not finite: null.  17 digits give the same double back.
  Json(double value) {
    if (!std::isfinite(value)) return;
    char digits[40];
    std::snprintf(digits, sizeof digits, "%.17g", value);
    text = digits;
  }
  Json(const char* value) : Json(std::string(value)) {}
  Json(const std::string& value) : text("\"") {
    for (const char c : value) {
      char escaped[8] = {c, 0};
      if (c == '"' || c == '\\') std::snprintf(escaped, sizeof escaped, "\\%c", c);
      else if (static_cast<unsigned char>(c) < 0x20) std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      text += escaped;
    }
    text += '"';
  }

  using Members = std::vector<std::pair<std::string, Json>>;
  static Json object(const Members& members) {
    Json result;
    result.text = "{";
    for (const auto& [key, value] : members) result.text += (result.text.size() > 1 ? ", " : "") + Json(key).text + ": " + value.text;
    result.text += "}";
    return result;
  }
  /// One element a line.
  static Json array(const std::vector<Json>& elements) {
    Json result;
    result.text = "[";
    for (const Json& element : elements) result.text += (result.text.size() > 1 ? ",\n  " : "\n  ") + element.text;
    result.text += elements.empty() ? "]" : "\n]";
    return result;
  }
};

}  // namespace reckon::check
