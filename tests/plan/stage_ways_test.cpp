// SPDX-License-Identifier: Apache-2.0
#include "plan/stage_ways.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "cost/step_terms.hpp"
#include "random_question.hpp"

namespace reckon {
namespace {

/// Of layers first to last.
template <class Q>
double part(const std::vector<Q>& values, std::size_t first, std::size_t count) {
  double out = 0;
  for (std::size_t l = first; l < first + count; ++l) out += values[l].base();
  return out;
}

TEST(StageWays, LayersAddUpToTheStagesOfPredict) {
  std::int64_t compared = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const RandomQuestion asked(3000 + seed);
    for_each_block(asked.question, asked.devices, [&](const StrategyBlock& block) {
      if (compared > 4000 || block.base.pipeline_parallel == 1 || block.base.recompute == Recompute::modules) return;
      const Job job = asked.question.job(block.at(0, 0, 0));
      if (job.strategy.recompute_layers > 0 || job.strategy.offload_activations) return;
      const PricedModel priced = price_model(job);
      const Bytes usable = asked.question.usable_memory();

      const StageWay way = stage_way(job, 0, usable);

      EXPECT_EQ(way.devices * job.strategy.pipeline_parallel, job.strategy.num_devices());
      std::size_t first = 0;
      std::int64_t index = 0;
      for (const Stage& stage : stages_of(priced.lowered, job.strategy)) {
        const auto count = static_cast<std::size_t>(stage.layers);
        const double time = stage_time(stage, priced, job.strategy).total().base();
        ASSERT_NEAR(part(way.time, first, count), time, 1e-9 * time) << seed << " " << describe(job.strategy);
        // what a way leaves of the memory is never more than predict leaves: workspace is the largest of all layers, not of the stage's
        const double flight = held_micro_batches(job.strategy, index);
        const double left = way.capacity.base() - part(way.state, first, count) - part(way.activations, first, count) * flight;
        const double predicted = (usable - stage_footprint(job, priced.lowered, stage, index).total()).base();
        ASSERT_LE(left, predicted + 1e-6 * std::abs(predicted)) << seed << " " << describe(job.strategy);
        ASSERT_GE(left, predicted - 0.2 * usable.base()) << seed << " " << describe(job.strategy);
        first += count;
        ++index;
        ++compared;
      }
    });
  }
  EXPECT_GT(compared, 500);
}

}  // namespace
}  // namespace reckon
