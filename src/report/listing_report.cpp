// SPDX-License-Identifier: Apache-2.0
#include "report/listing_report.hpp"

#include <fmt/format.h>

#include <cctype>
#include <map>

#include "report/table.hpp"

namespace reckon {
namespace {

/// Numbers stand on the right: a column whose values all start with a digit, a dollar or are empty.
bool numeric(const Listing& listing, std::size_t column) {
  bool any = false;
  for (const auto& row : listing.rows) {
    const std::string& cell = row[column];
    if (cell.empty() || cell == "-") continue;
    any = true;
    if (std::isdigit(static_cast<unsigned char>(cell[0])) == 0 && cell[0] != '$') return false;
  }
  return any && column > 0;
}

}  // namespace

std::string listing_report(const Listing& listing) {
  std::vector<Table::Head> heads;
  for (std::size_t i = 0; i < listing.keys.size(); ++i)
    heads.push_back({listing.keys[i], numeric(listing, i) ? Align::right : Align::left});
  Table table(heads);
  for (const auto& row : listing.rows) table.row(row);
  return fmt::format("{} {}\n", listing.rows.size(), listing.kind) + table.text(2);
}

std::string details_report(const Details& details) {
  Table table({{"field", Align::left}, {"value", Align::left}, {"source", Align::left}});
  std::map<std::string, std::size_t> numbers;
  std::vector<const Source*> sources;
  for (const Fact& fact : details.facts) {
    std::string mark;
    if (fact.source) {
      const auto [at, fresh] = numbers.try_emplace(fact.source->title, numbers.size() + 1);
      if (fresh) sources.push_back(&*fact.source);
      mark = fmt::format("[{}]{}", at->second, fact.source->read ? "" : " recalled");
    }
    table.row({fact.field, fact.value, mark});
  }
  std::string out = fmt::format("{} ({})\n", details.id, details.name) + table.text(2);
  for (const std::string& note : details.notes) out += wrapped("note: " + note, 120, 2);
  for (std::size_t i = 0; i < sources.size(); ++i)
    out += fmt::format("  [{}] {}{}{}\n", i + 1, sources[i]->title, sources[i]->date.empty() ? "" : " (" + sources[i]->date + ")",
                       sources[i]->url.empty() ? "" : "\n      " + sources[i]->url);
  return out;
}

}  // namespace reckon
