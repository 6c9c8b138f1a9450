// Pipeline schedules as data: what a stage does, in order.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "catalog/strategy.hpp"

namespace reckon::train {

/// One forward or backward pass of a micro-batch through a chunk of layers.  Chunk v of stage s holds the layers of global chunk v P + s.
struct Action {
  enum class Kind { forward, backward } kind = Kind::forward;
  std::int64_t micro_batch = 0, chunk = 0;
  bool operator==(const Action&) const = default;
};

/// The actions of `stage` of `stages`, for `micro_batches` and `chunks` virtual stages:
///   gpipe                 all forward passes, then all backward passes (Huang et al. 2019, arXiv 1811.06965)
///   one_f_one_b           stages - stage - 1 forward passes ahead, then one of each in turn (Narayanan et al. 2019, PipeDream-Flush)
///   interleaved           the same over chunks, in groups of `stages` micro-batches (Narayanan et al. 2021, arXiv 2104.04473, section 2.2)
/// Throws UsageError for schedules that the trainer does not run, and for interleaving when stages do not divide the micro-batches.
std::vector<Action> pipeline_schedule(Schedule schedule, std::int64_t stage, std::int64_t stages, std::int64_t micro_batches,
                                      std::int64_t chunks);

/// The forward passes alone, in the order of their micro-batches: for validation.
std::vector<Action> forward_schedule(std::int64_t micro_batches, std::int64_t chunks);

}  // namespace reckon::train
