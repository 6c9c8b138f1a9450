// A report as a list of blocks, made once from results and written as text, Markdown or HTML.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "report/table.hpp"

namespace reckon {

struct Heading {
  int level = 2;  ///< 1 is the title
  std::string text;
};

struct Paragraph {
  std::string text;
  bool lead = false;  ///< the answer: larger, first
};

/// Facts side by side, each a label and a value: the answer at a glance.
struct Facts {
  struct Fact {
    std::string label, value, note;
  };
  std::vector<Fact> facts;
};

struct Grid {
  std::string caption;
  std::vector<Table::Head> heads;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::size_t> strong;  ///< numbers of the rows that stand out, e.g. totals
};

/// A line or a set of points of a chart.
struct Series {
  std::string name;
  std::vector<double> x, y;
  std::vector<double> low, high;  ///< a band around y; empty = none
  bool points_only = false, dashed = false;
};

/// One bar: of a waterfall, tornado or stack.
struct Bar {
  std::string label;
  std::vector<double> parts;  ///< stacked; of a waterfall one, of a tornado low and high
  std::string shown;          ///< the number beside it
};

enum class ChartKind { lines, waterfall, tornado, stacks };

/// A picture.  `alternative` says in words what it shows, for those who cannot see it.
struct Chart {
  ChartKind kind = ChartKind::lines;
  std::string title, alternative;
  std::string x_title, y_title;
  bool x_log = false, y_log = false, y_zero = true;
  std::vector<Series> series;      ///< of lines
  std::vector<Bar> bars;           ///< of the others
  std::vector<std::string> parts;  ///< names of the parts of stacks
  std::optional<double> line;      ///< a reference: a limit, a base
  std::string line_name;
};

using Block = std::variant<Heading, Paragraph, Facts, Grid, Chart>;

struct Document {
  std::string title;
  std::vector<Block> blocks;
};

/// For terminals and text files; charts are left out, their numbers are in the tables.
std::string to_text(const Document& document);
/// CommonMark with tables; text from outside is escaped.
std::string to_markdown(const Document& document);
/// One self-contained page: inline style and SVG, no script, no request; light and dark, A4 and Letter.
std::string to_html(const Document& document);

/// `text` with the five characters of XML escaped; control characters become U+FFFD.
std::string xml_text(std::string_view text);

}  // namespace reckon
