// Documents as plain text and as Markdown.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.hpp"
#include "report/document.hpp"

namespace reckon {
namespace {

constexpr std::size_t page_width = 120;

struct TextWriter {
  std::string out;
  void operator()(const Heading& h) {
    const std::string line = printable(h.text, 1000);
    out += (out.empty() ? "" : "\n") + line + "\n";
    if (h.level <= 2) out += std::string(display_width(line), h.level == 1 ? '=' : '-') + "\n";
  }
  void operator()(const Paragraph& p) { out += wrapped(printable(p.text, 4000), page_width, 0); }
  void operator()(const Facts& f) {
    Table table({{"", Align::left}, {"", Align::left}, {"", Align::left}});
    for (const auto& fact : f.facts) table.row({fact.label, fact.value, fact.note});
    out += table.text();
  }
  void operator()(const Grid& g) {
    Table table(g.heads);
    for (std::size_t i = 0; i < g.rows.size(); ++i) {
      if (std::find(g.strong.begin(), g.strong.end(), i) != g.strong.end() && i + 1 == g.rows.size()) table.rule();
      std::vector<std::string> cells;
      for (const std::string& cell : g.rows[i]) cells.push_back(printable(cell, 300));
      table.row(cells);
    }
    out += (g.caption.empty() ? "" : "\n" + g.caption + "\n") + table.text();
  }
  void operator()(const Chart&) {}
};

/// Text that Markdown shows as it is.
std::string markdown_text(std::string_view text) {
  std::string out;
  for (const char c : printable(text, 4000)) {
    if (std::string_view("\\`*_{}[]<>#|~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

struct MarkdownWriter {
  std::string out;
  void operator()(const Heading& h) { out += std::string(static_cast<std::size_t>(h.level), '#') + " " + markdown_text(h.text) + "\n\n"; }
  void operator()(const Paragraph& p) { out += (p.lead ? "**" : "") + markdown_text(p.text) + (p.lead ? "**" : "") + "\n\n"; }
  void operator()(const Facts& f) {
    out += "| | | |\n| --- | --- | --- |\n";
    for (const auto& fact : f.facts) row({fact.label, fact.value, fact.note}, false);
    out += "\n";
  }
  void operator()(const Grid& g) {
    if (!g.caption.empty()) out += markdown_text(g.caption) + "\n\n";
    std::vector<std::string> titles;
    for (const Table::Head& head : g.heads) titles.push_back(head.title);
    row(titles, false);
    out += "|";
    for (const Table::Head& head : g.heads) out += head.align == Align::right ? " ---: |" : " --- |";
    out += "\n";
    for (std::size_t i = 0; i < g.rows.size(); ++i) {
      std::vector<std::string> cells = g.rows[i];
      cells.resize(g.heads.size());
      row(cells, std::find(g.strong.begin(), g.strong.end(), i) != g.strong.end());
    }
    out += "\n";
  }
  void operator()(const Chart&) {}
  void row(const std::vector<std::string>& cells, bool strong) {
    out += "|";
    for (const std::string& cell : cells) {
      const std::string text = markdown_text(cell);
      out += " " + (strong && !text.empty() ? "**" + text + "**" : text) + " |";
    }
    out += "\n";
  }
};

/// True for a heading that only announces pictures, which these formats do not have.
bool heads_pictures(const Document& document, std::size_t i) {
  if (!std::holds_alternative<Heading>(document.blocks[i])) return false;
  while (++i < document.blocks.size() && std::holds_alternative<Chart>(document.blocks[i]))
    if (i + 1 == document.blocks.size() || std::holds_alternative<Heading>(document.blocks[i + 1])) return true;
  return false;
}

template <class Writer>
void write_all(const Document& document, Writer& writer) {
  writer(Heading{1, document.title});
  for (std::size_t i = 0; i < document.blocks.size(); ++i)
    if (!heads_pictures(document, i)) std::visit(writer, document.blocks[i]);
}

}  // namespace

std::string to_text(const Document& document) {
  TextWriter writer;
  write_all(document, writer);
  return writer.out;
}

std::string to_markdown(const Document& document) {
  MarkdownWriter writer;
  write_all(document, writer);
  while (writer.out.ends_with("\n\n")) writer.out.pop_back();
  return writer.out;
}

}  // namespace reckon
