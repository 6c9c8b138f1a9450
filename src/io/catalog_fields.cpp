// What the readers of catalogue entries share.
// SPDX-License-Identifier: Apache-2.0
#include "io/catalog_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/text.hpp"
#include "catalog/device.hpp"

namespace reckon {
namespace {

/// The member at a dotted path, as far as the path exists.
JsonNode deepest(const JsonNode& entry, const std::string& path) {
  JsonNode place = entry;
  for (const std::string_view step : split(path, '.')) {
    if (!place.is_object()) break;
    const auto next = place.find(step);
    if (!next) break;
    place = *next;
  }
  return place;
}

bool is_stated(const JsonNode& entry, const std::string& path) {
  JsonNode place = entry;
  for (const std::string_view step : split(path, '.')) {
    const auto next = place.is_object() ? place.find(step) : std::nullopt;
    if (!next) return false;
    place = *next;
  }
  return !place.is_null();
}

}  // namespace

std::map<std::string, Source> read_sources(const JsonNode& root) {
  std::map<std::string, Source> sources;
  for (const auto& [key, node] : root.at("sources", "{key: {title, url, date, read}}").members()) {
    node.refuse_unknown({"title", "url", "date", "read"});
    Source source;
    source.title = node.at("title", "a text").string();
    source.date = node.at("date", "YYYY-MM-DD").string();
    source.read = node.at("read", "true or false").boolean();
    if (const auto url = node.find("url")) source.url = url->string();
    if (source.title.empty()) node.at("title").fail("the title is empty");
    if (!is_date(source.date)) node.at("date").fail(in_quotes(source.date) + " is not a date", "write YYYY, YYYY-MM or YYYY-MM-DD");
    if (source.read && source.url.empty()) node.fail("a source that was read has a url", "add \"url\", or say \"read\": false");
    sources.emplace(key, std::move(source));
  }
  return sources;
}

Provenance read_provenance(const JsonNode& root, const std::vector<std::string>& numbers) {
  const std::map<std::string, Source> sources = read_sources(root);
  std::set<std::string> used;
  Provenance provenance;
  const JsonNode src = root.at("src", "{field: key of a source}");
  for (const auto& [field, node] : src.members()) {
    const std::string key = node.string();
    if (!is_stated(root, field)) node.fail(fmt::format("there is no value {} that could have a source", in_quotes(field)));
    const auto source = sources.find(key);
    if (source == sources.end()) {
      std::vector<std::string> known;
      for (const auto& [name, unused] : sources) known.push_back(name);
      node.fail("unknown source " + in_quotes(key), suggestion(key, known));
    }
    used.insert(key);
    provenance.emplace(field, source->second);
  }
  for (const std::string& number : numbers)
    if (is_stated(root, number) && !source_of(provenance, number))
      src.fail(fmt::format("the number '{}' has no source", number), fmt::format("add \"{}\": a key of /sources", number));
  for (const auto& [key, source] : sources)
    if (!used.count(key)) root.at("sources").at(key).fail("no field of src uses this source", "remove it");
  return provenance;
}

void refuse_problems(const JsonNode& entry, const Problems& problems) {
  if (!problems.empty()) deepest(entry, problems.front().field).fail(problems.front().message);
}

void check_head(const JsonNode& root, const std::string& expected) {
  const JsonNode format = root.at("format", "\"" + expected + "\"");
  if (format.string() != expected) format.fail("the format is " + in_quotes(format.string()), "write \"" + expected + "\"");
  const JsonNode id = root.at("id", "the name of the file without .json");
  const std::string stem = std::filesystem::path(root.file()).stem().string();
  if (id.string() != stem)
    id.fail(fmt::format("the id {} is not the file's name {}", in_quotes(id.string()), in_quotes(stem)), "make them equal");
}

std::vector<std::string> read_texts(const JsonNode& root, const std::string& key) {
  std::vector<std::string> texts;
  if (const auto list = root.find(key))
    for (const JsonNode& item : list->items()) texts.push_back(item.string());
  return texts;
}

}  // namespace reckon
