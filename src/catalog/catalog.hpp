// What is known of hardware and prices, by id.  Filled by io/catalog_files, used by everybody.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/device.hpp"

namespace reckon {

/// A cluster before its parts are looked up.
struct ClusterEntry {
  std::string id, name, node, fabric;  ///< node and fabric are ids
  std::int64_t max_devices = 0;        ///< 0 = as many as asked for
  Provenance provenance;
};

/// All entries, as read.
struct CatalogEntries {
  std::vector<Device> devices;
  std::map<std::string, std::string> aliases;      ///< other names of devices: "h100" -> "h100-sxm-80gb"
  std::map<std::string, std::string> usual_nodes;  ///< by device id, the node that stands for a device named alone
  std::vector<Fabric> fabrics;
  std::vector<Node> nodes;
  std::vector<ClusterEntry> clusters;
  std::vector<Price> prices;
  std::vector<PurchasePrice> purchases;
  std::string folder;  ///< where they were read; empty = made in memory
};

/// The cluster block of a run description: a device and the facts that its source states.
struct StatedCluster {
  struct Link {
    std::int64_t nics_per_node = 0;
    BytesPerSecond nic_bandwidth;
    std::string kind;
  };
  std::string device;
  std::int64_t num_devices = 0, devices_per_node = 0;
  std::optional<Link> fabric;  ///< nothing: the usual one of the device
};

/// Look-ups by id.  An unknown id throws TextError with the nearest known one; readers that know the place turn it into a ConfigError.
class Catalog {
 public:
  Catalog() = default;
  explicit Catalog(CatalogEntries entries);

  const Device& device(std::string_view id_or_alias) const;
  const Fabric& fabric(std::string_view id) const;
  const Node& node(std::string_view id) const;
  Cluster cluster(std::string_view id) const;
  const Price& price(std::string_view id) const;

  std::vector<std::string> device_ids() const;
  std::vector<std::string> fabric_ids() const;
  std::vector<std::string> node_ids() const;
  std::vector<std::string> cluster_ids() const;
  const std::vector<Price>& prices() const { return entries_.prices; }
  const std::vector<PurchasePrice>& purchases() const { return entries_.purchases; }
  const std::map<std::string, std::string>& aliases() const { return entries_.aliases; }
  const std::string& folder() const { return entries_.folder; }

  /// What a user means who names one thing: a cluster id, a node id (with its own fabric), or a device (in its usual node).
  Cluster cluster_for(std::string_view name) const;

  /// The cluster of a run description.  Node and fabric are the usual ones of the device with what is stated put in: a stated fabric takes
  /// latency and in-network reduction from the catalogue's full-bisection fabric of that kind with the nearest NIC rate; a scale-up domain
  /// larger than the usual node (an NVL72 rack) stays, a smaller one follows devices_per_node.
  Cluster make_cluster(const StatedCluster& stated) const;

  /// Rents of a device (id or alias), newest first; of one kind when `kind` is not empty.
  std::vector<Price> prices_of(std::string_view device, std::string_view kind = "") const;

  /// The usual rent: of the quotes of that kind not older than 12 months before the newest, each provider's with the shortest term and of
  /// those the cheapest, and of the providers' the median (the lower of two).  Nothing when none is known.
  std::optional<Price> usual_price(std::string_view device, std::string_view kind = "on-demand") const;

  /// The same for a cluster: from the quotes of its node's cloud instance, else of its provider, else of its device.
  std::optional<Price> usual_price(const Cluster& cluster, std::string_view kind = "on-demand") const;

  /// Purchase prices of a device (id or alias), newest first.
  std::vector<PurchasePrice> purchases_of(std::string_view device) const;

 private:
  CatalogEntries entries_;  // each list sorted by id
};

}  // namespace reckon
