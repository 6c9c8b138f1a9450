// What validate and fit share: the calibration set and the published runs that they read.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "io/validate_document.hpp"

namespace reckon {

/// Compute calibrations (those of devices that nobody measured derived), links and stacks under `models`; `stacks` replaces the stacks' file.
CalibrationSet load_calibrations(const Catalog& catalog, const std::filesystem::path& models, const std::string& stacks);

/// The runs of the files, not yet replayed.  A file named twice, or a run id that stands in two files, is a UsageError.
std::vector<ReplayedFile> load_runs(const std::vector<std::string>& files, const Catalog& catalog);

}  // namespace reckon
