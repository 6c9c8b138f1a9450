// The catalogue as lists and as facts of one entry.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "calibration/compute.hpp"
#include "calibration/stack.hpp"
#include "catalog/catalog.hpp"
#include "io/listing.hpp"

namespace reckon {

/// All that `reckon catalog` can list.
struct KnownThings {
  Catalog catalog;
  std::map<std::string, ComputeCalibration> compute;
  std::map<std::string, Stack> stacks;
  std::filesystem::path models;
};

/// The kinds of entries, in the order in which they are listed.
const std::vector<std::string>& catalog_kinds();

/// Every entry of a kind.
Listing listing_of(const KnownThings& known, const std::string& kind);

/// One entry; nothing when `kind` has none of that name.  Devices are found by alias too.
std::optional<Details> details_of(const KnownThings& known, const std::string& kind, const std::string& name);

}  // namespace reckon
