// The strategies that a number of devices allows, as blocks: products of choices whose costs meet only in sums (cost/step_terms.hpp).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "plan/question.hpp"

namespace reckon {

struct WorkChoice {
  std::int64_t recompute_layers = 0;
  bool offload_activations = false;
};
struct PipelineChoice {
  Schedule schedule = Schedule::none;
  std::int64_t virtual_stages = 1;
};
struct StateChoice {
  Sharding sharding = Sharding::none;
  std::int64_t shard_group_size = 0;
  bool offload_optimizer = false;
};

/// All strategies that share degrees, micro-batch and recompute policy: every work x pipeline x state choice, in that order.
struct StrategyBlock {
  Strategy base;
  std::vector<WorkChoice> work;
  std::vector<PipelineChoice> pipeline;
  std::vector<StateChoice> state;

  std::int64_t size() const { return static_cast<std::int64_t>(work.size() * pipeline.size() * state.size()); }
  Strategy at(std::size_t work_index, std::size_t pipeline_index, std::size_t state_index) const;
};

/// Calls `visit` for every block, in a fixed order (lexicographic, so that ties are broken the same way everywhere).
///
/// Only strategies that divide devices, batch, heads, experts and sequence exactly.  Defaults of the empty lists: tensor, powers of two up
/// to the scale-up domain (at most 16) that divide the heads; context, powers of two up to 16 while a rank keeps 2,048 tokens or more;
/// expert, divisors of the experts up to 64; expert tensor, 1 and the tensor degree; pipeline, every divisor of what is left up to the number
/// of layers; virtual stages, divisors of the layers of a stage up to 8; micro-batch, 1, 2, 4, 8.
/// Left out because no software does it: virtual stages that divide neither the layers nor, with one layer fewer in the first and the last
/// stage, two more; hybrid shard groups of experts, selective recompute of flash
/// attention (it recomputes its scores anyway).
void for_each_block(const Question& question, std::int64_t num_devices, const std::function<void(const StrategyBlock&)>& visit);

/// The tensor degrees of the space: the outermost dimension, by which a space may be cut into independent parts.
std::vector<std::int64_t> tensor_degrees(const Question& question);

/// Strategies in all blocks, without pricing any.
std::int64_t space_size(const Question& question, std::int64_t num_devices);

/// Calls `visit` for every strategy of the space, block by block.
void for_each_strategy(const Question& question, std::int64_t num_devices, const std::function<void(const Strategy&)>& visit);

}  // namespace reckon
