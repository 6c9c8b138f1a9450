// The shapes that a model makes, counted by hand.
// SPDX-License-Identifier: Apache-2.0
#include "cost/kernel_shapes.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "scene.hpp"

namespace reckon {
namespace {

/// Five linear layers with different sides: qkv, output, gate and up, down, head.
struct Shapes : testing::Test {
  Case c;
  void SetUp() override {
    c.strategy.micro_batch_size = 2;
    c.strategy.global_batch_size = 2;
    c.task.seq_len = 1024;
  }
  KernelShapes shapes() const { return kernel_shapes(c.architecture, c.strategy, c.task, c.stack.facts); }
  static bool has(const KernelShapes& s, GemmRole role, double m, double n, double k) {
    return std::find(s.products.begin(), s.products.end(), GemmCase{role, {m, n, k, 1}}) != s.products.end();
  }
};

TEST_F(Shapes, AreTheThreeProductsOfEveryLinearLayer) {
  const KernelShapes s = shapes();
  constexpr double rows = 2048, h = 4096, qkv = (32 + 2 * 8) * 128, both = 2 * 14336, vocabulary = 128256;
  EXPECT_EQ(s.products.size(), 5U * 3U);
  for (const double out : {qkv, h, both, vocabulary}) {
    EXPECT_TRUE(has(s, GemmRole::forward, rows, out, h)) << out;
    EXPECT_TRUE(has(s, GemmRole::input_gradient, rows, h, out)) << out;
    EXPECT_TRUE(has(s, GemmRole::weight_gradient, out, h, rows)) << out;
  }
  EXPECT_TRUE(has(s, GemmRole::forward, rows, h, 14336));
  ASSERT_EQ(s.attention.size(), 1U);
  EXPECT_EQ(s.attention[0].batch, 2);
  EXPECT_EQ(s.attention[0].heads, 32);
  EXPECT_EQ(s.attention[0].seq_q, 1024);
  EXPECT_TRUE(s.attention[0].causal);
}

TEST_F(Shapes, SplitWithTheTensorGroup) {
  c.strategy.tensor_parallel = 8;
  c.strategy.sequence_parallel = true;
  const KernelShapes s = shapes();
  EXPECT_TRUE(has(s, GemmRole::forward, 2048, 768, 4096));
  EXPECT_TRUE(has(s, GemmRole::forward, 2048, 4096, 14336 / 8));
  EXPECT_EQ(s.attention[0].heads, 4);
}

TEST_F(Shapes, AreAddedOnce) {
  KernelShapes all = shapes();
  const std::size_t one = all.products.size();
  add_new(all, shapes());
  EXPECT_EQ(all.products.size(), one);
  c.strategy.micro_batch_size = 4;
  c.strategy.global_batch_size = 4;
  add_new(all, shapes());
  EXPECT_EQ(all.products.size(), 2 * one);
  EXPECT_EQ(all.attention.size(), 2U);
}

}  // namespace
}  // namespace reckon
