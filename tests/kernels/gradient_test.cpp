// Norms, activations and products: backward passes against central differences (tests/kernels/check/gradient.hpp).
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "kernels/op/activation.hpp"
#include "kernels/op/matmul.hpp"
#include "kernels/op/norm.hpp"
#include "tests/kernels/check/gradient.hpp"

namespace reckon::check {
namespace {

constexpr std::int64_t rows = 7, columns = 37;
constexpr std::size_t size = rows * columns;

struct Norm {
  Vector x = random_elements<double>(size, 1, 2.0, 0.3), weight = random_elements<double>(columns, 2, 0.5, 1.0), bias = random_elements<double>(columns, 3);
  Vector dout = random_elements<double>(size, 4), out = Vector(size), mean = Vector(rows), rstd = Vector(rows);
  Vector dx = Vector(size), dweight = Vector(columns), dbias = Vector(columns);

  Vector rms(const Vector& x_now, const Vector& weight_now) {
    run(RmsNormForward<double>{.rows = rows, .columns = columns, .x = x_now.data(), .weight = weight_now.data(), .out = out.data(), .rstd = rstd.data()});
    return out;
  }
  Vector layer(const Vector& x_now, const Vector& weight_now, const Vector& bias_now) {
    run(LayerNormForward<double>{.rows = rows, .columns = columns, .x = x_now.data(), .weight = weight_now.data(), .bias = bias_now.data(), .out = out.data(),
                                 .mean = mean.data(), .rstd = rstd.data()});
    return out;
  }
};

TEST(Gradient, RmsNorm) {
  Norm n;
  n.rms(n.x, n.weight);
  RmsNormBackward<double> op{.rows = rows, .columns = columns, .x = n.x.data(), .weight = n.weight.data(), .rstd = n.rstd.data(), .dout = n.dout.data(),
                             .dx = n.dx.data(), .dweight = n.dweight.data()};
  op.workspace_bytes = op.workspace_size();
  run(op);

  expect_gradient("dx", [&](const Vector& x) { return n.rms(x, n.weight); }, n.x, n.dout, n.dx);
  expect_gradient("dweight", [&](const Vector& w) { return n.rms(n.x, w); }, n.weight, n.dout, n.dweight);
}

TEST(Gradient, LayerNorm) {
  Norm n;
  n.layer(n.x, n.weight, n.bias);
  LayerNormBackward<double> op{.rows = rows, .columns = columns, .x = n.x.data(), .weight = n.weight.data(), .mean = n.mean.data(), .rstd = n.rstd.data(),
                               .dout = n.dout.data(), .dx = n.dx.data(), .dweight = n.dweight.data(), .dbias = n.dbias.data()};
  op.workspace_bytes = op.workspace_size();
  run(op);

  expect_gradient("dx", [&](const Vector& x) { return n.layer(x, n.weight, n.bias); }, n.x, n.dout, n.dx);
  expect_gradient("dweight", [&](const Vector& w) { return n.layer(n.x, w, n.bias); }, n.weight, n.dout, n.dweight);
  expect_gradient("dbias", [&](const Vector& b) { return n.layer(n.x, n.weight, b); }, n.bias, n.dout, n.dbias);
}

TEST(Gradient, Gelu) {
  const Vector x = random_elements<double>(size, 1, 5.0), dout = random_elements<double>(size, 2);
  Vector dx(size);
  run(GeluBackward<double>{.count = std::int64_t(size), .x = x.data(), .dout = dout.data(), .dx = dx.data()});

  const Forward forward = [](const Vector& now) {
    Vector out(now.size());
    run(GeluForward<double>{.count = std::int64_t(now.size()), .x = now.data(), .out = out.data()});
    return out;
  };
  expect_gradient("dx", forward, x, dout, dx);
}

TEST(Gradient, Swiglu) {
  const std::int64_t stride = columns + 5;
  const std::size_t in = rows * stride;
  const Vector gate = random_elements<double>(in, 1, 5.0), up = random_elements<double>(in, 2), dout = random_elements<double>(size, 3);
  Vector dgate(in), dup(in);
  run(SwigluBackward<double>{.rows = rows, .columns = columns, .stride = stride, .gate = gate.data(), .up = up.data(), .dout = dout.data(), .dgate = dgate.data(),
                             .dup = dup.data()});

  const auto forward = [&](const Vector& gate_now, const Vector& up_now) {
    Vector out(size);
    run(SwigluForward<double>{.rows = rows, .columns = columns, .stride = stride, .gate = gate_now.data(), .up = up_now.data(), .out = out.data()});
    return out;
  };
  expect_gradient("dgate", [&](const Vector& now) { return forward(now, up); }, gate, dout, dgate);
  expect_gradient("dup", [&](const Vector& now) { return forward(gate, now); }, up, dout, dup);
}

TEST(Gradient, MatmulIsTwoMatmuls) {
  // c = a b  =>  da = dc b^T, db = a^T dc: what a linear layer's backward pass launches.
  const std::int64_t m = 11, n = 13, k = 17;
  const Vector a = random_elements<double>(m * k, 1), b = random_elements<double>(k * n, 2), dc = random_elements<double>(m * n, 3);
  Vector da(m * k), db(k * n);
  run(Matmul<double>{.m = m, .n = k, .k = n, .transpose_b = true, .a = dc.data(), .b = b.data(), .c = da.data()});
  run(Matmul<double>{.m = k, .n = n, .k = m, .transpose_a = true, .a = a.data(), .b = dc.data(), .c = db.data()});

  const auto forward = [&](const Vector& a_now, const Vector& b_now) {
    Vector c(m * n);
    run(Matmul<double>{.m = m, .n = n, .k = k, .a = a_now.data(), .b = b_now.data(), .c = c.data()});
    return c;
  };
  expect_gradient("da", [&](const Vector& now) { return forward(now, b); }, a, dc, da);
  expect_gradient("db", [&](const Vector& now) { return forward(a, now); }, b, dc, db);
}

}  // namespace
}  // namespace reckon::check
