// A table for terminals and text files: aligned columns, UTF-8 counted by what is seen, no colours, no trailing spaces.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace reckon {

enum class Align { left, right };

class Table {
 public:
  struct Head {
    std::string title;
    Align align = Align::right;
  };

  explicit Table(std::vector<Head> heads) : heads_(std::move(heads)) {}

  /// A row; missing cells are empty, cells beyond the last column are an InternalError.
  void row(std::vector<std::string> cells);
  /// A line of dashes between rows.
  void rule() { rows_.emplace_back(); }

  /// The table with `indent` spaces before each line and two between columns; ends with a newline.
  std::string text(std::size_t indent = 0) const;

 private:
  std::vector<Head> heads_;
  std::vector<std::vector<std::string>> rows_;  // an empty row is a rule
};

/// Columns that `utf8` takes on a terminal: one a code point, none for combining marks, two for wide East Asian characters and emoji.
std::size_t display_width(std::string_view utf8);

/// Words of `text` in lines of at most `width` columns, each after `indent` spaces; ends with a newline.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace reckon
