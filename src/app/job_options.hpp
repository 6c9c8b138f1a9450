// The options about what goes on beside the training steps: reading the data, and the loop of reinforcement learning.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "app/options.hpp"
#include "app/scene.hpp"
#include "projection/rollout.hpp"

namespace reckon {

/// --unit-bytes, --node-read, --storage-read, --loader-rate, --rollout.
OptionGroup job_options();

/// What the data come from, from --unit-bytes, --node-read, --storage-read and --loader-rate.  Throws UsageError.
DataFeed read_data_feed(const ParsedOptions& options, const Scene& scene, bool counts_tokens);

/// The loop of --rollout 'ppo,prompt=512,response=1024': a kind (ppo or grpo), then values put over its own; nothing without the option.
/// Throws UsageError for unknown names and values out of range.
std::optional<RolloutLoop> read_rollout(const ParsedOptions& options);

/// The policy that generates: the scene's architecture in 16-bit weights on the scene's device, without the rate of its products.  Throws
/// UsageError for architectures that generate nothing.
RolloutPolicy rollout_policy(const ParsedOptions& options, const Scene& scene);

}  // namespace reckon
