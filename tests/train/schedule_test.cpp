// Schedules: every pass once, in an order that the stages can keep without waiting for each other for ever, with the bubble of the papers.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/error.hpp"
#include "train/pipeline_schedule.hpp"
#include "train/scene.hpp"
#include "train/training_job.hpp"

namespace reckon::train {
namespace {

struct Replay {
  std::int64_t ticks = 0;      ///< with forward passes of 1 and backward passes of 2 ticks
  std::int64_t most_kept = 0;  ///< micro-batches in flight on the first stage
};

/// Runs the stages' lists side by side: a pass starts when its stage is free and its input has arrived.
Replay simulate(Schedule schedule, std::int64_t stages, std::int64_t micro_batches, std::int64_t chunks) {
  using Pass = std::tuple<bool, std::int64_t, std::int64_t>;  // forward, micro-batch, global chunk
  std::map<Pass, std::int64_t> done;
  std::vector<std::vector<Action>> lists;
  std::vector<std::size_t> next(std::size_t(stages), 0);
  std::vector<std::int64_t> free_at(std::size_t(stages), 0);
  for (std::int64_t s = 0; s < stages; ++s) lists.push_back(pipeline_schedule(schedule, s, stages, micro_batches, chunks));
  Replay run;
  std::int64_t kept = 0;
  for (bool moved = true; moved;) {
    moved = false;
    for (std::int64_t s = 0; s < stages; ++s) {
      auto& at = next[std::size_t(s)];
      while (at < lists[std::size_t(s)].size()) {
        const Action a = lists[std::size_t(s)][at];
        const bool forward = a.kind == Action::Kind::forward;
        const std::int64_t global = a.chunk * stages + s, last = stages * chunks - 1;
        std::int64_t ready = 0;
        if (forward ? global > 0 : true) {
          const Pass before = forward          ? Pass{true, a.micro_batch, global - 1}
                              : global == last ? Pass{true, a.micro_batch, last}
                                               : Pass{false, a.micro_batch, global + 1};
          if (!done.contains(before)) break;
          ready = done[before];
        }
        if (!forward && !done.contains({true, a.micro_batch, global})) ADD_FAILURE() << "backward before forward";
        free_at[std::size_t(s)] = std::max(free_at[std::size_t(s)], ready) + (forward ? 1 : 2);
        if (!done.emplace(Pass{forward, a.micro_batch, global}, free_at[std::size_t(s)]).second) ADD_FAILURE() << "a pass twice";
        if (s == 0) run.most_kept = std::max(run.most_kept, kept += forward ? 1 : -1);
        ++at;
        moved = true;
      }
    }
  }
  EXPECT_EQ(std::int64_t(done.size()), 2 * micro_batches * chunks * stages) << "the stages wait for each other for ever";
  run.ticks = *std::max_element(free_at.begin(), free_at.end());
  return run;
}

TEST(PipelineSchedule, GpipeAndOneForwardOneBackwardHaveTheSameBubble) {
  for (const std::int64_t stages : {1, 2, 3, 4, 8}) {
    for (const std::int64_t micro_batches : {1, 2, 4, 7, 16}) {
      const std::int64_t ideal = 3 * micro_batches + 3 * (stages - 1);
      const Replay gpipe = simulate(Schedule::gpipe, stages, micro_batches, 1),
                   turns = simulate(Schedule::one_f_one_b, stages, micro_batches, 1);
      EXPECT_EQ(gpipe.ticks, ideal);
      EXPECT_EQ(turns.ticks, ideal);
      EXPECT_EQ(gpipe.most_kept, micro_batches);
      EXPECT_EQ(turns.most_kept, std::min(stages, micro_batches));
    }
  }
}

TEST(PipelineSchedule, InterleavingShrinksTheBubble) {
  for (const std::int64_t stages : {2, 3, 4}) {
    for (const std::int64_t chunks : {1, 2, 3}) {
      const std::int64_t micro_batches = 3 * stages;
      // A chunk's passes take 1 / chunks of a stage's: the bubble in ticks of a chunk stays 3 (stages - 1).
      EXPECT_EQ(simulate(Schedule::interleaved, stages, micro_batches, chunks).ticks, 3 * micro_batches * chunks + 3 * (stages - 1))
          << stages << " " << chunks;
    }
  }
  EXPECT_THROW(pipeline_schedule(Schedule::interleaved, 0, 4, 6, 2), UsageError);
  EXPECT_THROW(pipeline_schedule(Schedule::dualpipe, 0, 4, 8, 2), UsageError);
  EXPECT_THROW(pipeline_schedule(Schedule::gpipe, 0, 4, 8, 2), UsageError);
}

TEST(ContextSegments, CoverTheSequenceWithEqualWork) {
  for (const std::int64_t ranks : {1, 2, 4}) {
    std::set<std::int64_t> seen;
    std::set<std::int64_t> work;
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      std::int64_t pairs = 0, first = 0;
      for (const Segment& s : context_segments(64, ranks, rank)) {
        EXPECT_EQ(s.first, first);
        first += s.length;
        for (std::int64_t i = s.position; i < s.position + s.length; ++i) {
          EXPECT_TRUE(seen.insert(i).second);
          pairs += i + 1;
        }
      }
      EXPECT_EQ(first, 64 / ranks);
      work.insert(pairs);
    }
    EXPECT_EQ(seen.size(), 64u);
    EXPECT_EQ(work.size(), 1u);
  }
}

TEST(LearningRate, RisesThenFallsAlongAHalfCosine) {
  OptimizerSettings s;
  s.learning_rate = 1;
  s.least_learning_rate = 0.1;
  s.warmup_steps = 4;
  EXPECT_DOUBLE_EQ(learning_rate(s, 1, 20), 0.25);
  EXPECT_DOUBLE_EQ(learning_rate(s, 4, 20), 1);
  EXPECT_DOUBLE_EQ(learning_rate(s, 12, 20), 0.55);
  EXPECT_DOUBLE_EQ(learning_rate(s, 20, 20), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(s, 30, 20), 0.1);
}

}  // namespace
}  // namespace reckon::train
