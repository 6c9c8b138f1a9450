// Calibrations for devices that nobody measured, from the nearest one that somebody did.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "calibration/compute.hpp"
#include "catalog/catalog.hpp"

namespace reckon {

/// Adds a derived calibration (see derive()) for every catalogue device that has none but shares its architecture with a measured one.
/// Of several, the one with the nearest memory bandwidth is scaled.  Devices of an architecture that nobody measured stay without.
void derive_missing(std::map<std::string, ComputeCalibration>& compute, const Catalog& catalog);

}  // namespace reckon
