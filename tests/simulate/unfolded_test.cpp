// Every device's step: the folded one when nothing disturbs, arithmetic when something does.
// SPDX-License-Identifier: Apache-2.0
#include "simulate/unfolded.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <thread>

#include "random_strategies.hpp"
#include "simulate/device_order.hpp"
#include "simulate/step_simulation.hpp"

namespace reckon {
namespace {

double folded(const StepPlan& plan) {
  const StepSimulation s = simulate_step(plan);
  return s.seconds.total() - s.seconds.jitter;
}

/// `ranks` threads in place of processes.
std::vector<UnfoldedStep> on_ranks(const StepPlan& plan, const Strategy& s, const Disturbance& d, std::int64_t ranks) {
  std::vector<UnfoldedStep> out(static_cast<std::size_t>(ranks));
  std::vector<std::vector<double>*> boards(out.size());
  std::barrier meet(ranks);
  std::vector<std::thread> threads;
  for (std::int64_t r = 0; r < ranks; ++r)
    threads.emplace_back([&, r] {
      const auto all_max = [&](std::vector<double>& values) {
        boards[static_cast<std::size_t>(r)] = &values;
        meet.arrive_and_wait();
        std::vector<double> largest = values;
        for (const std::vector<double>* other : boards)
          for (std::size_t k = 0; k < largest.size(); ++k) largest[k] = std::max(largest[k], (*other)[k]);
        meet.arrive_and_wait();
        values = largest;
      };
      out[static_cast<std::size_t>(r)] = simulate_unfolded(plan, s, d, {r, ranks, all_max});
    });
  for (std::thread& t : threads) t.join();
  return out;
}

TEST(Unfolded, EqualsTheFoldedStepWhenNothingDisturbs) {
  RandomJobs jobs(21);
  for (int i = 0; i < 60; ++i) {
    const Job job =
        jobs.next({Schedule::gpipe, Schedule::one_f_one_b, Schedule::interleaved, Schedule::zb_h1, Schedule::zb_v, Schedule::dualpipe});
    if (job.strategy.num_devices() > 2048) continue;
    const StepPlan plan = step_plan(job);
    const UnfoldedStep u = simulate_unfolded(plan, job.strategy, {});
    ASSERT_NEAR(u.seconds / folded(plan), 1.0, 1e-3) << describe(job.strategy);  // largest optimiser and gather need not be of one stage
    const PipelineTimeline folded_time = simulate_step(plan).timeline;
    const double expected = without_barrier(plan.shape.schedule) ? folded_time.period : folded_time.makespan;
    ASSERT_NEAR(u.pipeline / expected, 1.0, 1e-9) << describe(job.strategy);
  }
}

/// 1,024 devices: tensor 8, pipeline 4, data 32.
struct Scene1024 : Case {
  LinkCalibration links = link_calibration(shipped().set.links, cluster.device, cluster.fabric, stack.facts);
  Scene1024() {
    strategy.tensor_parallel = 8;
    strategy.sequence_parallel = true;
    strategy.pipeline_parallel = 4;
    strategy.schedule = Schedule::one_f_one_b;
    strategy.data_parallel = 32;
    strategy.global_batch_size = 32 * 16;
  }
  StepPlan plan() const {
    return step_plan(Job{&architecture, &cluster, &shipped().set.device(cluster.device.id), &links, &stack, task, strategy});
  }
};

TEST(Unfolded, StragglerSlowsTheStepByWhatTheScheduleSays) {
  const Scene1024 scene;
  const StepPlan plan = scene.plan();
  const double calm = simulate_unfolded(plan, scene.strategy, {}).seconds;
  for (const std::int64_t stage : {0, 1, 3}) {
    Disturbance d;
    d.devices = {{8 * 32 * stage + 13, 1, 0.10}};  // one device of the stage
    const UnfoldedStep slow = simulate_unfolded(plan, scene.strategy, d);
    // the same by hand: its tensor group waits for it in every piece, so that its stage's compute takes a tenth longer
    StepPlan longer = plan;
    ChunkWork& c = longer.chunks[static_cast<std::size_t>(stage)];
    for (std::vector<Piece>* pass : {&c.forward, &c.backward, &c.weight, &c.whole})
      for (Piece& p : *pass) p.before *= 1.1, p.beside *= 1.1;
    longer.times.pass[static_cast<std::size_t>(stage)] = {seconds_of(c.forward), seconds_of(c.backward),
                                                          seconds_of(c.whole) - seconds_of(c.backward)};
    const double pipeline = replay(schedule_actions(longer.shape, longer.times), longer.times).makespan;
    EXPECT_NEAR(slow.pipeline / pipeline, 1.0, 1e-9) << "stage " << stage;
    // the last stage has the head and sets the pace; the others hide most of it in their waits
    EXPECT_GT(slow.seconds, calm * (stage == 3 ? 1.05 : 1.0));
    EXPECT_LT(slow.seconds, calm * (stage == 3 ? 1.101 : 1.05));
  }
}

TEST(Unfolded, SlowNodeAndSlowLinkReachOnlyWhatWaitsForThem) {
  const Scene1024 scene;
  const StepPlan plan = scene.plan();
  const double calm = simulate_unfolded(plan, scene.strategy, {}).seconds;
  Disturbance node;
  node.devices = {{64, 8, 0.2}};
  Disturbance device;
  device.devices = {{64, 1, 0.2}};
  // a tensor group fills the node: one slow device is as bad as eight
  EXPECT_DOUBLE_EQ(simulate_unfolded(plan, scene.strategy, node).pipeline, simulate_unfolded(plan, scene.strategy, device).pipeline);
  Disturbance link;
  link.links = {{64, 8, 1.0}};
  EXPECT_GT(simulate_unfolded(plan, scene.strategy, link).seconds, calm);
}

TEST(Unfolded, SlowDevicesAreWhereTheOrderOfGroupsPutsThem) {
  // device 8 is in the first stage when a stage's replicas are neighbours, in the second when the stages are
  Scene1024 scene;
  const StepPlan plan = scene.plan();
  Disturbance near, far;
  near.devices = {{8, 1, 0.5}};
  far.devices = {{8 * 32, 1, 0.5}};
  const double second_stage = simulate_unfolded(plan, scene.strategy, far).pipeline;
  EXPECT_NE(simulate_unfolded(plan, scene.strategy, near).pipeline, second_stage);
  scene.strategy.order = GroupOrder::pipeline_inside;
  EXPECT_EQ(simulate_unfolded(plan, scene.strategy, near).pipeline, second_stage);
  const DeviceOrder order(scene.strategy);
  for (const std::int64_t d : {0, 7, 8, 31, 32, 500, 1023}) EXPECT_EQ(order.number(order.by_stage(d) / 256, order.by_stage(d) % 256), d);
}

TEST(Unfolded, NoiseCostsTime) {
  const Scene1024 scene;
  const StepPlan plan = scene.plan();
  Disturbance d;
  const double calm = simulate_unfolded(plan, scene.strategy, d).seconds;
  d.jitter = 0.02;
  const double noisy = simulate_unfolded(plan, scene.strategy, d).seconds;
  EXPECT_GT(noisy, calm * 1.01);
  EXPECT_LT(noisy, calm * 1.12);
  d.seed = 2;
  EXPECT_NE(simulate_unfolded(plan, scene.strategy, d).seconds, noisy);
}

TEST(Unfolded, SameBitsOnAnyNumberOfProcesses) {
  for (const Sharding sharding : {Sharding::zero1, Sharding::zero3}) {
    Scene1024 scene;
    scene.strategy.sharding = sharding;
    if (sharding == Sharding::zero3) scene.strategy.data_parallel = 8, scene.strategy.global_batch_size = 8 * 4;
    const StepPlan plan = scene.plan();
    Disturbance d;
    d.jitter = 0.03;
    d.devices = {{5, 1, 0.1}};
    const UnfoldedStep one = simulate_unfolded(plan, scene.strategy, d);
    for (const std::int64_t ranks : {2, 4})
      for (const UnfoldedStep& other : on_ranks(plan, scene.strategy, d, ranks)) {
        EXPECT_EQ(other.seconds, one.seconds);
        EXPECT_EQ(other.stage_end, one.stage_end);
        EXPECT_EQ(other.tasks, one.tasks);
      }
  }
}

TEST(Unfolded, RefusesDevicesThatAreNotThere) {
  const Scene1024 scene;
  Disturbance d;
  d.devices = {{1024, 1, 0.1}};
  EXPECT_THROW(simulate_unfolded(scene.plan(), scene.strategy, d), UsageError);
}

}  // namespace
}  // namespace reckon
