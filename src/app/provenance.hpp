// Where an answer comes from: program, command line, inputs; the same for the same inputs whatever the number of ranks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "app/options.hpp"
#include "io/plan_results.hpp"

namespace reckon {

/// The command line with the options in the order of the help, quoted for a shell, without those that only say where output goes.
std::string canonical_command(const CommandSpec& command, const ParsedOptions& options, const std::vector<std::string>& left_out);

/// 8-4-4-4-12 hexadecimal digits from the SHA-256 of the question, the inputs' digests and the program: a version 8 UUID (RFC 9562, 5.8).
std::string derived_uuid(const PlanQuestion& question, const std::vector<InputText>& inputs, const std::string& version);

/// `epoch` (the text of SOURCE_DATE_EPOCH) as ISO 8601 UTC; empty when there is none.  Throws UsageError when it is no number.
std::string date_of_epoch(const char* epoch);

}  // namespace reckon
