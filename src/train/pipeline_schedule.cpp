// Orders of forward and backward passes.
// SPDX-License-Identifier: Apache-2.0
#include "train/pipeline_schedule.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace reckon::train {
namespace {

using Kind = Action::Kind;

/// `ahead` forward passes, then one forward and one backward in turn, then the backward passes that are left.
/// `pass(kind, k)` is the k-th pass of a kind.
template <class Pass>
std::vector<Action> one_in_turn(std::int64_t passes, std::int64_t ahead, const Pass& pass) {
  std::vector<Action> out;
  ahead = std::min(ahead, passes);
  for (std::int64_t k = 0; k < ahead; ++k) out.push_back(pass(Kind::forward, k));
  for (std::int64_t k = ahead; k < passes; ++k) {
    out.push_back(pass(Kind::forward, k));
    out.push_back(pass(Kind::backward, k - ahead));
  }
  for (std::int64_t k = passes - ahead; k < passes; ++k) out.push_back(pass(Kind::backward, k));
  return out;
}

}  // namespace

std::vector<Action> forward_schedule(std::int64_t micro_batches, std::int64_t chunks) {
  std::vector<Action> out;
  for (std::int64_t m = 0; m < micro_batches; ++m) {
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) out.push_back({Kind::forward, m, chunk});
  }
  return out;
}

std::vector<Action> pipeline_schedule(Schedule schedule, std::int64_t stage, std::int64_t stages, std::int64_t micro_batches,
                                      std::int64_t chunks) {
  if (schedule == Schedule::gpipe && chunks == 1) {
    std::vector<Action> out = forward_schedule(micro_batches, chunks);
    for (std::int64_t m = 0; m < micro_batches; ++m) out.push_back({Kind::backward, m, 0});
    return out;
  }
  if (schedule == Schedule::none || (schedule == Schedule::one_f_one_b && chunks == 1)) {
    return one_in_turn(micro_batches, stages - stage - 1, [](Kind kind, std::int64_t k) { return Action{kind, k, 0}; });
  }
  if (schedule != Schedule::interleaved) {
    throw UsageError(fmt::format("the trainer does not run the schedule {} with {} virtual stages", name_of(schedule), chunks),
                     "choose gpipe or 1f1b without virtual stages, or interleaved-1f1b");
  }
  if (micro_batches % stages != 0) {
    throw UsageError(fmt::format("interleaving over {} stages takes a multiple of {} micro-batches, not {}", stages, stages, micro_batches),
                     "choose another global batch or micro-batch, or the schedule 1f1b");
  }
  const auto pass = [&](Kind kind, std::int64_t k) {
    const std::int64_t chunk = k / stages % chunks;
    return Action{kind, k / (stages * chunks) * stages + k % stages, kind == Kind::forward ? chunk : chunks - 1 - chunk};
  };
  return one_in_turn(micro_batches * chunks, 2 * (stages - stage - 1) + (chunks - 1) * stages, pass);
}

}  // namespace reckon::train
