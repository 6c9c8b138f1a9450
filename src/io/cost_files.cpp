// SPDX-License-Identifier: Apache-2.0
#include "io/cost_files.hpp"

#include <algorithm>
#include <set>

#include "base/quantity_text.hpp"
#include "base/text.hpp"
#include "catalog/device.hpp"
#include "io/catalog_fields.hpp"
#include "projection/decimal.hpp"

namespace reckon {
namespace {

std::string example_of(const CostAssumptionRule& rule) { return rule.unit == "1" ? "0.2 or 20 %" : "3 " + rule.unit; }

/// The source of an entry: by key, or as texts of the entry itself.
struct Cited {
  std::string title, date;
  bool read = false;
};
Cited cited(const JsonNode& node, const std::map<std::string, Source>& sources, std::set<std::string>& used, bool catalogue) {
  if (const auto src = node.find("src")) {
    const auto found = sources.find(src->string());
    if (found == sources.end()) {
      std::vector<std::string> known;
      for (const auto& [key, unused] : sources) known.push_back(key);
      src->fail("unknown source " + in_quotes(src->string()), suggestion(src->string(), known));
    }
    used.insert(found->first);
    return {found->second.title, found->second.date, found->second.read};
  }
  if (catalogue) node.fail("the assumption has no source", "add \"src\": a key of /sources");
  Cited out{"", "", true};
  if (const auto source = node.find("source")) out.title = source->string();
  if (const auto date = node.find("date")) {
    out.date = date->string();
    if (!is_date(out.date)) date->fail(in_quotes(out.date) + " is not a date", "write YYYY, YYYY-MM or YYYY-MM-DD");
  }
  return out;
}

double assumed_at(const JsonNode& node, const CostAssumptionRule& rule) {
  if (!node.is_string()) node.fail("is not a text", "write a number with its unit, \"" + example_of(rule) + "\"");
  try {
    return parse_assumed(rule, node.string());
  } catch (const TextError& error) {
    node.fail(error.reason(), error.cure());
  }
}

Spread spread_at(const JsonNode& node) {
  const std::string name = node.choice(spread_names());
  return static_cast<Spread>(std::find(spread_names().begin(), spread_names().end(), name) - spread_names().begin());
}

CostAssumption assumption_at(const JsonNode& node) {
  CostAssumption a;
  a.name = node.at("name", "the name of an assumption").string();
  try {
    const CostAssumptionRule& rule = cost_assumption_rule(a.name);
    a.title = rule.title;
    a.unit = rule.unit;
    a.value = a.low = a.high = assumed_at(node.at("value", "a number with its unit, \"" + example_of(rule) + "\""), rule);
    if (const auto low = node.find("low")) a.low = assumed_at(*low, rule);
    if (const auto high = node.find("high")) a.high = assumed_at(*high, rule);
  } catch (const TextError& error) {
    node.at("name").fail(error.reason(), error.cure());
  }
  if (a.low > a.value || a.high < a.value) node.fail("the range does not hold the value", "write low <= value <= high");
  if (const auto spread = node.find("spread"))
    a.spread = spread_at(*spread);
  else if (a.low < a.high)
    a.spread = Spread::triangular;
  if (a.spread == Spread::lognormal && a.low <= 0)
    node.fail("a lognormal assumption may not be zero", "write low above zero, or another spread");
  if (a.spread == Spread::poisson && a.name != "failure_luck") node.at("spread").fail("only failure_luck is a number of events");
  return a;
}

}  // namespace

double parse_assumed(const CostAssumptionRule& rule, std::string_view text) {
  const std::string_view whole = trim(text);
  std::string number(whole);
  const auto cut = [&number](std::string_view end) {
    if (!number.ends_with(end)) return false;
    number.resize(number.size() - end.size());
    number = trim(number);
    return true;
  };
  if (rule.unit != "1") {
    const bool money = rule.unit.starts_with("USD/") && number.starts_with('$');
    if (money) number.erase(0, 1);
    if (!cut(money ? std::string_view(rule.unit).substr(3) : std::string_view(rule.unit)))
      throw TextError(in_quotes(whole) + " is not in " + rule.unit, "write it like '" + example_of(rule) + "'");
  }
  if (number.empty()) throw TextError(in_quotes(whole) + " has no number", "write it like '" + example_of(rule) + "'");
  return parse_number(number, rule.least, rule.most);
}

std::vector<CostAssumption> read_cost_assumptions(const JsonNode& root, const std::string& basis) {
  const bool catalogue = basis == "default";
  if (catalogue) check_head(root, "reckon/cost-assumptions/1");
  root.refuse_unknown({"format", "id", "notes", "assumptions", "sources"});
  const JsonNode format = root.at("format", "\"reckon/cost-assumptions/1\"");
  if (format.string() != "reckon/cost-assumptions/1")
    format.fail("the format is " + in_quotes(format.string()), "write \"reckon/cost-assumptions/1\"");
  read_texts(root, "notes");
  std::map<std::string, Source> sources;
  if (catalogue || root.has("sources")) sources = read_sources(root);
  std::set<std::string> used, names;
  std::vector<CostAssumption> out;
  for (const JsonNode& node : root.at("assumptions", "an array").items()) {
    node.refuse_unknown({"name", "value", "low", "high", "spread", "src", "source", "date"});
    CostAssumption a = assumption_at(node);
    if (!names.insert(a.name).second) node.at("name").fail("the assumption " + in_quotes(a.name) + " is stated twice", "keep one");
    const Cited source = cited(node, sources, used, catalogue);
    a.source = source.title;
    a.date = source.date;
    a.basis = source.read ? basis : "assumed";
    out.push_back(std::move(a));
  }
  for (const auto& [key, source] : sources)
    if (!used.contains(key)) root.at("sources").at(key).fail("no assumption uses this source", "remove it");
  return out;
}

std::vector<CostPlace> read_places(const JsonNode& root) {
  check_head(root, "reckon/places/1");
  root.refuse_unknown({"format", "id", "notes", "places", "sources"});
  read_texts(root, "notes");
  const std::map<std::string, Source> sources = read_sources(root);
  const CostAssumptionRule& rule = cost_assumption_rule("grid_carbon");
  std::set<std::string> used;
  std::vector<CostPlace> out;
  for (const JsonNode& node : root.at("places", "an array").items()) {
    node.refuse_unknown({"id", "name", "year", "grid_carbon", "src"});
    CostPlace place{
        node.at("id", "a text").string(), node.at("name", "a text").string(), node.at("year", "a year").integer(1990, 2100), {}};
    const Cited source = cited(node, sources, used, true);
    const double value = assumed_at(node.at("grid_carbon", "\"369 g/kWh\""), rule);
    place.grid_carbon = {rule.name,
                         rule.title,
                         rule.unit,
                         value,
                         value,
                         value,
                         Spread::fixed,
                         source.read ? "default" : "assumed",
                         place.name + ", " + std::to_string(place.year) + ": " + source.title,
                         source.date};
    for (const CostPlace& other : out)
      if (other.id == place.id) node.at("id").fail("the place " + in_quotes(place.id) + " is listed twice");
    out.push_back(std::move(place));
  }
  for (const auto& [key, source] : sources)
    if (!used.contains(key)) root.at("sources").at(key).fail("no place uses this source", "remove it");
  return out;
}

}  // namespace reckon
