// SPDX-License-Identifier: Apache-2.0
#include "io/listing.hpp"

#include <nlohmann/json.hpp>

#include "io/json.hpp"

namespace reckon {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::string listing_json(const std::vector<Listing>& listings) {
  Json out{{"schema", "reckon/catalog-list/1"}};
  for (const Listing& listing : listings) {
    Json rows = Json::array();
    for (const auto& row : listing.rows) {
      Json& object = rows.emplace_back(Json::object());
      for (std::size_t i = 0; i < listing.keys.size(); ++i) object[listing.keys[i]] = row.at(i);
    }
    out[listing.kind] = rows;
  }
  return dump_json(out);
}

std::string details_json(const Details& details) {
  Json out{{"schema", "reckon/catalog-entry/1"}, {"kind", details.kind}, {"id", details.id}, {"name", details.name}};
  Json facts = Json::object();
  for (const Fact& fact : details.facts) {
    Json& object = facts[fact.field];
    object["value"] = fact.value;
    if (fact.source)
      object["source"] = {
          {"title", fact.source->title}, {"url", fact.source->url}, {"date", fact.source->date}, {"read", fact.source->read}};
  }
  out["facts"] = facts;
  out["notes"] = details.notes;
  return dump_json(out);
}

std::string record_json(const std::string& schema, const std::vector<std::pair<std::string, std::string>>& members) {
  Json out{{"schema", schema}};
  for (const auto& [key, value] : members) out[key] = value;
  return dump_json(out);
}

}  // namespace reckon
