// The link calibration: models/calibrations/links.json, as scripts/fit_links.py writes it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "calibration/links.hpp"
#include "io/json.hpp"

namespace reckon {

/// Reads {"format": "reckon/links/1", domains, fabrics, residuals, sources}.  Unknown and missing keys, wrong units and shares outside
/// (0, 1.5] are ConfigErrors with file and pointer; both tables need a "default".
LinkTable read_link_calibration(const JsonDocument& document);
LinkTable read_link_calibration(const std::filesystem::path& path);

}  // namespace reckon
