// Reads the catalogue: models/{devices,fabrics,nodes,clusters,prices}/*.json.  The format is described in models/README.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "io/json.hpp"

namespace reckon {

/// Reads the whole catalogue under `models`.  Throws ConfigError, with file and JSON pointer, for a missing folder, a wrong or unknown or
/// missing key, a number without a source, a magnitude out of range, an id that is not the file's name, and ids that name nothing.
Catalog open_catalog(const std::filesystem::path& models);

/// One entry from an already parsed file; the same checks but for ids of other files.
struct DeviceFile {
  Device device;
  std::vector<std::string> aliases;
  std::string usual_node;
};
DeviceFile read_device(const JsonNode& root);
Fabric read_fabric(const JsonNode& root);
Node read_node(const JsonNode& root);
ClusterEntry read_cluster(const JsonNode& root);
std::vector<Price> read_prices(const JsonNode& root);
std::vector<PurchasePrice> read_purchases(const JsonNode& root);

}  // namespace reckon
