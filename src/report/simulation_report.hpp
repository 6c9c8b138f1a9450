// What `reckon simulate` says.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "io/simulation_json.hpp"

namespace reckon {

std::string simulation_report(const SimulationAnswer& answer);

}  // namespace reckon
