// SPDX-License-Identifier: Apache-2.0
#include "report/parts_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/text.hpp"
#include "io/results_columns.hpp"
#include "report/table.hpp"

namespace reckon {
namespace {

constexpr std::size_t value_width = 40, source_width = 64;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty()) out.emplace_back(line);
  return out;
}

std::string parts_table(const std::vector<PartsColumn>& columns, const std::string& title, const std::vector<Part>& parts,
                        const std::vector<std::vector<double>>& values) {
  std::vector<Table::Head> heads{{title, Align::left}};
  for (const PartsColumn& c : columns) heads.push_back({c.title});
  Table table(heads);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (std::all_of(values.begin(), values.end(), [i](const auto& column) { return column[i] == 0.0; })) continue;
    std::vector<std::string> cells{std::string(parts[i].title)};
    for (const auto& column : values) cells.push_back(significant(column[i]));
    table.row(cells);
  }
  table.rule();
  std::vector<std::string> total{"total"};
  for (const auto& column : values) total.push_back(significant(std::accumulate(column.begin(), column.end(), 0.0)));
  table.row(total);
  return table.text();
}

}  // namespace

std::string step_time_report(const std::vector<PartsColumn>& columns, const DisplayUnit& unit) {
  std::vector<std::vector<double>> values;
  for (const PartsColumn& c : columns) {
    auto& column = values.emplace_back();
    for (const Seconds v : values_of(c.point->cost.time)) column.push_back(v.base() / unit.size);
  }
  return parts_table(columns, "step time, " + unit.name, step_time_parts(), values);
}

std::string memory_report(const std::vector<PartsColumn>& columns) {
  std::vector<std::vector<double>> values;
  for (const PartsColumn& c : columns) {
    auto& column = values.emplace_back();
    for (const Bytes v : values_of(c.point->cost.memory)) column.push_back(v.in(gibibytes));
  }
  return parts_table(columns, "memory of the fullest device, GiB", memory_parts(), values);
}

std::string assumptions_report(const std::vector<Assumption>& assumptions) {
  if (assumptions.empty()) return "";
  Table table({{"assumption", Align::left}, {"value", Align::left}, {"basis", Align::left}, {"source", Align::left}});
  for (const Assumption& a : assumptions) {
    const std::string source = a.date.empty() ? a.source : fmt::format("{} ({})", a.source, a.date);
    const std::vector<std::string> values = lines_of(wrapped(a.value, value_width, 0)),
                                   sources = lines_of(wrapped(source, source_width, 0));
    for (std::size_t i = 0; i < std::max({values.size(), sources.size(), std::size_t{1}}); ++i)
      table.row({i == 0 ? a.name : "", i < values.size() ? values[i] : "", i == 0 ? a.basis : "", i < sources.size() ? sources[i] : ""});
  }
  return "\nWhat the answer rests on\n" + table.text();
}

}  // namespace reckon
