// Reads the number at the start of a text, strictly.
// SPDX-License-Identifier: Apache-2.0
#include "base/number_scan.hpp"

#include <charconv>

#include "base/error.hpp"
#include "base/text.hpp"

namespace reckon::detail {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char at(std::string_view s, std::size_t i) { return i < s.size() ? s[i] : '\0'; }

/// Refuses what looks like a number to people and is none here.
void check_start(std::string_view rest, std::string_view text) {
  const std::string word = lower(rest.substr(0, 3));
  if (word == "nan" || word == "inf") throw TextError(in_quotes(text) + " is not a finite number", "write a decimal number");
  if (rest[0] == '-') throw TextError(in_quotes(text) + " is negative", "write a number that is 0 or more");
  if (rest[0] == '+') throw TextError(in_quotes(text) + " has a sign", "leave out the '+'");
  if (rest[0] == '0' && (at(rest, 1) == 'x' || at(rest, 1) == 'X')) throw TextError(in_quotes(text) + " is hexadecimal", "write a decimal number");
  if (rest[0] == '0' && is_digit(at(rest, 1)))
    throw TextError(in_quotes(text) + " has a number with a leading zero", "write the number without leading zeros or thousands separators");
  if (!is_digit(rest[0]) && !(rest[0] == '.' && is_digit(at(rest, 1)))) throw TextError(in_quotes(text) + " does not start with a number");
}

/// Refuses separators and second decimal points after a number.
void check_end(std::string_view rest, std::string_view text) {
  const char next = at(rest, 0), after = at(rest, 1);
  if (next == ',' && is_digit(after))
    throw TextError(in_quotes(text) + " has a comma in a number", "write a decimal point (2.5, not 2,5) and no thousands separators (1000, not 1,000)");
  if ((next == '_' || next == '\'' || next == ' ') && is_digit(after))
    throw TextError(in_quotes(text) + " has a thousands separator", "write the digits without separators");
  if (next == '.') throw TextError(in_quotes(text) + " has a misplaced decimal point", "write a number like 2.5");
}

}  // namespace

void check_plain(std::string_view text, std::string_view example) {
  constexpr std::size_t longest = 200;
  const std::string cure = "write it like " + in_quotes(example);
  if (trim(text).empty()) throw TextError("the value is empty", cure);
  if (text.size() > longest) throw TextError("the value is longer than 200 characters: " + in_quotes(text, 40), cure);
  for (const char c : text)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) throw TextError(in_quotes(text) + " has a control character", cure);
}

double take_number(std::string_view& rest, std::string_view text) {
  if (rest.empty()) throw TextError(in_quotes(text) + " has no number");
  check_start(rest, text);
  double value = 0.0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error == std::errc::result_out_of_range) throw TextError(in_quotes(text) + " is a number too large or too small for double precision");
  if (error != std::errc()) throw TextError(in_quotes(text) + " does not start with a number");
  if (end[-1] == '.') throw TextError(in_quotes(text) + " has a misplaced decimal point", "write a number like 2.5");
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  check_end(rest, text);
  return value;
}

void skip_spaces(std::string_view& rest) {
  while (!rest.empty() && (rest[0] == ' ' || rest[0] == '\t')) rest.remove_prefix(1);
}

std::string_view take_word(std::string_view& rest) {
  skip_spaces(rest);
  std::size_t length = 0;
  while (length < rest.size() && (is_letter(rest[length]) || rest[length] == '$' || rest[length] == '%' || static_cast<unsigned char>(rest[length]) > 127)) ++length;
  const std::string_view word = rest.substr(0, length);
  rest.remove_prefix(length);
  return word;
}

}  // namespace reckon::detail
