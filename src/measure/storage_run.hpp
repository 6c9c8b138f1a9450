// Measures a folder as a training run uses it: every rank writes its part of a checkpoint and makes it durable, every rank reads data.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "calibration/samples.hpp"
#include "measure/bench.hpp"

namespace reckon::measure {

/// `bytes` on each rank, five times; files are removed, also after an error.  What is read back must be what was written; reads ask the system
/// to forget its cache first, which it may refuse.  Collective over `world`.  Throws FileError with path and reason.
void measure_storage(const Communicator& world, const std::filesystem::path& folder, std::size_t bytes, Samples& samples);

}  // namespace reckon::measure
