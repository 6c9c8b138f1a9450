// Textbook bubbles and stages, by hand.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cost/step_cost.hpp"

namespace reckon {
namespace {

LoweredModel layers(std::int64_t n) {
  LoweredModel m;
  m.kinds.resize(1);
  m.order.assign(static_cast<std::size_t>(n), 0);
  return m;
}

std::vector<std::int64_t> sizes(const std::vector<Stage>& stages) {
  std::vector<std::int64_t> out;
  for (const Stage& s : stages) out.push_back(s.layers);
  return out;
}

/// Equal stages with F = 1, B (input) = 1, W = 1.
std::vector<LayerTime> equal_stages(std::size_t p) {
  LayerTime t;
  t.forward = t.backward_input = t.backward_weight = Seconds{1.0};
  return std::vector<LayerTime>(p, t);
}

TEST(Stages, DivideEvenlyWhereTheyCan) { EXPECT_EQ(sizes(stages_of(layers(8), 4)), (std::vector<std::int64_t>{2, 2, 2, 2})); }

TEST(Stages, FirstAndLastHoldOneFewerWhenThatDivides) {
  // zero-bubble paper: 22 layers on 8 stages
  EXPECT_EQ(sizes(stages_of(layers(22), 8)), (std::vector<std::int64_t>{2, 3, 3, 3, 3, 3, 3, 2}));
}

TEST(Stages, LeftoverLayersAvoidTheEmbeddingStage) { EXPECT_EQ(sizes(stages_of(layers(7), 3)), (std::vector<std::int64_t>{2, 3, 2})); }

TEST(Stages, HoldEveryLayerOnce) {
  for (std::int64_t n = 1; n < 60; ++n)
    for (std::int64_t p = 1; p <= n; ++p) {
      std::int64_t sum = 0;
      for (const Stage& s : stages_of(layers(n), p)) sum += s.layers;
      ASSERT_EQ(sum, n) << n << " layers, " << p << " stages";
    }
}

TEST(Stages, BalancedOnesCountTheHead) {
  LoweredModel m = layers(16);
  m.balanced_stages = true;
  m.kinds[0].matrix_parameters = 1.0;
  m.after.matrix_parameters = 4.0;  // the head weighs four layers: (16 + 4) / 2 = 10 on each stage
  EXPECT_EQ(sizes(stages_of(m, 2)), (std::vector<std::int64_t>{10, 6}));
  for (std::int64_t p = 1; p <= 16; ++p) {
    std::int64_t sum = 0;
    for (const Stage& s : stages_of(m, p)) {
      EXPECT_GE(s.layers, 1) << p;
      sum += s.layers;
    }
    EXPECT_EQ(sum, 16) << p;
  }
}

TEST(Bubble, OneStageHasNone) {
  EXPECT_EQ(pipeline_bubble(Schedule::none, equal_stages(1), 1, 8), Seconds{});
}

TEST(Bubble, OneForwardOneBackwardWaitsPMinusOneMicroBatches) {
  // (p - 1)(F + B + W) = 3 x 3 s, whatever the number of micro-batches; GPipe the same
  EXPECT_DOUBLE_EQ(pipeline_bubble(Schedule::one_f_one_b, equal_stages(4), 1, 16).base(), 9.0);
  EXPECT_DOUBLE_EQ(pipeline_bubble(Schedule::gpipe, equal_stages(4), 1, 16).base(), 9.0);
}

TEST(Bubble, InterleavingDividesByTheVirtualStages) {
  EXPECT_DOUBLE_EQ(pipeline_bubble(Schedule::interleaved, equal_stages(4), 3, 16).base(), 3.0);
}

TEST(Bubble, ZeroBubbleSchedulesAsInTheirPaper) {
  // Qi et al. 2023, table 1: H1 (p-1)(F + B - W) = 3 x 1, H2 (p-1)(F + B - 2W) = 0 for F = B = W = 1
  EXPECT_DOUBLE_EQ(pipeline_bubble(Schedule::zb_h1, equal_stages(4), 1, 16).base(), 3.0);
  EXPECT_DOUBLE_EQ(pipeline_bubble(Schedule::zb_h2, equal_stages(4), 1, 16).base(), 0.0);
}

TEST(Bubble, UnevenStagesWaitForTheBusiest) {
  std::vector<LayerTime> t = equal_stages(3);
  t[1].forward = Seconds{5.0};  // stage totals 3, 7, 3
  // it starts after 1 s, has its first gradient while its second forward pass runs, waits 1 s for its last one, and the first stage ends 2 s later
  EXPECT_DOUBLE_EQ(pipeline_bubble(Schedule::one_f_one_b, t, 1, 8).base(), 4.0);
  EXPECT_DOUBLE_EQ(pipeline_bubble(Schedule::gpipe, t, 1, 8).base(), 6.0);
}

TEST(InFlight, FirstStageHoldsPMicroBatchesUnder1F1B) {
  EXPECT_DOUBLE_EQ(in_flight(Schedule::one_f_one_b, 4, 0, 1, 16), 4.0);
  EXPECT_DOUBLE_EQ(in_flight(Schedule::one_f_one_b, 4, 3, 1, 16), 1.0);
  EXPECT_DOUBLE_EQ(in_flight(Schedule::one_f_one_b, 4, 0, 1, 2), 2.0);  // never more than there are
}

TEST(InFlight, GPipeHoldsAll) { EXPECT_DOUBLE_EQ(in_flight(Schedule::gpipe, 4, 0, 1, 16), 16.0); }

TEST(InFlight, InterleavedNeedsOnePlusPMinusOneOverPV) {
  // Korthikanti et al. 2022, section 4.2.3: p (1 + (p-1)/(p v)) = 4 (1 + 3/8) = 5.5 micro-batches on the first stage
  EXPECT_DOUBLE_EQ(in_flight(Schedule::interleaved, 4, 0, 2, 16), 5.5);
}

TEST(InFlight, ZeroBubbleH2HoldsTwicePMinusOne) { EXPECT_DOUBLE_EQ(in_flight(Schedule::zb_h2, 4, 0, 1, 16), 7.0); }

/// Stages of 3 s a micro-batch when they have a processor to themselves, two ranks to a processor: 6 s while all are busy.
std::vector<LayerTime> sharing_stages(std::size_t p) {
  LayerTime t;
  t.forward = t.backward_input = t.backward_weight = Seconds{2.0};
  return std::vector<LayerTime>(p, t);
}

TEST(SharedBubble, FillAndDrainRunFasterThanTheBusyMiddle) {
  // 4 stages, 4 micro-batches: 1 2 3 4 3 2 1 stages at work on two processors take 3 3 4.5 6 4.5 3 3 = 27 s; four micro-batches of 6 s are 24
  EXPECT_DOUBLE_EQ(shared_pipeline_bubble(sharing_stages(4), 2.0, 4).base(), 3.0);
  EXPECT_DOUBLE_EQ(shared_pipeline_bubble(sharing_stages(1), 2.0, 4).base(), 0.0);
}

TEST(SharedBubble, WithoutSharingItIsTheUsualOne) {
  EXPECT_DOUBLE_EQ(shared_pipeline_bubble(equal_stages(4), 1.0, 8).base(), pipeline_bubble(Schedule::one_f_one_b, equal_stages(4), 1, 8).base());
}

TEST(SharedBubble, IdleTimeOfASmallStageServesTheOthers) {
  std::vector<LayerTime> stages = sharing_stages(2);
  stages[1] = stages[1] * 0.5;  // one processor for both: (6 + 3) / 2 s of work a micro-batch
  // slots: 3, seven of 4.5, 1.5 s; eight micro-batches of the busy machine's 6 s are 48
  EXPECT_DOUBLE_EQ(shared_pipeline_bubble(stages, 2.0, 8).base(), 3.0 + 7 * 4.5 + 1.5 - 48.0);
}

}  // namespace
}  // namespace reckon
