// The reference on inputs small enough to work out by hand.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/op/activation.hpp"
#include "kernels/op/adamw.hpp"
#include "kernels/op/matmul.hpp"
#include "kernels/op/memory.hpp"
#include "kernels/op/norm.hpp"

namespace reckon {
namespace {

template <class Op>
void run(const Op& op) {
  launch<Backend::reference>(op, {});
}

TEST(Reference, RmsNormForward) {
  // mean(x^2) = (1 + 9 + 25 + 1) / 4 = 9;  rstd = 1 / sqrt(9 + 7) = 1/4;  second row: (0 + 0 + 0 + 36) / 4 = 9
  const double x[] = {1, 3, -5, 1, 0, 0, 0, 6}, weight[] = {4, 8, 4, -4};
  double out[8], rstd[2];

  run(RmsNormForward<double>{.rows = 2, .columns = 4, .epsilon = 7, .x = x, .weight = weight, .out = out, .rstd = rstd});

  const double expected[] = {1, 6, -5, -1, 0, 0, 0, -6};
  for (int i = 0; i < 8; ++i) EXPECT_DOUBLE_EQ(out[i], expected[i]) << i;
  EXPECT_DOUBLE_EQ(rstd[0], 0.25);
  EXPECT_DOUBLE_EQ(rstd[1], 0.25);
}

TEST(Reference, LayerNormForward) {
  // mean = 3;  deviations -2 2 -2 2;  variance 4;  rstd = 1 / sqrt(4 + 12) = 1/4;  n = -1/2 1/2 -1/2 1/2
  const double x[] = {1, 5, 1, 5}, weight[] = {2, 2, 4, 4}, bias[] = {0, 10, 0, 10};
  double out[4], mean, rstd;

  run(LayerNormForward<double>{.rows = 1, .columns = 4, .epsilon = 12, .x = x, .weight = weight, .bias = bias, .out = out, .mean = &mean, .rstd = &rstd});

  const double expected[] = {-1, 11, -2, 12};
  for (int i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(out[i], expected[i]) << i;
  EXPECT_DOUBLE_EQ(mean, 3);
  EXPECT_DOUBLE_EQ(rstd, 0.25);
}

TEST(Reference, RmsNormBackward) {
  // n = x rstd = 1 2;  g = dout weight = 3 1;  mean(g n) = (3 + 2) / 2 = 2.5;  dx = rstd (g - n 2.5) = 0.5 (0.5, -4) = 0.25 -2
  // dweight = dout n = 3 1 (0.5 * 2), added to 10 20
  const double x[] = {2, 4}, weight[] = {1, 2}, dout[] = {3, 0.5}, rstd = 0.5;
  double dx[2], dweight[] = {10, 20};
  RmsNormBackward<double> op{.rows = 1, .columns = 2, .x = x, .weight = weight, .rstd = &rstd, .dout = dout, .dx = dx, .dweight = dweight, .accumulate = true};
  op.workspace_bytes = op.workspace_size();

  run(op);

  EXPECT_DOUBLE_EQ(dx[0], 0.25);
  EXPECT_DOUBLE_EQ(dx[1], -2);
  EXPECT_DOUBLE_EQ(dweight[0], 13);
  EXPECT_DOUBLE_EQ(dweight[1], 21);
}

TEST(Reference, LayerNormBackward) {
  // n = (x - 3) / 2 = -1 1;  g = dout weight = 4 2;  mean(g) = 3;  mean(g n) = (-4 + 2) / 2 = -1
  // dx = rstd (g - 3 + n) = 0.5 (4 - 3 - 1, 2 - 3 + 1) = 0 0: two columns leave a layer norm no freedom
  // dweight = dout n = -4 1;  dbias = 4 1
  const double x[] = {1, 5}, weight[] = {1, 2}, dout[] = {4, 1}, mean = 3, rstd = 0.5;
  double dx[2], dweight[] = {100, 100}, dbias[] = {100, 100};
  LayerNormBackward<double> op{.rows = 1, .columns = 2, .x = x, .weight = weight, .mean = &mean, .rstd = &rstd, .dout = dout, .dx = dx, .dweight = dweight, .dbias = dbias};
  op.workspace_bytes = op.workspace_size();

  run(op);

  EXPECT_DOUBLE_EQ(dx[0], 0);
  EXPECT_DOUBLE_EQ(dx[1], 0);
  EXPECT_DOUBLE_EQ(dweight[0], -4);
  EXPECT_DOUBLE_EQ(dweight[1], 1);
  EXPECT_DOUBLE_EQ(dbias[0], 4);
  EXPECT_DOUBLE_EQ(dbias[1], 1);
}

TEST(Reference, GeluForward) {
  // tanh form at 1: u = 0.7978845608 * 1.044715 = 0.8335618..., tanh u = 0.6823839..., 0.5 (1 + 0.6823839) = 0.841191990...
  // odd part: gelu(-x) = gelu(x) - x;  gelu(0) = 0
  const double x[] = {1, -1, 0, 3};
  double out[4];

  run(GeluForward<double>{.count = 4, .x = x, .out = out});

  const auto tanh_form = [](double v) { return 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))); };
  EXPECT_NEAR(out[0], 0.841191990, 1e-9);
  EXPECT_NEAR(out[1], 0.841191990 - 1, 1e-9);
  EXPECT_EQ(out[2], 0);
  EXPECT_NEAR(out[3], tanh_form(3), 1e-15);
}

TEST(Reference, GeluBackward) {
  // at 0 the slope is sigmoid(0) = 1/2
  const double x[] = {0}, dout[] = {3};
  double dx[1];

  run(GeluBackward<double>{.count = 1, .x = x, .dout = dout, .dx = dx});

  EXPECT_DOUBLE_EQ(dx[0], 1.5);
}

TEST(Reference, Swiglu) {
  // sigmoid(0) = 1/2: out = 0, dgate = dout up / 2, dup = 0.  sigmoid(ln 3) = 3/4: out = ln 3 * 3/4 * up,
  // dgate = dout up 3/4 (1 + ln 3 / 4), dup = dout ln 3 * 3/4.  Rows lie 3 apart; the third value of a row is a gap.
  const double l = std::log(3.0);
  const double gate[] = {0, l, 99, l, 0, 99}, up[] = {7, 2, 99, 4, 5, 99}, dout[] = {2, 1, 1, 4};
  double out[4], dgate[] = {0, 0, -1, 0, 0, -1}, dup[] = {0, 0, -1, 0, 0, -1};

  run(SwigluForward<double>{.rows = 2, .columns = 2, .stride = 3, .gate = gate, .up = up, .out = out});
  run(SwigluBackward<double>{.rows = 2, .columns = 2, .stride = 3, .gate = gate, .up = up, .dout = dout, .dgate = dgate, .dup = dup});

  const double expected[] = {0, l * 1.5, l * 3, 0};
  const double expected_gate[] = {7, 1.5 * (1 + l / 4), -1, 3 * (1 + l / 4), 10, -1};
  const double expected_up[] = {0, l * 0.75, -1, l * 0.75, 0, -1};
  for (int i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(out[i], expected[i]) << i;
  for (int i = 0; i < 6; ++i) EXPECT_DOUBLE_EQ(dgate[i], expected_gate[i]) << i;
  for (int i = 0; i < 6; ++i) EXPECT_DOUBLE_EQ(dup[i], expected_up[i]) << i;
}

TEST(Reference, ResidualAddAndCopy) {
  const float a[] = {1, 2.5f}, b[] = {-4, 0.25f};
  float sum[2], same[2];

  run(ResidualAdd<float>{.count = 2, .a = a, .b = b, .out = sum});
  run(Copy<float>{.count = 2, .x = a, .out = same});

  EXPECT_EQ(sum[0], -3);
  EXPECT_EQ(sum[1], 2.75f);
  EXPECT_EQ(same[0], 1);
  EXPECT_EQ(same[1], 2.5f);
}

TEST(Reference, AdamW) {
  // g = 0.5 * 2 = 1.  First step from zero moments: m = 0.1, v = 0.01; corrected, m = 1, v = 1.
  // master = 10 - 0.1 (1 / (1 + 1) + 0.5 * 10) = 10 - 0.55 = 9.45
  const double gradient[] = {2};
  double master[] = {10}, m[] = {0}, v[] = {0}, weight[1];
  AdamW<double> op{.count = 1, .step = 1, .learning_rate = 0.1, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1, .weight_decay = 0.5, .gradient_scale = 0.5,
                   .gradient = gradient, .master = master, .first_moment = m, .second_moment = v, .weight = weight};

  run(op);

  EXPECT_NEAR(m[0], 0.1, 1e-16);
  EXPECT_NEAR(v[0], 0.01, 1e-16);
  EXPECT_NEAR(master[0], 9.45, 1e-14);
  EXPECT_EQ(weight[0], master[0]);

  // Second step, g = 1 again: m = 0.19, v = 0.0199; corrected by 1 - 0.81 = 0.19 and 1 - 0.9801 = 0.0199 to 1 and 1.
  // master = 9.45 - 0.1 (0.5 + 0.5 * 9.45) = 8.9275
  op.step = 2;
  run(op);

  EXPECT_NEAR(master[0], 8.9275, 1e-14);
}

TEST(Reference, MatmulInEveryOrientation) {
  // a = 1 2 3   b = 1 0   a b = 1 + 4 + 15 = 20, 0 + 2 - 3 = -1
  //     4 5 6       2 1         4 + 10 + 30 = 44, 0 + 5 - 6 = -1
  //                 5 -1
  const double a[] = {1, 2, 3, 4, 5, 6}, a_transposed[] = {1, 4, 2, 5, 3, 6}, b[] = {1, 0, 2, 1, 5, -1}, b_transposed[] = {1, 2, 5, 0, 1, -1};
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      double c[] = {1, 2, 3, 4};
      run(Matmul<double>{.m = 2, .n = 2, .k = 3, .transpose_a = transpose_a, .transpose_b = transpose_b, .alpha = 2, .beta = 10,
                         .a = transpose_a ? a_transposed : a, .b = transpose_b ? b_transposed : b, .c = c});
      EXPECT_EQ(c[0], 2 * 20 + 10);
      EXPECT_EQ(c[1], 2 * -1 + 20);
      EXPECT_EQ(c[2], 2 * 44 + 30);
      EXPECT_EQ(c[3], 2 * -1 + 40);
    }
  }
}

TEST(Reference, MatmulBatchesAndGaps) {
  // Two products of 1 x 2 by 2 x 1 with the same b; rows of a lie 3 apart.
  const double a[] = {1, 2, 99, 3, 4, 99}, b[] = {10, 1};
  double c[] = {0, 0};
  run(Matmul<double>{.m = 1, .n = 1, .k = 2, .batch = 2, .a = a, .b = b, .c = c, .lda = 3, .stride_a = 3});
  EXPECT_EQ(c[0], 12);
  EXPECT_EQ(c[1], 34);
}

TEST(Work, IsThatOfTheSharedFormulas) {
  // 4 x 8 bf16 RMSNorm: read and written once, 4 8 2 2 = 128 bytes; backward three passes, 192.
  EXPECT_EQ((RmsNormForward<Bf16>{.rows = 4, .columns = 8}.work().bytes), Bytes{128});
  EXPECT_EQ((LayerNormBackward<Bf16>{.rows = 4, .columns = 8}.work().bytes), Bytes{192});
  // SwiGLU, 2 x 3 in fp32: two read, one written; backward three read, two written.
  EXPECT_EQ((SwigluForward<float>{.rows = 2, .columns = 3}.work().bytes), Bytes{72});
  EXPECT_EQ((SwigluBackward<float>{.rows = 2, .columns = 3}.work().bytes), Bytes{120});
  // 2 x 3 x 4 product, three times: 2 * 24 * 3 FLOP; bf16 operands (8 + 12) 2, fp32 result 6 * 4.
  const Matmul<Bf16, float> product{.m = 2, .n = 3, .k = 4, .batch = 3};
  EXPECT_EQ(product.work().flops, Flops{144});
  EXPECT_EQ(product.work().bytes, Bytes{3 * (40 + 24)});
  // AdamW in bf16: gradient 2, master and two moments read and written 24, weight 2.
  Bf16 weight;
  const AdamW<Bf16> update{.count = 10, .weight = &weight};
  EXPECT_EQ(update.work().bytes, Bytes{280});
  EXPECT_EQ((Copy<float>{.count = 5}.work().bytes), Bytes{40});
}

}  // namespace
}  // namespace reckon
