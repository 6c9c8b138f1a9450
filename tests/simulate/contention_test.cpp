// Messages on shared links: by arithmetic, and against the step whose messages share nothing.
// SPDX-License-Identifier: Apache-2.0
#include "simulate/contention.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "random_strategies.hpp"
#include "simulate/shared_step.hpp"

namespace reckon {
namespace {

/// 256 devices: tensor 8, pipeline 2, data 16; gradients are not overlapped, so that all of their time shows.
struct Reductions : Case {
  LinkCalibration links;
  ClusterLayout layout;
  Reductions() {
    strategy.tensor_parallel = 8, strategy.sequence_parallel = true;
    strategy.pipeline_parallel = 2, strategy.schedule = Schedule::one_f_one_b;
    strategy.data_parallel = 16;
    strategy.sharding = Sharding::none;
    strategy.global_batch_size = 64;
    stack.facts.overlap_gradients = false;
    links = link_calibration(shipped().set.links, cluster.device, cluster.fabric, stack.facts);
  }
  Job job() const { return {&architecture, &cluster, &shipped().set.device(cluster.device.id), &links, &stack, task, strategy}; }
  Contention run(bool scatter) const { return simulate_contention(job(), {scatter, 1, layout.torus}); }
  SharedStep shared(Sharing sharing) const {
    const StepPlan plan = step_plan(job());
    return simulate_shared(plan, simulate_step(plan), LinkUse(job(), plan.shape, layout), links, sharing);
  }
};

double slowdown_of(const SharedStep& step, Stream stream) { return step.use[static_cast<int>(stream)].slowdown(); }

TEST(SharedStep, IsTheFoldedStepWhereNothingIsShared) {
  RandomJobs jobs(31);
  int pipelines = 0;
  for (int n = 0; n < 80; ++n) {
    const Job job = jobs.next({Schedule::gpipe, Schedule::one_f_one_b, Schedule::interleaved, Schedule::zb_h1, Schedule::zb_h2,
                               Schedule::zb_v, Schedule::dualpipe});
    if (job.strategy.num_devices() > 1024) continue;
    const StepPlan plan = step_plan(job);
    const StepSimulation calm = simulate_step(plan);
    const SharedStep step = simulate_shared(plan, calm, LinkUse(job, plan.shape, {}), *job.links, Sharing::none);
    ASSERT_NEAR(step.seconds / (calm.seconds.total() - calm.seconds.jitter), 1.0, 1e-9) << describe(job.strategy);
    for (std::size_t i = 0; i < calm.reduce_end.size(); ++i) ASSERT_NEAR(step.reduce_end[i] / calm.reduce_end[i], 1.0, 1e-9);
    pipelines += job.strategy.pipeline_parallel > 1;
  }
  EXPECT_GT(pipelines, 20);
}

TEST(SharedStep, SharingNeverSpeedsAMessageUp) {
  RandomJobs jobs(32);
  for (int n = 0; n < 40; ++n) {
    const Job job = jobs.next({Schedule::one_f_one_b, Schedule::interleaved, Schedule::dualpipe});
    if (job.strategy.num_devices() > 512) continue;
    const StepPlan plan = step_plan(job);
    const SharedStep step = simulate_shared(plan, simulate_step(plan), LinkUse(job, plan.shape, {}), *job.links, Sharing::all);
    for (int s = 0; s < num_streams; ++s) ASSERT_GE(step.use[s].slowdown(), 1.0 - 1e-9) << describe(job.strategy);
    for (const ClassLoad& l : step.loads) ASSERT_LE(l.share, 1.0 + 1e-9);
  }
}

TEST(SharedStep, AReductionAndATransferMeetOnTheNic) {
  // Two stages of two devices, each with a NIC of 100 B/s; two micro-batches of 2 s there and 2 s back; a transfer of 100 B (1 s).  Stage 1
  // reduces 400 B of gradients (4 s; 3 of them before its end at 11).  Alone: stage 0 runs 0-4, its backward passes 8-10 and 12-14.
  // Shared: at 11 the last gradient leaves beside 100 B that the reduction still has; each gets 50 B/s and both end at 13; stage 0 ends
  // at 15.
  Case c;
  c.cluster.node.devices_per_node = c.cluster.node.nics_per_node = c.cluster.node.scale_up_domain = 1;
  c.cluster.fabric.nic_bandwidth = BytesPerSecond{100};
  c.cluster.fabric.nodes_per_leaf = 0;
  c.strategy.pipeline_parallel = 2, c.strategy.schedule = Schedule::one_f_one_b;
  c.strategy.data_parallel = 2;
  LinkCalibration links;
  links.fabric.ring_efficiency = links.fabric.point_to_point_efficiency = 1.0;
  const Job job{&c.architecture, &c.cluster, nullptr, &links, &c.stack, c.task, c.strategy};

  StepPlan plan;
  plan.shape = pipeline_shape(Schedule::one_f_one_b, 2, 1, 2);
  const ChunkWork work{{{.before = 2}}, {{.before = 1}}, {{.before = 1}}, {{.before = 2}}};
  plan.chunks = {work, work};
  plan.times.pass = {{2, 1, 1}, {2, 1, 1}};
  plan.times.transfer = 1;
  plan.boundary_bytes = 100;
  plan.finish.resize(2);
  plan.finish[1].reduce = 4, plan.finish[1].exposed_reduce = 1, plan.finish[1].reduce_bytes = 400;
  plan.holds.resize(2);
  plan.ranks[static_cast<int>(Stream::data)] = 2;
  plan.ranks[static_cast<int>(Stream::pipeline)] = 2;

  const StepSimulation calm = simulate_step(plan);
  EXPECT_DOUBLE_EQ(calm.timeline.makespan, 14.0);
  const LinkUse use(job, plan.shape, {});
  const auto run = [&](Sharing sharing) { return simulate_shared(plan, calm, use, links, sharing); };
  for (const Sharing alone : {Sharing::none, Sharing::model_parallel, Sharing::data_parallel}) {
    EXPECT_DOUBLE_EQ(run(alone).seconds, 14.0);
    EXPECT_DOUBLE_EQ(run(alone).reduce_end[1], 12.0);
  }
  EXPECT_DOUBLE_EQ(run(Sharing::all).seconds, 15.0);
  EXPECT_DOUBLE_EQ(run(Sharing::all).reduce_end[1], 13.0);
  EXPECT_DOUBLE_EQ(slowdown_of(run(Sharing::all), Stream::pipeline), 5.0 / 4.0);  // four transfers of 1 s, one of them takes 2
  EXPECT_DOUBLE_EQ(slowdown_of(run(Sharing::all), Stream::data), 5.0 / 4.0);
}

TEST(Contention, AKindByItselfAddsNothingWhereItsLinksAreNotShared) {
  Reductions r;
  r.cluster.fabric.nodes_per_leaf = 4;
  r.cluster.fabric.oversubscription = 1.0;
  for (const bool scatter : {false, true}) {  // full bisection: the place does not matter
    EXPECT_EQ(r.run(scatter).added_data, 0.0);
    EXPECT_EQ(r.run(scatter).added_model, 0.0);
  }
  r.cluster.node.nics_per_node = 1;  // eight devices share it, and the closed form's times say so already
  EXPECT_EQ(r.run(false).added_data, 0.0);
  EXPECT_EQ(r.run(false).added_model, 0.0);
}

TEST(Contention, HiddenReductionsSlowTransfersDown) {
  Reductions r;
  r.stack.facts.overlap_gradients = true;
  const Contention c = r.run(false);
  EXPECT_GT(c.added, c.added_data + c.added_model);
  const auto pipeline = std::find_if(c.messages.begin(), c.messages.end(), [](const auto& m) { return m.stream == Stream::pipeline; });
  ASSERT_NE(pipeline, c.messages.end());
  EXPECT_GT(pipeline->slowdown, 1.0);
  EXPECT_LT(pipeline->slowdown, 2.0);  // two flows on a NIC, and not all of the time
}

TEST(Contention, OversubscriptionCostsWhereRingsCrossTheSpine) {
  Reductions r;
  r.cluster.fabric.nodes_per_leaf = 4;
  r.cluster.fabric.oversubscription = 16.0;  // four NICs of a leaf share a quarter of one
  const double side_by_side = r.run(false).added_data, scattered = r.run(true).added_data;
  EXPECT_GT(side_by_side, 0.0);
  EXPECT_GT(scattered, side_by_side * 1.5);  // more edges of the rings leave their leaf
  const Contention c = r.run(true);
  ASSERT_FALSE(c.loads.empty());
  EXPECT_NE(c.loads[0].link.find("spine"), std::string::npos);
  EXPECT_LE(c.loads[0].share, 1.0 + 1e-9);
}

TEST(Contention, NoDataParallelismNoReductions) {
  Reductions r;
  r.strategy.data_parallel = 1;
  r.strategy.global_batch_size = 8;
  EXPECT_EQ(r.run(true).added_data, 0.0);
}

TEST(Contention, PipelinesOfALeafShareItsWayToTheSpine) {
  // stages of 16 nodes, leaves of 4 nodes at 16 : 1: every NIC of a leaf sends over the spine, which carries a 16th of them.  Alone a
  // message reaches the NIC's rate times its efficiency, less a latency; on the spine its bytes take 16 times as long as on a NIC.
  Reductions r;
  r.cluster.fabric.nodes_per_leaf = 4;
  r.cluster.fabric.oversubscription = 16.0;
  r.stack.constants.tensor_slowdown = 0.8;  // whatever the fit says of it
  const StepPlan plan = step_plan(r.job());
  const double wire = plan.boundary_bytes / r.links.fabric.point_to_point_efficiency;
  const double expected = 16.0 * wire / r.cluster.fabric.nic_bandwidth.base();
  const double nics = static_cast<double>(r.cluster.node.nics_per_node) / static_cast<double>(r.cluster.node.devices_per_node);
  ASSERT_DOUBLE_EQ(nics, 1.0);
  ASSERT_GT(expected, plan.times.transfer);
  const SharedStep step = r.shared(Sharing::model_parallel);
  EXPECT_NEAR(slowdown_of(step, Stream::pipeline), expected / plan.times.transfer, 1e-6);
  EXPECT_NEAR(slowdown_of(step, Stream::tensor), 1.0, 1e-9);  // inside the node
  EXPECT_GT(r.run(false).added_model, 0.0);
  r.cluster.fabric.oversubscription = 1.0;
  EXPECT_NEAR(slowdown_of(r.shared(Sharing::model_parallel), Stream::pipeline), 1.0, 1e-9);
}

TEST(Contention, GroupsOnATorusMeetWhereTheyUseTheSameDimension) {
  Reductions r;
  r.cluster = shipped().catalog.cluster_for("tpu-v4");
  r.links = link_calibration(shipped().set.links, r.cluster.device, r.cluster.fabric, r.stack.facts);
  r.strategy.pipeline_parallel = 1, r.strategy.schedule = Schedule::none;
  r.strategy.tensor_parallel = 4, r.strategy.data_parallel = 4;
  r.stack.facts.overlap_gradients = true;
  r.layout.torus = {4, 4};  // tensor groups along the rows, data groups along the columns
  const SharedStep apart = r.shared(Sharing::all);
  EXPECT_NEAR(slowdown_of(apart, Stream::tensor), 1.0, 1e-9);
  EXPECT_NEAR(slowdown_of(apart, Stream::data), 1.0, 1e-9);
  r.layout.torus = {16};  // all on one ring
  EXPECT_GT(slowdown_of(r.shared(Sharing::all), Stream::tensor), 1.01);
  EXPECT_NE(r.run(false).loads.at(0).link.find("dimension 0"), std::string::npos);
  r.layout.torus = {4, 3};
  EXPECT_THROW(r.run(false), UsageError);
}

}  // namespace
}  // namespace reckon
