// Attention, positions, cross-entropy, experts, bias: backward passes against central differences (tests/kernels/check/gradient.hpp).
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <numeric>

#include "kernels/op/attention.hpp"
#include "kernels/op/bias.hpp"
#include "kernels/op/cross_entropy.hpp"
#include "kernels/op/embedding.hpp"
#include "kernels/op/experts.hpp"
#include "tests/kernels/check/gradient.hpp"

namespace reckon::check {
namespace {

struct Attended {
  Vector out, lse;
};
Attended attend(const AttentionShape& shape, const Vector& q, const Vector& k, const Vector& v) {
  Attended r{Vector(q.size()), Vector(std::size_t(shape.batch * shape.heads * shape.seq_q))};
  AttentionForward<double> op;
  static_cast<AttentionShape&>(op) = shape;
  op.q = q.data(), op.k = k.data(), op.v = v.data(), op.out = r.out.data(), op.lse = r.lse.data();
  run(op);
  return r;
}
struct AttentionGradients {
  Vector dq, dk, dv;
};
void add_gradients(const AttentionShape& shape, const Vector& q, const Vector& k, const Vector& v, const Attended& whole, const Vector& dout, AttentionGradients& g) {
  AttentionBackward<double> op;
  static_cast<AttentionShape&>(op) = shape;
  op.q = q.data(), op.k = k.data(), op.v = v.data(), op.out = whole.out.data(), op.dout = dout.data(), op.lse = whole.lse.data();
  op.dq = g.dq.data(), op.dk = g.dk.data(), op.dv = g.dv.data(), op.accumulate = true;
  run(op);
}

class AttentionGradient : public testing::TestWithParam<bool> {};

TEST_P(AttentionGradient, WithGroupedHeads) {
  AttentionShape shape;
  shape.batch = 2, shape.heads = 4, shape.kv_heads = 2, shape.seq_q = 7, shape.seq_kv = 7, shape.head_dim = 5, shape.causal = GetParam();
  const Vector q = random_elements<double>(2 * 7 * 4 * 5, 1), k = random_elements<double>(2 * 7 * 2 * 5, 2), v = random_elements<double>(k.size(), 3),
               dout = random_elements<double>(q.size(), 4);
  AttentionGradients g{Vector(q.size()), Vector(k.size()), Vector(k.size())};
  add_gradients(shape, q, k, v, attend(shape, q, k, v), dout, g);
  expect_gradient("dq", [&](const Vector& now) { return attend(shape, now, k, v).out; }, q, dout, g.dq);
  expect_gradient("dk", [&](const Vector& now) { return attend(shape, q, now, v).out; }, k, dout, g.dk);
  expect_gradient("dv", [&](const Vector& now) { return attend(shape, q, k, now).out; }, v, dout, g.dv);
}
INSTANTIATE_TEST_SUITE_P(Masks, AttentionGradient, testing::Bool());

TEST(Gradient, AttentionOverPartsOfASequenceAddsUp) {
  // Keys in two halves, each with its position: outputs merge by their lse, gradients add.
  AttentionShape whole_shape;
  whole_shape.heads = 2, whole_shape.kv_heads = 2, whole_shape.seq_q = 8, whole_shape.seq_kv = 8, whole_shape.head_dim = 4;
  AttentionShape half = whole_shape;
  half.seq_kv = 4;
  const std::size_t size = 8 * 2 * 4, middle = size / 2;
  const Vector q = random_elements<double>(size, 1), k = random_elements<double>(size, 2), v = random_elements<double>(size, 3), dout = random_elements<double>(size, 4);
  const Attended whole = attend(whole_shape, q, k, v);
  AttentionGradients expected{Vector(size), Vector(size), Vector(size)}, got = expected;
  add_gradients(whole_shape, q, k, v, whole, dout, expected);
  Vector out(size);
  std::vector<Attended> parts;
  for (const int part : {0, 1}) {
    half.kv_position = 4 * part;
    const auto first = std::ptrdiff_t(part * middle);
    const Vector k_part(k.begin() + first, k.begin() + first + std::ptrdiff_t(middle)), v_part(v.begin() + first, v.begin() + first + std::ptrdiff_t(middle));
    parts.push_back(attend(half, q, k_part, v_part));
    AttentionGradients g{Vector(size), Vector(middle), Vector(middle)};
    add_gradients(half, q, k_part, v_part, whole, dout, g);
    for (std::size_t i = 0; i < size; ++i) got.dq[i] += g.dq[i];
    std::copy(g.dk.begin(), g.dk.end(), got.dk.begin() + first);
    std::copy(g.dv.begin(), g.dv.end(), got.dv.begin() + first);
  }
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t lse = i / 4 % 2 * 8 + i / 8;
    const double merged = std::exp(parts[0].lse[lse] - whole.lse[lse]) * parts[0].out[i] + std::exp(parts[1].lse[lse] - whole.lse[lse]) * parts[1].out[i];
    EXPECT_NEAR(merged, whole.out[i], 1e-14);
    EXPECT_NEAR(got.dq[i], expected.dq[i], 1e-13);
    EXPECT_NEAR(got.dk[i], expected.dk[i], 1e-13);
    EXPECT_NEAR(got.dv[i], expected.dv[i], 1e-13);
  }
}

TEST(Gradient, MaskedSoftmax) {
  const std::int64_t heads = 3, seq = 9;
  const std::size_t count = heads * seq * seq;
  const Vector x = random_elements<double>(count, 1, 3.0), dout = random_elements<double>(count, 2);
  const Forward forward = [&](const Vector& now) {
    Vector out(count);
    run(SoftmaxForward<double>{.rows = heads * seq, .columns = seq, .seq_q = seq, .scale = 0.4, .x = now.data(), .out = out.data()});
    return out;
  };
  const Vector p = forward(x);
  Vector dx(count);
  run(SoftmaxBackward<double>{.rows = heads * seq, .columns = seq, .scale = 0.4, .p = p.data(), .dout = dout.data(), .dx = dx.data()});
  expect_gradient("dx", forward, x, dout, dx);
}

TEST(Gradient, EmbeddingAndRotary) {
  const std::vector<std::int32_t> index{3, 0, 3, 7, 4, 1, 3};  // the table holds rows 1 to 4
  const std::int64_t width = 6;
  const Vector table = random_elements<double>(4 * width, 1), dout = random_elements<double>(index.size() * width, 2);
  Vector dtable(table.size(), 0.0), before = dout;
  run(EmbeddingBackward<double>{.tokens = 7, .columns = width, .first_row = 1, .table_rows = 4, .index = index.data(), .dout = dout.data(), .dtable = dtable.data()});
  expect_gradient("dtable", [&](const Vector& now) {
    Vector out(index.size() * width);
    run(EmbeddingForward<double>{.tokens = 7, .columns = width, .first_row = 1, .table_rows = 4, .index = index.data(), .table = now.data(), .out = out.data()});
    return out;
  }, table, dout, dtable);

  const auto tables = rotary_tables<double>({5, 6, 9}, 6);
  const auto turn = [&](Vector x, bool inverse) {
    run(Rotary<double>{.tokens = 7, .heads = 1, .head_dim = 6, .stride = 6, .period = 3, .inverse = inverse, .cosine = tables.cosine.data(), .sine = tables.sine.data(), .x = x.data()});
    return x;
  };
  expect_gradient("dx", [&](const Vector& now) { return turn(now, false); }, random_elements<double>(7 * 6, 3), dout, turn(dout, true));
}

TEST(Gradient, CrossEntropyOverASplitVocabulary) {
  const std::int64_t tokens = 6, vocabulary = 13, split = 5;
  const std::vector<std::int32_t> target{0, 4, 5, 12, -1, 7};
  const Vector x = random_elements<double>(tokens * vocabulary, 1, 4.0);
  const auto statistics = [&](const Vector& now, std::int64_t first, std::int64_t columns, Vector& maximum, Vector& sum, Vector& logit) {
    run(CrossEntropyForward<double>{.rows = tokens, .columns = columns, .stride = vocabulary, .first_column = first, .x = now.data() + first, .target = target.data(),
                                    .maximum = maximum.data(), .sum = sum.data(), .target_logit = logit.data()});
  };
  Vector maximum(tokens), sum(tokens);
  const Forward losses = [&](const Vector& now) {
    Vector m0(tokens), s0(tokens), t0(tokens), m1(tokens), s1(tokens), t1(tokens), loss(tokens, 0.0);
    statistics(now, 0, split, m0, s0, t0);
    statistics(now, split, vocabulary - split, m1, s1, t1);
    for (std::size_t i = 0; i < std::size_t(tokens); ++i) {
      maximum[i] = std::max(m0[i], m1[i]);
      sum[i] = s0[i] * std::exp(m0[i] - maximum[i]) + s1[i] * std::exp(m1[i] - maximum[i]);
      if (target[i] >= 0) loss[i] = std::log(sum[i]) + maximum[i] - t0[i] - t1[i];
    }
    return loss;
  };
  losses(x);
  Vector dx(x.size());
  for (const std::int64_t first : {std::int64_t(0), split}) {
    run(CrossEntropyBackward<double>{.rows = tokens, .columns = first == 0 ? split : vocabulary - split, .stride = vocabulary, .first_column = first, .scale = 0.3,
                                     .x = x.data() + first, .target = target.data(), .maximum = maximum.data(), .sum = sum.data(), .dx = dx.data() + first});
  }
  expect_gradient("dx", losses, x, Vector(tokens, 0.3), dx);
}

class RouterGradient : public testing::TestWithParam<bool> {};

TEST_P(RouterGradient, OfItsWeights) {
  const std::int64_t tokens = 5, experts = 7, top_k = 3;
  const Vector x = random_elements<double>(tokens * experts, 1, 2.0), dweight = random_elements<double>(tokens * top_k, 2);
  Vector p(x.size()), dx(x.size());
  std::vector<std::int32_t> choice(std::size_t(tokens * top_k));
  const Forward forward = [&](const Vector& now) {
    Vector weight(choice.size());
    run(RouterForward<double>{.tokens = tokens, .experts = experts, .top_k = top_k, .renormalise = GetParam(), .x = now.data(), .p = p.data(), .choice = choice.data(), .weight = weight.data()});
    return weight;
  };
  const Vector weight = forward(x);
  run(RouterBackward<double>{.tokens = tokens, .experts = experts, .top_k = top_k, .renormalise = GetParam(), .p = p.data(), .choice = choice.data(), .weight = weight.data(),
                             .dweight = dweight.data(), .dx = dx.data()});
  expect_gradient("dx", forward, x, dweight, dx);
}
INSTANTIATE_TEST_SUITE_P(Renormalised, RouterGradient, testing::Bool());

TEST(Gradient, RowsToExpertsAndBack) {
  const std::int64_t tokens = 5, top_k = 2, width = 4;
  const std::vector<std::int32_t> slot{3, 9, 0, 4, 1, 8, 2, 7, 5, 6};
  std::vector<std::int32_t> source(10);
  for (std::size_t i = 0; i < slot.size(); ++i) source[std::size_t(slot[i])] = std::int32_t(i / top_k);
  const Vector x = random_elements<double>(tokens * width, 1), y = random_elements<double>(10 * width, 2), weight = random_elements<double>(10, 3),
               dout = random_elements<double>(tokens * width, 4), drows = random_elements<double>(10 * width, 5);
  Vector dx(x.size()), dy(y.size()), dweight(10);
  run(CombineRows<double>{.tokens = tokens, .top_k = top_k, .columns = width, .slot = slot.data(), .x = drows.data(), .out = dx.data()});
  run(CombineRowsBackward<double>{.tokens = tokens, .top_k = top_k, .columns = width, .slot = slot.data(), .weight = weight.data(), .x = y.data(), .dout = dout.data(),
                                  .dx = dy.data(), .dweight = dweight.data()});
  const auto combine = [&](const Vector& y_now, const Vector& weight_now) {
    Vector out(x.size());
    run(CombineRows<double>{.tokens = tokens, .top_k = top_k, .columns = width, .slot = slot.data(), .weight = weight_now.data(), .x = y_now.data(), .out = out.data()});
    return out;
  };
  expect_gradient("dx", [&](const Vector& now) {
    Vector out(y.size());
    run(GatherRows<double>{.rows = 10, .columns = width, .source = source.data(), .x = now.data(), .out = out.data()});
    return out;
  }, x, drows, dx);
  expect_gradient("dy", [&](const Vector& now) { return combine(now, weight); }, y, dout, dy);
  expect_gradient("dweight", [&](const Vector& now) { return combine(y, now); }, weight, dout, dweight);
}

TEST(Gradient, Bias) {
  const std::int64_t rows = 9, columns = 5;
  const Vector x = random_elements<double>(rows * columns, 1), bias = random_elements<double>(columns, 2), dout = random_elements<double>(rows * columns, 3);
  Vector dbias(columns);
  BiasBackward<double> op{.rows = rows, .columns = columns, .dout = dout.data(), .dbias = dbias.data()};
  op.workspace_bytes = op.workspace_size();
  run(op);
  expect_gradient("dbias", [&](const Vector& now) {
    Vector out(x.size());
    run(BiasAdd<double>{.rows = rows, .columns = columns, .x = x.data(), .bias = now.data(), .residual = x.data(), .out = out.data()});
    return out;
  }, bias, dout, dbias);
}

}  // namespace
}  // namespace reckon::check
