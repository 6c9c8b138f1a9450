// Writes the distributions of step time and memory over spaces of strategies as HDF5.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "io/plan_results.hpp"
#include "plan/distribution.hpp"

namespace reckon {

/// /strategies, /fitting (devices), /step_time_count (devices, step_time), /memory_count (devices, memory); the coordinates step_time and
/// memory are the lower edges of the bins.  Provenance as in results files.  Throws FileError.
void save_distributions(const std::vector<SpaceDistribution>& distributions, const PlanResults& results, const std::filesystem::path& target,
                        bool overwrite);

}  // namespace reckon
