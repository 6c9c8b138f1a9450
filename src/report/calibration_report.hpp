// A calibration in one page of text.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "calibration/machine_calibration.hpp"

namespace reckon {

/// What was measured, how fast it is, how well the fits hold, and how much did not settle; `file` is where it was written.
std::string calibration_report(const MachineCalibration& machine, const std::string& file);

}  // namespace reckon
