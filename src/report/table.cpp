// SPDX-License-Identifier: Apache-2.0
#include "report/table.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/error.hpp"

namespace reckon {
namespace {

/// Reads one code point; a broken byte counts as one character.
std::uint32_t take_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (length == 1 || text.size() < length) {
    text.remove_prefix(1);
    return lead;
  }
  std::uint32_t code = lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  text.remove_prefix(length);
  return code;
}

bool in_any(std::uint32_t code, const auto& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [code](const auto& r) { return code >= r.first && code <= r.second; });
}

using Range = std::pair<std::uint32_t, std::uint32_t>;
// Unicode 15: combining marks, zero-width characters and variation selectors.
constexpr std::array<Range, 7> invisible{
    {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}}};
// East Asian Wide and Fullwidth, and emoji.
constexpr std::array<Range, 8> wide{{{0x1100, 0x115F},
                                     {0x2E80, 0xA4CF},
                                     {0xAC00, 0xD7A3},
                                     {0xF900, 0xFAFF},
                                     {0xFE30, 0xFE6F},
                                     {0xFF00, 0xFF60},
                                     {0xFFE0, 0xFFE6},
                                     {0x1F300, 0x1FAFF}}};

void append_padded(std::string& line, const std::string& cell, std::size_t width, Align align) {
  const std::string space(width - std::min(width, display_width(cell)), ' ');
  line += align == Align::right ? space + cell : cell + space;
}

void end_line(std::string& text, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  text += line + '\n';
}

}  // namespace

std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  while (!utf8.empty()) {
    const std::uint32_t code = take_code_point(utf8);
    width += in_any(code, invisible) ? 0 : in_any(code, wide) ? 2 : 1;
  }
  return width;
}

void Table::row(std::vector<std::string> cells) {
  if (cells.size() > heads_.size()) throw InternalError("a table row has more cells than columns");
  cells.resize(heads_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::text(std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    widths.push_back(display_width(heads_[i].title));
    for (const auto& row : rows_)
      if (!row.empty()) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  const std::string margin(indent, ' ');
  const auto line_of = [&](auto cell_of) {
    std::string line = margin;
    for (std::size_t i = 0; i < heads_.size(); ++i) {
      if (i > 0) line += "  ";
      append_padded(line, cell_of(i), widths[i], heads_[i].align);
    }
    return line;
  };
  const std::string dashes = line_of([&](std::size_t i) { return std::string(widths[i], '-'); });
  std::string out;
  const bool titled = std::any_of(heads_.begin(), heads_.end(), [](const Head& h) { return !h.title.empty(); });
  if (titled) end_line(out, line_of([&](std::size_t i) { return heads_[i].title; }));
  for (const auto& row : rows_) end_line(out, row.empty() ? dashes : line_of([&](std::size_t i) { return row[i]; }));
  return out;
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  const std::string margin(indent, ' ');
  std::string out, line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (!line.empty() && display_width(line) + 1 + display_width(word) + indent > width) {
      out += margin + line + '\n';
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
  }
  if (!line.empty()) out += margin + line + '\n';
  return out;
}

}  // namespace reckon
