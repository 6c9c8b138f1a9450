// The software stacks' file: models/calibrations/stacks.json.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "calibration/stack.hpp"
#include "io/json.hpp"

namespace reckon {

/// Reads {"format": "reckon/stacks/1", "stacks": {id: {name, facts, constants, fitted, fit_note, source}}}.  Every fact and constant must be
/// there; "generations": [{of, id, container, stack}] may name finer stacks for runs whose files name them coarsely; ranges are those of calibration/stack.hpp.  Throws ConfigError with file and pointer.
StackTable read_stacks(const JsonDocument& document);
StackTable read_stacks(const std::filesystem::path& path);

/// The same content as text, for `reckon fit --out`.
std::string write_stacks(const StackTable& stacks);

}  // namespace reckon
