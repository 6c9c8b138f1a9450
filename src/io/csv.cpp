// SPDX-License-Identifier: Apache-2.0
#include "io/csv.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace reckon {
namespace {

constexpr std::size_t most_rows = 10'000, most_columns = 200, longest = 10'000;

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> out;
    while (!rest_.empty()) {
      CsvRow row = take_row();
      if (row.fields.size() == 1 && row.fields[0].empty()) continue;
      if (out.size() == most_rows) fail(row.line, "more than 10,000 rows", "split the file");
      if (!out.empty() && row.fields.size() != out[0].fields.size())
        fail(row.line, fmt::format("{} fields, but the head has {}", row.fields.size(), out[0].fields.size()),
             "put texts with commas into quotation marks");
      out.push_back(std::move(row));
    }
    return out;
  }

 private:
  [[noreturn]] void fail(std::size_t line, const std::string& reason, const std::string& cure) const {
    throw ConfigError(name_, std::to_string(line), reason, cure);
  }

  CsvRow take_row() {
    CsvRow row{line_, {}};
    for (;;) {
      row.fields.push_back(take_field());
      if (row.fields.size() > most_columns) fail(row.line, "more than 200 fields in a row", "see 'reckon quote --help' for the columns");
      if (rest_.empty()) return row;
      if (rest_[0] == ',') {
        rest_.remove_prefix(1);
        continue;
      }
      rest_.remove_prefix(rest_.starts_with("\r\n") ? 2 : 1);
      ++line_;
      return row;
    }
  }

  std::string take_field() {
    std::string out;
    if (rest_.starts_with('"')) return take_quoted();
    while (!rest_.empty() && rest_[0] != ',' && rest_[0] != '\n' && !rest_.starts_with("\r\n")) {
      if (rest_[0] == '"')
        fail(line_, "a quotation mark inside a field", "put the whole field into quotation marks and double those inside");
      append(out);
    }
    return std::string(trim(out));
  }
  std::string take_quoted() {
    const std::size_t begun = line_;
    std::string out;
    rest_.remove_prefix(1);
    for (;;) {
      if (rest_.empty()) fail(begun, "a quotation mark that is never closed", "close it");
      if (rest_[0] == '"') {
        rest_.remove_prefix(1);
        if (!rest_.starts_with('"')) break;
      }
      if (rest_[0] == '\n') ++line_;
      append(out);
    }
    if (!rest_.empty() && rest_[0] != ',' && rest_[0] != '\n' && !rest_.starts_with("\r\n"))
      fail(line_, "text after a closing quotation mark", "put a comma after it");
    return out;
  }
  void append(std::string& out) {
    const auto c = static_cast<unsigned char>(rest_[0]);
    if ((c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7F)
      fail(line_, "a control character", "save the file as plain UTF-8 text");
    if (out.size() == longest) fail(line_, "a field of more than 10,000 bytes", "shorten it");
    out += rest_[0];
    rest_.remove_prefix(1);
  }

  std::string_view rest_;
  const std::string& name_;
  std::size_t line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, const std::string& name) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (!is_utf8(text)) throw ConfigError(name, "", "the file is not UTF-8", "save it as UTF-8");
  return Parser(text, name).rows();
}

}  // namespace reckon
