// The options of reckon simulate beyond the strategy: what disturbs a step, what happens to a run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"
#include "io/plan_results.hpp"
#include "simulate/link_use.hpp"
#include "simulate/run_simulation.hpp"
#include "simulate/unfolded.hpp"

namespace reckon {

/// --unfold, --jitter, --slow-devices, --slow-by, --slow-links, --slow-links-by, --contention, --scatter, --torus, --seed.
OptionGroup disturbance_options();
/// True when every device shall be simulated by itself: --unfold or anything that makes devices differ.
bool wants_unfolded(const ParsedOptions& options);
Disturbance read_disturbance(const ParsedOptions& options, std::int64_t num_devices);
/// Where the devices of --contention are.
ClusterLayout read_layout(const ParsedOptions& options);

/// --runs and what a run knows beyond goodput_options(): storage, spares, preemption, stalls.
OptionGroup scenario_options();
/// The scenario of `question`'s run.  `work` is the training time; `state` the bytes of a checkpoint when none are given and a bandwidth
/// is.
RunScenario read_scenario(const ParsedOptions& options, const PlanQuestion& question, std::int64_t devices, Seconds work, Bytes state);

}  // namespace reckon
