// Gradient reductions on shared links.
// SPDX-License-Identifier: Apache-2.0
#include "simulate/contention.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "../cost/scene.hpp"

namespace reckon {
namespace {

/// 256 devices: tensor 8, pipeline 2, data 16; gradients are not overlapped, so that all of their time shows.
struct Reductions : Case {
  LinkCalibration links;
  Reductions() {
    strategy.tensor_parallel = 8, strategy.sequence_parallel = true;
    strategy.pipeline_parallel = 2, strategy.schedule = Schedule::one_f_one_b;
    strategy.data_parallel = 16;
    strategy.sharding = Sharding::none;
    strategy.global_batch_size = 64;
    stack.facts.overlap_gradients = false;
    links = link_calibration(shipped().set.links, cluster.device, cluster.fabric);
  }
  Job job() const { return {&architecture, &cluster, &shipped().set.device(cluster.device.id), &links, &stack, task, strategy}; }
  Contention run(bool scatter) const {
    const StepPlan plan = step_plan(job());
    return simulate_contention(plan, simulate_step(plan), job(), scatter, 1);
  }
};

TEST(Contention, NothingIsAddedWhereLinksAreNotShared) {
  Reductions r;
  r.cluster.fabric.nodes_per_leaf = 4;
  r.cluster.fabric.oversubscription = 1.0;
  EXPECT_NEAR(r.run(false).added, 0.0, 1e-9);
  EXPECT_NEAR(r.run(true).added, 0.0, 1e-9);  // full bisection
}

TEST(Contention, OversubscriptionCostsWhereRingsCrossTheSpine) {
  Reductions r;
  r.cluster.fabric.nodes_per_leaf = 4;
  r.cluster.fabric.oversubscription = 16.0;  // four NICs of a leaf share a quarter of one
  const double side_by_side = r.run(false).added, scattered = r.run(true).added;
  EXPECT_GT(side_by_side, 0.0);
  EXPECT_GT(scattered, side_by_side * 1.5);  // more edges of the rings leave their leaf
  const Contention c = r.run(true);
  ASSERT_FALSE(c.loads.empty());
  EXPECT_NE(c.loads[0].link.find("spine"), std::string::npos);
  EXPECT_LE(c.loads[0].share, 1.0 + 1e-9);
}

TEST(Contention, NoDataParallelismNoContention) {
  Reductions r;
  r.strategy.data_parallel = 1;
  r.strategy.global_batch_size = 8;
  EXPECT_EQ(r.run(true).added, 0.0);
}

TEST(MessageContention, PipelinesOfALeafShareItsWayToTheSpine) {
  // stages of 16 nodes, leaves of 4 nodes at 4 : 1: every NIC of a leaf sends over the spine, which carries a quarter of them
  Reductions r;
  r.cluster.fabric.nodes_per_leaf = 4;
  r.cluster.fabric.oversubscription = 4.0;
  const Contention c = r.run(false);
  ASSERT_EQ(c.messages.size(), 2u);  // tensor, pipeline
  EXPECT_EQ(c.messages[0].stream, Stream::tensor);
  EXPECT_DOUBLE_EQ(c.messages[0].slowdown, 1.0);  // inside the node
  EXPECT_EQ(c.messages[1].stream, Stream::pipeline);
  EXPECT_NEAR(c.messages[1].slowdown, 4.0, 1e-9);
  EXPECT_GT(c.added_messages, 0.0);
  r.cluster.fabric.oversubscription = 1.0;
  EXPECT_DOUBLE_EQ(r.run(false).messages[1].slowdown, 1.0);
  EXPECT_DOUBLE_EQ(r.run(false).added_messages, 0.0);
}

TEST(MessageContention, SlowerMessagesLengthenThePassesTheyStickOutOf) {
  Reductions r;
  const StepPlan plan = step_plan(r.job());
  const StepPlan slower = with_slower_messages(plan, {{Stream::tensor, 2.0, 1}});
  double exposed = 0;
  for (const Piece& p : plan.chunks[0].forward)
    if (p.stream == Stream::tensor) exposed += std::max(p.beside, 2.0 * p.message) - std::max(p.beside, p.message);
  const double longer = slower.times.pass[0].forward - plan.times.pass[0].forward;
  EXPECT_NEAR(longer, exposed, 1e-12);
  EXPECT_EQ(slower.times.transfer, plan.times.transfer);
}

}  // namespace
}  // namespace reckon
