// Where the catalogue files (devices, architectures, prices, ...) are; found beside the program, so that an installation can be moved.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace reckon {

/// The folder that holds devices/, architectures/ and the rest: `variable` (the value of RECKON_DATA_DIR) when set, else
/// <folder of the program>/../share/reckon/models, else models/ in the nearest parent of the program that has models/devices.
/// Throws ConfigError naming all that was tried; a set variable that names no such folder is an error, not a reason to look elsewhere.
std::filesystem::path find_data_folder(const std::optional<std::string>& variable, const std::filesystem::path& program);

/// find_data_folder for this process.
std::filesystem::path data_folder();

}  // namespace reckon
