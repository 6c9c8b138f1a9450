// The compute calibrations: models/calibrations/<device>.json, as scripts/fit_compute.py and `reckon calibrate` write them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "calibration/compute.hpp"
#include "io/json.hpp"

namespace reckon {

/// Reads {"format": "reckon/compute/1", device, [derived_from], date, notes, gemm, attention, stream, cited_gemm, cited_attention,
/// sources}.  An entry of `gemm` is either fitted, with all its parameters, or {like, peak, source}: the entry `like` at the ratio of the
/// peaks.  Unknown and missing keys, bad units and parameters outside their physical range are ConfigErrors with file and pointer.
ComputeCalibration read_compute_calibration(const JsonDocument& document);
ComputeCalibration read_compute_calibration(const std::filesystem::path& path);

/// All compute calibrations of a folder by device; files of another format (stacks, links) are passed over.
std::map<std::string, ComputeCalibration> read_compute_calibrations(const std::filesystem::path& folder);

}  // namespace reckon
