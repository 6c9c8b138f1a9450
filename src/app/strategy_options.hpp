// The options that name one strategy, shared by predict and simulate.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"
#include "app/scene.hpp"
#include "plan/question.hpp"

namespace reckon {

/// --tp, --pp, --cp, --ep, --etp, --dp, --devices, --mb, --gb, --vpp, --schedule, --sharding, --recompute and what refines them.
OptionGroup strategy_options();

/// The strategy that they name.  Throws UsageError.
Strategy read_strategy(const ParsedOptions& options, const Question& question);

/// Throws UsageError with all rules that the strategy breaks on this model and place.
void check_strategy(const Strategy& strategy, const Scene& scene);

}  // namespace reckon
