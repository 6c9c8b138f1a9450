// Gradient reductions on shared links.
// SPDX-License-Identifier: Apache-2.0
#include "simulate/contention.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace reckon
