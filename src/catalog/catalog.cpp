// Look-ups by id, and the cluster that a short description means.
// SPDX-License-Identifier: Apache-2.0
#include "catalog/catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.hpp"
#include "base/text.hpp"

namespace reckon {
namespace {

template <class Entry>
void sort_by_id(std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.id < b.id; });
}

template <class Entry>
const Entry* find_id(const std::vector<Entry>& entries, std::string_view id) {
  const auto place =
      std::lower_bound(entries.begin(), entries.end(), id, [](const Entry& entry, std::string_view key) { return entry.id < key; });
  return place != entries.end() && place->id == id ? &*place : nullptr;
}

template <class Entry>
std::vector<std::string> ids_of(const std::vector<Entry>& entries) {
  std::vector<std::string> ids;
  for (const Entry& entry : entries) ids.push_back(entry.id);
  return ids;
}

[[noreturn]] void unknown(std::string_view what, std::string_view id, const std::vector<std::string>& known) {
  throw TextError(fmt::format("unknown {} {}", what, in_quotes(id)), suggestion(id, known));
}

template <class Entry>
const Entry& find_or_throw(const std::vector<Entry>& entries, std::string_view what, std::string_view id) {
  if (const Entry* found = find_id(entries, id)) return *found;
  unknown(what, id, ids_of(entries));
}

/// Months since year 0; a date without a month counts as the middle of its year.
int month_index(const std::string& date) {
  const int year = std::atoi(date.substr(0, 4).c_str());
  const int month = date.size() >= 7 ? std::atoi(date.substr(5, 2).c_str()) : 6;
  return 12 * year + month;
}

/// Newest first, then by id, so that every list has one order.
template <class Quote>
void sort_newest_first(std::vector<Quote>& quotes) {
  std::sort(quotes.begin(), quotes.end(), [](const Quote& a, const Quote& b) {
    return month_index(a.date) != month_index(b.date) ? month_index(a.date) > month_index(b.date) : a.id < b.id;
  });
}

bool cheaper(const Price& a, const Price& b) { return a.per_device != b.per_device ? a.per_device < b.per_device : a.id < b.id; }
bool preferred(const Price& a, const Price& b) { return a.term_months != b.term_months ? a.term_months < b.term_months : cheaper(a, b); }

/// `quotes` newest first; see Catalog::usual_price.
std::optional<Price> usual_of(const std::vector<Price>& quotes) {
  if (quotes.empty()) return std::nullopt;
  std::map<std::string, Price> by_provider;
  for (const Price& quote : quotes) {
    if (month_index(quote.date) + 12 < month_index(quotes.front().date)) continue;
    const auto [place, first] = by_provider.emplace(quote.provider, quote);
    if (!first && preferred(quote, place->second)) place->second = quote;
  }
  std::vector<Price> candidates;
  for (const auto& [provider, quote] : by_provider) candidates.push_back(quote);
  std::sort(candidates.begin(), candidates.end(), cheaper);
  return candidates[(candidates.size() - 1) / 2];
}

}  // namespace

Catalog::Catalog(CatalogEntries entries) : entries_(std::move(entries)) {
  sort_by_id(entries_.devices);
  sort_by_id(entries_.fabrics);
  sort_by_id(entries_.nodes);
  sort_by_id(entries_.clusters);
  sort_by_id(entries_.prices);
  sort_by_id(entries_.purchases);
}

const Device& Catalog::device(std::string_view id_or_alias) const {
  if (const Device* found = find_id(entries_.devices, id_or_alias)) return *found;
  if (const auto alias = entries_.aliases.find(std::string(id_or_alias)); alias != entries_.aliases.end()) return device(alias->second);
  std::vector<std::string> known = device_ids();
  for (const auto& [alias, id] : entries_.aliases) known.push_back(alias);
  unknown("device", id_or_alias, known);
}

const Fabric& Catalog::fabric(std::string_view id) const { return find_or_throw(entries_.fabrics, "fabric", id); }
const Node& Catalog::node(std::string_view id) const { return find_or_throw(entries_.nodes, "node", id); }
const Price& Catalog::price(std::string_view id) const { return find_or_throw(entries_.prices, "price", id); }

Cluster Catalog::cluster(std::string_view id) const {
  const ClusterEntry& entry = find_or_throw(entries_.clusters, "cluster", id);
  Cluster result;
  result.id = entry.id;
  result.name = entry.name;
  result.node = node(entry.node);
  result.device = device(result.node.device);
  result.fabric = fabric(entry.fabric);
  result.max_devices = entry.max_devices;
  result.provenance = entry.provenance;
  return result;
}

std::vector<std::string> Catalog::device_ids() const { return ids_of(entries_.devices); }
std::vector<std::string> Catalog::fabric_ids() const { return ids_of(entries_.fabrics); }
std::vector<std::string> Catalog::node_ids() const { return ids_of(entries_.nodes); }
std::vector<std::string> Catalog::cluster_ids() const { return ids_of(entries_.clusters); }

Cluster Catalog::cluster_for(std::string_view name) const {
  if (find_id(entries_.clusters, name)) return cluster(name);

  Cluster result;
  if (const Node* named = find_id(entries_.nodes, name)) {
    result.node = *named;
    result.device = device(named->device);
  } else {
    if (!find_id(entries_.devices, name) && !entries_.aliases.count(std::string(name))) {
      std::vector<std::string> known = device_ids();
      for (const auto& [alias, id] : entries_.aliases) known.push_back(alias);
      for (const auto& list : {cluster_ids(), node_ids()}) known.insert(known.end(), list.begin(), list.end());
      unknown("device, node or cluster", name, known);
    }
    result.device = device(name);
    const auto usual = entries_.usual_nodes.find(result.device.id);
    if (usual == entries_.usual_nodes.end())
      throw TextError(fmt::format("device {} has no usual node", in_quotes(result.device.id)), "name a node or a cluster");
    result.node = node(usual->second);
  }
  result.fabric = fabric(result.node.fabric);
  result.id = std::string(name);
  result.name = result.node.name;
  return result;
}

Cluster Catalog::make_cluster(const StatedCluster& stated) const {
  Cluster result = cluster_for(device(stated.device).id);
  result.max_devices = stated.num_devices;
  Node& node = result.node;
  if (node.scale_up_domain == node.devices_per_node) node.scale_up_domain = stated.devices_per_node;
  node.devices_per_node = stated.devices_per_node;
  if (!stated.fabric) return result;

  const StatedCluster::Link& link = *stated.fabric;
  const auto distance = [&link](const Fabric& candidate) { return std::abs(std::log(candidate.nic_bandwidth / link.nic_bandwidth)); };
  const Fabric* nearest = nullptr;
  std::vector<std::string> kinds;
  for (const Fabric& candidate : entries_.fabrics) {
    if (std::find(kinds.begin(), kinds.end(), candidate.kind) == kinds.end()) kinds.push_back(candidate.kind);
    if (candidate.kind != link.kind || candidate.oversubscription > 1.0) continue;
    if (!nearest || distance(candidate) < distance(*nearest)) nearest = &candidate;
  }
  if (!nearest) unknown("kind of fabric", link.kind, kinds);
  result.fabric = *nearest;
  result.fabric.nic_bandwidth = link.nic_bandwidth;
  node.fabric = nearest->id;
  node.nics_per_node = link.nics_per_node;
  return result;
}

std::vector<Price> Catalog::prices_of(std::string_view device_name, std::string_view kind) const {
  const std::string& id = device(device_name).id;
  std::vector<Price> found;
  for (const Price& price : entries_.prices)
    if (price.device == id && (kind.empty() || price.kind == kind)) found.push_back(price);
  sort_newest_first(found);
  return found;
}

std::optional<Price> Catalog::usual_price(std::string_view device_name, std::string_view kind) const {
  return usual_of(prices_of(device_name, kind));
}

std::optional<Price> Catalog::usual_price(const Cluster& cluster, std::string_view kind) const {
  if (!find_id(entries_.devices, cluster.device.id)) return std::nullopt;  // a measured machine: nobody quotes it
  const std::vector<Price> quotes = prices_of(cluster.device.id, kind);
  std::vector<Price> of_instance, of_provider;
  for (const Price& quote : quotes) {
    if (!cluster.node.instance.empty() && quote.instance == cluster.node.instance) of_instance.push_back(quote);
    if (quote.provider == cluster.node.provider) of_provider.push_back(quote);
  }
  return usual_of(!of_instance.empty() ? of_instance : !of_provider.empty() ? of_provider : quotes);
}

std::vector<PurchasePrice> Catalog::purchases_of(std::string_view device_name) const {
  const std::string& id = device(device_name).id;
  std::vector<PurchasePrice> found;
  for (const PurchasePrice& price : entries_.purchases)
    if (price.device == id) found.push_back(price);
  sort_newest_first(found);
  return found;
}

}  // namespace reckon
