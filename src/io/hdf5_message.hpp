// The flat form in which the guarded child sends a file's content to its parent; internal to src/io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "io/hdf5_read.hpp"

namespace reckon {

std::string encode(const Hdf5Contents& contents);

/// Checks every length against what is there: the child may have been taken over.  Throws std::runtime_error.
Hdf5Contents decode(std::string_view message);

/// Reads everything in this process, without guard; hdf5_scan.cpp.  Throws Error.
Hdf5Contents scan_hdf5(const std::string& path, const std::string& name, const Hdf5Limits& limits);

}  // namespace reckon
