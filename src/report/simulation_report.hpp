// What `reckon simulate` says.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "io/simulation_json.hpp"

namespace reckon {

std::string simulation_report(const SimulationAnswer& answer);

/// The table of `reckon plan --simulate`: closed form and simulation side by side, and why they differ.
std::string replays_report(const std::vector<PlanReplay>& replays);

}  // namespace reckon
