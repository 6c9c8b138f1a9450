// Attention: scores under a mask against counting, the closed form against arithmetic.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/attention.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace reckon {
namespace {

/// 100 multiprocessors, 100 TFLOP/s of products, softmax free, tiles of 128 x 128.
AttentionParameters plain() {
  AttentionParameters p;
  p.rate = FlopsPerSecond(1e14);
  p.exponential_rate = FlopsPerSecond(1e30);
  p.multiprocessors = 100;
  p.bandwidth = BytesPerSecond(1e18);
  return p;
}

double counted(int seq_q, int seq_kv, bool causal, int window) {
  double scores = 0;
  for (int i = 0; i < seq_q; ++i)
    for (int j = 0; j < seq_kv; ++j) {
      const int last = i + seq_kv - seq_q;  // the last key that a causal query sees
      if (causal && j > last) continue;
      if (causal && window > 0 && j <= last - window) continue;
      ++scores;
    }
  return scores;
}

TEST(Attention, CountsTheScoresOfAMask) {
  for (const int seq_q : {1, 5, 12})
    for (const int seq_kv : {1, 5, 12, 20})
      for (const int window : {0, 1, 4, 15}) {
        const AttentionShape shape{
            .seq_q = double(seq_q), .seq_kv = double(seq_kv), .head_dim = 1, .causal = true, .window = double(window)};
        EXPECT_EQ(visible_scores(shape), counted(seq_q, seq_kv, true, window)) << seq_q << " " << seq_kv << " " << window;
      }
  EXPECT_EQ(visible_scores({.seq_q = 5, .seq_kv = 7, .head_dim = 1, .causal = false}), 35);
}

TEST(Attention, CountsFlops) {
  // 2 sequences, 3 heads, full 4 x 4: 2 * 3 * 16 scores of 2 (192 + 128) FLOP; backward 2.5 times that.
  const AttentionShape shape{
      .batch = 2, .heads = 3, .kv_heads = 3, .seq_q = 4, .seq_kv = 4, .head_dim = 192, .v_head_dim = 128, .causal = false};
  EXPECT_EQ(attention_flops(shape, Pass::forward), Flops(2.0 * 3 * 16 * 640));
  EXPECT_EQ(attention_flops(shape, Pass::backward), Flops(2.5 * 2.0 * 3 * 16 * 640));
}

TEST(Attention, FullMaskRunsAtTheRate) {
  // 100 heads x 10 tiles = 10 waves; 100 * 1280 * 1280 scores of 4 * 128 FLOP at 100 TFLOP/s = 838.8608 us.
  const AttentionCost cost(plain(), plain());
  const AttentionShape shape{.heads = 100, .kv_heads = 100, .seq_q = 1280, .seq_kv = 1280, .head_dim = 128, .causal = false};

  EXPECT_NEAR(cost.time(Pass::forward, shape).in(microseconds), 838.8608, 0.03);  // the longest tile adds (1/10)^4 / 4 of it
}

TEST(Attention, SoftmaxAddsToTheProducts) {
  // One score costs 512 FLOP / 1e14 = 5.12 ps and 1 / 1e12 = 1 ps more: 6.12 / 5.12 of the time.
  AttentionParameters slow = plain();
  slow.exponential_rate = FlopsPerSecond(1e12);
  const AttentionCost fast(plain(), plain()), bound(slow, slow);
  const AttentionShape shape{.heads = 100, .kv_heads = 100, .seq_q = 1280, .seq_kv = 1280, .head_dim = 128, .causal = false};

  EXPECT_NEAR(bound.time(Pass::forward, shape) / fast.time(Pass::forward, shape), 6.12 / 5.12, 1e-9);
}

TEST(Attention, CausalMaskPaysForTheDiagonal) {
  // 4096 long: 4096 * 4097 / 2 + 4096 * 128 of 4096 * 4096 scores = 0.53137.
  const AttentionCost cost(plain(), plain());
  AttentionShape shape{.heads = 500, .kv_heads = 500, .seq_q = 4096, .seq_kv = 4096, .head_dim = 128, .causal = false};
  const Seconds full = cost.time(Pass::forward, shape);
  shape.causal = true;

  EXPECT_NEAR(cost.time(Pass::forward, shape) / full, (4097.0 / 2 + 128.0) / 4096.0, 1e-4);
}

TEST(Attention, AChunkOfQueriesCostsItsShare) {
  // Context parallelism: the last quarter of the queries sees (1 - (3/4)^2) = 7/16 of the square, twice 7/16 of the causal half.
  const AttentionCost cost(plain(), plain());
  AttentionShape shape{.heads = 400, .kv_heads = 400, .seq_q = 65536, .seq_kv = 65536, .head_dim = 128, .causal = true};
  const Seconds whole = cost.time(Pass::forward, shape);
  shape.seq_q = 16384;

  EXPECT_NEAR(cost.time(Pass::forward, shape) / whole, 7.0 / 16.0, 2e-3);
}

TEST(Attention, AFewHeadsLeaveMultiprocessorsIdle) {
  const AttentionCost cost(plain(), plain());
  AttentionShape shape{.heads = 1, .kv_heads = 1, .seq_q = 1280, .seq_kv = 1280, .head_dim = 128, .causal = false};
  const Seconds ten_tiles = cost.time(Pass::forward, shape);
  shape.heads = shape.kv_heads = 10;

  EXPECT_NEAR(cost.time(Pass::forward, shape) / ten_tiles, 1.0, 1e-9);  // 100 tiles fill the 100 multiprocessors
}

TEST(Attention, FewerKeyHeadsMoveLess) {
  AttentionParameters p = plain();
  p.bandwidth = BytesPerSecond(1e9);
  const AttentionCost cost(p, p);
  AttentionShape shape{.heads = 32, .kv_heads = 32, .seq_q = 128, .seq_kv = 128, .head_dim = 128, .causal = false};
  const Seconds all = cost.time(Pass::forward, shape);
  shape.kv_heads = 8;

  EXPECT_NEAR(cost.time(Pass::forward, shape) / all, (2.0 * 32 + 2.0 * 8) / (4.0 * 32), 1e-3);
}

TEST(Attention, RefusesParametersOutsidePhysics) {
  AttentionParameters p = plain();
  p.exponential_rate = FlopsPerSecond(0);
  EXPECT_THROW(AttentionCost(p, plain()), CalibrationError);
  EXPECT_THROW(AttentionCost(plain(), p), CalibrationError);
}

}  // namespace
}  // namespace reckon
