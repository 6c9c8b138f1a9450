// Schedules: complete, free of deadlock, with the bubbles and the memory of their papers.
// SPDX-License-Identifier: Apache-2.0
#include "simulate/schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "simulate/replay.hpp"

namespace reckon {
namespace {

const Schedule all_schedules[]{Schedule::gpipe, Schedule::one_f_one_b, Schedule::interleaved, Schedule::zb_h1,
                               Schedule::zb_h2, Schedule::zb_v,        Schedule::dualpipe};

/// Equal stages: F, B and W seconds a stage and micro-batch, divided over its chunks.
PipelineTimes equal_times(const PipelineShape& s, double f, double b, double w, double transfer = 0) {
  PipelineTimes t;
  const double parts = s.layout == Layout::mirrored ? 1.0 : s.chunks;
  t.pass.assign(static_cast<std::size_t>(s.stages * s.chunks), {f / parts, b / parts, w / parts});
  t.transfer = transfer;
  return t;
}

PipelineTimeline run(Schedule schedule, int p, int v, int m, double f, double b, double w, double transfer = 0) {
  const PipelineShape shape = pipeline_shape(schedule, p, v, m);
  const PipelineTimes times = equal_times(shape, f, b, w, transfer);
  return replay(schedule_actions(shape, times), times);
}

/// Seconds of a step of unit passes beyond its work.
double bubble(Schedule schedule, int p, int v, int m) {
  const PipelineTimeline t = run(schedule, p, v, m, 1, 1, 1);
  return (without_barrier(schedule) ? t.period : t.makespan) - 3.0 * m;
}

TEST(Schedules, HoldEveryPassOnceAndNeverWaitForThemselves) {
  for (const Schedule schedule : all_schedules)
    for (const int p : {1, 2, 3, 4, 7, 8})
      for (const int v : {1, 2, 3})
        for (const int m : {1, 2, 3, 5, 8, 13, 16, 24}) {
          const PipelineShape shape = pipeline_shape(schedule, p, v, m);
          const PipelineTimes times = equal_times(shape, 1.0, 1.1, 0.7, 0.05);
          const PipelineSchedule s = schedule_actions(shape, times);
          std::set<std::tuple<int, int, int>> seen;  // place or chunk by kind, and micro-batch
          std::size_t actions = 0;
          for (int i = 0; i < shape.stages; ++i)
            for (const Action& a : s.order[static_cast<std::size_t>(i)]) {
              const int direction = shape.layout == Layout::mirrored ? a.chunk : 0;
              ASSERT_EQ(shape.direction_of(a.micro_batch), direction);
              seen.emplace(static_cast<int>(a.kind), shape.place_of(i, a.chunk) * 2 + direction, a.micro_batch);
              ++actions;
            }
          const auto places = static_cast<std::size_t>(shape.places() * m);
          std::size_t weights = 0;
          for (const auto& [kind, place, micro_batch] : seen) weights += kind == static_cast<int>(ActionKind::weight);
          ASSERT_EQ(seen.size(), actions) << name_of(schedule) << " p " << p << " v " << v << " m " << m;
          ASSERT_EQ(actions, 2 * places + weights);
          const bool all_split = shape.splits_backward && schedule != Schedule::dualpipe;
          ASSERT_TRUE(!all_split || weights == places);
          ASSERT_GT(replay(s, times).makespan, 0.0);
        }
}

TEST(Schedules, PlainPipelinesHaveTheTextbookBubble) {
  // (p - 1)(F + B + W), Huang et al. 2019 and Narayanan et al. 2021; interleaving divides it by v
  for (const int p : {2, 4, 8})
    for (const int m : {8, 16, 32}) {
      EXPECT_NEAR(bubble(Schedule::gpipe, p, 1, m), 3.0 * (p - 1), 1e-9);
      EXPECT_NEAR(bubble(Schedule::one_f_one_b, p, 1, m), 3.0 * (p - 1), 1e-9);
      for (const int v : {2, 3, 4}) EXPECT_NEAR(bubble(Schedule::interleaved, p, v, m), 3.0 * (p - 1) / v, 1e-9);
    }
}

TEST(Schedules, ZeroBubbleSchedulesHaveTheBubbleOfTheirPapers) {
  // Qi et al. 2023, table 1, for F = B = W: H1 (p - 1)(F + B - W), H2 (p - 1)(F + B - 2 W) = 0; ZB-V 0;
  // DeepSeek-AI 2024, table 2: DualPipe (p / 2 - 1)(F&B + B - 3 W) with F&B = F + B + W and B = 2
  for (const int p : {2, 4, 8})
    for (const int m : {2 * p, 4 * p}) {
      EXPECT_NEAR(bubble(Schedule::zb_h1, p, 1, m), p - 1.0, 1e-9);
      EXPECT_NEAR(bubble(Schedule::zb_h2, p, 1, m), 0.0, 1e-9);
      EXPECT_NEAR(bubble(Schedule::zb_v, p, 2, m), 0.0, 1e-9);
      EXPECT_NEAR(bubble(Schedule::dualpipe, p, 2, m), 2.0 * (p / 2 - 1), 1e-9);
    }
}

TEST(Schedules, HoldTheActivationsOfTheirPapers) {
  const auto peak = [](Schedule schedule, int p, int v, int m) {
    const PipelineShape shape = pipeline_shape(schedule, p, v, m);
    const std::vector<double> all = peak_micro_batches(run(schedule, p, v, m, 1, 1, 1), shape);
    return *std::max_element(all.begin(), all.end());
  };
  EXPECT_DOUBLE_EQ(peak(Schedule::gpipe, 4, 1, 16), 16.0);
  EXPECT_DOUBLE_EQ(peak(Schedule::one_f_one_b, 4, 1, 16), 4.0);
  EXPECT_DOUBLE_EQ(peak(Schedule::interleaved, 4, 2, 16), 5.5);  // p (1 + (p - 1) / (p v)), Korthikanti et al. 2022
  EXPECT_DOUBLE_EQ(peak(Schedule::zb_h1, 4, 1, 16), 4.0);
  EXPECT_LE(peak(Schedule::zb_h2, 4, 1, 16), 8.0);
  EXPECT_DOUBLE_EQ(peak(Schedule::zb_v, 4, 2, 16), 4.0);
  EXPECT_DOUBLE_EQ(peak(Schedule::dualpipe, 4, 2, 16), 5.0);  // p + 1
}

/// Qi et al. 2023, tables 5 (bubble rates) and 6 (profiled milliseconds).
struct PaperRow {
  int p, m;
  double f, b, w, transfer, one_f_one_b, zb_1p, zb_2p;
};
const PaperRow zero_bubble_paper[]{
    {8, 24, 18.522, 18.086, 9.337, 0.601, 0.2431, 0.1585, 0.0433},   {8, 32, 18.513, 18.086, 9.331, 0.626, 0.1985, 0.1242, 0.0039},
    {8, 64, 18.546, 18.097, 9.321, 0.762, 0.1240, 0.0674, 0.0026},   {8, 24, 29.718, 29.444, 19.927, 0.527, 0.2347, 0.1323, 0.0029},
    {8, 32, 29.802, 29.428, 19.530, 0.577, 0.1898, 0.1045, 0.0022},  {8, 64, 29.935, 29.621, 19.388, 0.535, 0.1091, 0.0554, 0.0010},
    {16, 48, 11.347, 11.248, 8.132, 0.377, 0.2552, 0.1397, 0.0066},  {16, 64, 11.307, 11.254, 8.101, 0.379, 0.2082, 0.1088, 0.0054},
    {16, 128, 11.325, 11.308, 8.109, 0.378, 0.1251, 0.0576, 0.0028}, {32, 96, 10.419, 10.207, 7.715, 0.408, 0.2646, 0.1421, 0.0038},
    {32, 128, 10.408, 10.204, 7.703, 0.408, 0.2168, 0.1106, 0.0029}};

TEST(Schedules, ReproduceTheBubbleRatesOfTheZeroBubblePaper) {
  for (const PaperRow& row : zero_bubble_paper) {
    const double work = row.m * (row.f + row.b + row.w);
    const auto rate = [&](Schedule schedule) {
      const PipelineTimeline t = run(schedule, row.p, 1, row.m, row.f, row.b, row.w, row.transfer);
      const double cost = without_barrier(schedule) ? t.period : t.makespan;
      return (cost - work) / cost;
    };
    EXPECT_NEAR(rate(Schedule::one_f_one_b), row.one_f_one_b, 0.0001) << row.p << " stages, " << row.m << " micro-batches";
    EXPECT_NEAR(rate(Schedule::zb_h1), row.zb_1p, 0.0008) << row.p << " stages, " << row.m << " micro-batches";
    EXPECT_NEAR(rate(Schedule::zb_h2), row.zb_2p, 0.0015) << row.p << " stages, " << row.m << " micro-batches";
  }
}

TEST(Replay, WaitingTransfersLengthenEveryPass) {
  // one micro-batch through two stages: 2 (F + x) + 2 (B + W + x) = 2 x 1.5 + 2 x 2.5
  const PipelineShape shape = pipeline_shape(Schedule::one_f_one_b, 2, 1, 1);
  PipelineTimes times = equal_times(shape, 1, 1, 1, 0.5);
  times.transfer_blocks = true;
  EXPECT_DOUBLE_EQ(replay(schedule_actions(shape, times), times).makespan, 8.0);
  // as messages beside the work they count on the way down and up only: 2 + 0.5 + 4 + 0.5
  times.transfer_blocks = false;
  EXPECT_DOUBLE_EQ(replay(schedule_actions(shape, times), times).makespan, 7.0);
}

TEST(Replay, SlowStageSetsThePace) {
  // three stages of 3 s, the middle one takes 6 s.  It starts at 1, runs F0 and F1 until 5, waits for the last stage (F0, B0: 3 to 6), then
  // runs 8 B and 6 F without a gap: 6 + 8 x 4 + 6 x 2 = 50; the first stage's last backward ends at 52
  const PipelineShape shape = pipeline_shape(Schedule::one_f_one_b, 3, 1, 8);
  PipelineTimes times = equal_times(shape, 1, 1, 1);
  times.pass[1] = {2, 2, 2};
  EXPECT_DOUBLE_EQ(replay(schedule_actions(shape, times), times).makespan, 52.0);
}

}  // namespace
}  // namespace reckon
