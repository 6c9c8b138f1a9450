// Puts what was measured in the place of published figures.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "app/scene.hpp"

namespace reckon {

/// Throws UsageError unless `place`, as the user named it, goes with the calibration: processors are a place of their own, devices of the
/// catalogue need one.
void check_calibrated_place(const MachineCalibration& machine, const std::string& place);

/// Replaces compute and links of the scene by those parts that `machine` measured; what it lacks stays published.
/// Throws UsageError for another device than the scene's, CalibrationError for processors without measured compute.
void use_calibration(const MachineCalibration& machine, const std::string& file, Scene& scene);

}  // namespace reckon
