// The ranks of a run as a grid, and a communicator for each of its directions.
//
// rank = tensor + T (context + C (data + D pipeline)): ranks that talk most are neighbours.  Expert groups are runs of `expert_parallel`
// neighbours in the data direction; a copy of an expert lives in every `expert_parallel`-th of them and in every context rank.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "catalog/strategy.hpp"
#include "runtime/communicator.hpp"

namespace reckon::train {

struct ProcessGrid {
  Communicator world;
  Communicator tensor, context, data, pipeline;  ///< this rank's line in each direction
  Communicator replicas;                         ///< data x context: ranks with the same weights
  Communicator expert;                           ///< ranks that share the experts of a layer
  Communicator expert_replicas;                  ///< ranks with the same experts
  Communicator embedding;                        ///< the first and the last stage, where tied tables live; alone elsewhere

  bool first_stage() const { return pipeline.rank() == 0; }
  bool last_stage() const { return pipeline.rank() == pipeline.size() - 1; }
};

/// Collective over `world`.  Throws UsageError when the strategy needs another number of ranks.
ProcessGrid make_process_grid(const Communicator& world, const Strategy& strategy);

}  // namespace reckon::train
