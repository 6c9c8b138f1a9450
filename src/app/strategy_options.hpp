// The options that name one strategy, shared by predict, simulate and train.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"
#include "app/scene.hpp"
#include "plan/question.hpp"

namespace reckon {

/// --tp, --pp, --cp, --ep, --etp, --dp, --devices, --mb, --gb, --vpp, --schedule, --sharding, --recompute and what refines them.
OptionGroup strategy_options();

/// A degree of parallelism, a number of devices or a batch; 1 to 2^20.
std::int64_t read_degree(const ParsedOptions& options, const char* option);

/// --tp, --pp, --cp, --ep, --vpp, --mb and --no-sp, which every command that takes one strategy reads alike.
Strategy read_degrees(const ParsedOptions& options);

/// The schedule that goes with the degrees when none is named.
Schedule usual_schedule(const Strategy& strategy);

/// The strategy that they name.  Throws UsageError.
Strategy read_strategy(const ParsedOptions& options, const Question& question);

/// Throws UsageError with all rules that the strategy breaks on this model and place.
void check_strategy(const Strategy& strategy, const Scene& scene);

}  // namespace reckon
