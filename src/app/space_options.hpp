// The options that restrict the strategies a plan searches.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "app/options.hpp"
#include "plan/question.hpp"

namespace reckon {

/// --tp, --pp, --cp, --ep, --vpp, --mb, --recompute, --sharding, --schedule: each a list of the values that may be taken.
OptionGroup space_options();

SearchSpace read_space(const ParsedOptions& options);

/// The restrictions as they would be typed, "--tp 8 --pp 4,8"; empty when there are none.
std::string restrictions(const ParsedOptions& options);

}  // namespace reckon
