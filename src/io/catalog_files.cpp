// Opens the catalogue: every file of every folder, and the ids by which files name one another.
// SPDX-License-Identifier: Apache-2.0
#include "io/catalog_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "base/text.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;

/// The files of a folder of the catalogue, by name.
std::vector<JsonNode> read_folder(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".json") paths.push_back(entry->path());
  if (error)
    throw ConfigError(folder.string(), "", "cannot read the catalogue folder: " + error.message(), "name a folder such as models/");
  if (paths.empty()) throw ConfigError(folder.string(), "", "the catalogue folder has no .json file");
  std::sort(paths.begin(), paths.end());
  std::vector<JsonNode> roots;
  for (const fs::path& path : paths) roots.push_back(read_json(path).root());
  return roots;
}

/// Ids that other files may name, and where they were defined.
class KnownIds {
 public:
  explicit KnownIds(std::string what) : what_(std::move(what)) {}

  void add(const std::string& id, const JsonNode& place) {
    if (!ids_.insert(id).second) place.fail(fmt::format("the {} {} is defined twice", what_, in_quotes(id)), "rename one of them");
  }
  void require(const JsonNode& reference) const {
    const std::string id = reference.string();
    if (!ids_.count(id)) reference.fail(fmt::format("unknown {} {}", what_, in_quotes(id)), suggestion(id, {ids_.begin(), ids_.end()}));
  }

 private:
  std::string what_;
  std::set<std::string> ids_;
};

void read_devices(const std::vector<JsonNode>& roots, CatalogEntries& entries, KnownIds& devices) {
  KnownIds names("device or alias");
  for (const JsonNode& root : roots) {
    DeviceFile file = read_device(root);
    devices.add(file.device.id, root.at("id"));
    names.add(file.device.id, root.at("id"));
    for (const std::string& alias : file.aliases) {
      names.add(alias, root.at("aliases"));
      entries.aliases.emplace(alias, file.device.id);
    }
    entries.usual_nodes.emplace(file.device.id, file.usual_node);
    entries.devices.push_back(std::move(file.device));
  }
}

void read_price_lists(const std::vector<JsonNode>& roots, CatalogEntries& entries, const KnownIds& devices) {
  KnownIds ids("price");
  for (const JsonNode& root : roots) {
    if (root.at("format").string() == "reckon/purchase-prices/1") {
      for (PurchasePrice& price : read_purchases(root)) entries.purchases.push_back(std::move(price));
    } else {
      for (Price& price : read_prices(root)) entries.prices.push_back(std::move(price));
    }
    for (const JsonNode& node : root.at("prices").items()) {
      ids.add(node.at("id").string(), node.at("id"));
      devices.require(node.at("device"));
    }
  }
}

}  // namespace

Catalog open_catalog(const fs::path& models) {
  CatalogEntries entries;
  entries.folder = models.string();
  KnownIds devices("device"), fabrics("fabric"), nodes("node"), clusters("cluster");

  const std::vector<JsonNode> device_roots = read_folder(models / "devices");
  read_devices(device_roots, entries, devices);
  for (const JsonNode& root : read_folder(models / "fabrics")) {
    entries.fabrics.push_back(read_fabric(root));
    fabrics.add(entries.fabrics.back().id, root.at("id"));
  }
  for (const JsonNode& root : read_folder(models / "nodes")) {
    entries.nodes.push_back(read_node(root));
    nodes.add(entries.nodes.back().id, root.at("id"));
    devices.require(root.at("device"));
    fabrics.require(root.at("fabric"));
  }
  for (const JsonNode& root : device_roots) nodes.require(root.at("usual_node"));
  for (const JsonNode& root : read_folder(models / "clusters")) {
    entries.clusters.push_back(read_cluster(root));
    clusters.add(entries.clusters.back().id, root.at("id"));
    nodes.require(root.at("node"));
    fabrics.require(root.at("fabric"));
  }
  read_price_lists(read_folder(models / "prices"), entries, devices);
  return Catalog(std::move(entries));
}

}  // namespace reckon
