// The calibrations that `reckon calibrate` and `reckon import` write: "reckon/calibration/1", samples and fits of one machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "calibration/machine_calibration.hpp"
#include "io/json.hpp"

namespace reckon {

/// Reads {format, date, device, machine, software, fit: {compute, links}, samples}.  Corrections at measured shapes follow from the samples
/// and the fitted closed forms.  Unknown and missing keys, bad units, and numbers out of range are ConfigErrors with file and pointer.
MachineCalibration read_machine_calibration(const JsonDocument& document);
MachineCalibration read_machine_calibration(const std::filesystem::path& path);

/// The same as text; one sample a line.
std::string write_machine_calibration(const MachineCalibration& machine);

}  // namespace reckon
