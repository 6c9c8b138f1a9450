// Planted errors: each mutant is a kernel with one mistake that is easily made, and the checks must refuse it.
//
// A mutant changes the op before a correct kernel runs, or its result afterwards; ops that it does not name run correctly.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/kernels/check/all.hpp"

namespace reckon::check {
namespace {

template <class Op>
void run(const Op& op) {
  launch<Backend::cpu>(op, {});
}

template <class... Overload>
struct Mutant : Overload... {
  using Overload::operator()...;
};
template <class... Overload>
Mutant(Overload...) -> Mutant<Overload...>;

/// The correct kernel, for all ops that a mutant does not name; a generic overload loses against one that names the type.
constexpr auto correct = [](const auto& op) { run(op); };

enum class Family { norms, elementwise, products };

/// How many checks of a family refuse it.
template <class Launch>
int refused(Family family, const Launch& launch) {
  HostPlace place;
  int count = 0;
  const auto visit = [&](const std::string&, const Report& report) { count += !report.passed(); };
  if (family == Family::norms) check_norms<float>(place, 7, launch, visit);
  if (family == Family::elementwise) check_elementwise<float>(place, 7, launch, visit);
  if (family == Family::products) check_matmuls<float, float>(place, 7, launch, visit);
  return count;
}

#define EXPECT_REFUSED(family, ...) EXPECT_GT(refused(Family::family, Mutant{correct, __VA_ARGS__}), 0)

TEST(Mutants, NoneIsRefusedWithoutAMistake) {
  for (const Family family : {Family::norms, Family::elementwise, Family::products}) EXPECT_EQ(refused(family, correct), 0);
}

TEST(Mutants, NormsForward) {
  // epsilon forgotten
  EXPECT_REFUSED(norms, [](RmsNormForward<float> op) { op.epsilon = 0; run(op); });
  // the last columns that do not fill a vector are left unwritten
  EXPECT_REFUSED(norms, [](const RmsNormForward<float>& op) {
    run(op);
    for (std::int64_t c = op.columns / 16 * 16; c < op.columns && op.rows > 0; ++c) op.out[(op.rows - 1) * op.columns + c] = NAN;
  });
  // rstd kept for the backward pass is 1 / mean square, without the root
  EXPECT_REFUSED(norms, [](const RmsNormForward<float>& op) {
    run(op);
    for (std::int64_t r = 0; r < op.rows && op.columns > 0; ++r) op.rstd[r] *= op.rstd[r];
  });
  // sample variance (divided by columns - 1)
  EXPECT_REFUSED(norms, [](const LayerNormForward<float>& op) {
    run(op);
    for (std::int64_t r = 0; r < op.rows; ++r) {
      for (std::int64_t c = 0; c < op.columns; ++c) {
        float& out = op.out[r * op.columns + c];
        out = (out - op.bias[c]) * std::sqrt(float(op.columns - 1) / float(op.columns)) + op.bias[c];
      }
    }
  });
  // bias forgotten
  EXPECT_REFUSED(norms, [](const LayerNormForward<float>& op) {
    run(op);
    for (std::int64_t i = 0; i < op.rows * op.columns; ++i) op.out[i] -= op.bias[i % op.columns];
  });
}

TEST(Mutants, NormsBackward) {
  // the projection on the normalised row is missing
  EXPECT_REFUSED(norms, [](const RmsNormBackward<float>& op) {
    run(op);
    for (std::int64_t i = 0; i < op.rows * op.columns; ++i) op.dx[i] = op.rstd[i / op.columns] * op.dout[i] * op.weight[i % op.columns];
  });
  // the mean of the gradient is not taken out: RMSNorm's formula in a layer norm
  EXPECT_REFUSED(norms, [](const LayerNormBackward<float>& op) {
    run(op);
    for (std::int64_t r = 0; r < op.rows; ++r) {
      float mean_g = 0;
      for (std::int64_t c = 0; c < op.columns; ++c) mean_g += op.dout[r * op.columns + c] * op.weight[c] / float(op.columns);
      for (std::int64_t c = 0; c < op.columns; ++c) op.dx[r * op.columns + c] += op.rstd[r] * mean_g;
    }
  });
  // the last row is left out of the weight gradient
  EXPECT_REFUSED(norms, [](const RmsNormBackward<float>& op) {
    run(op);
    const std::int64_t last = op.rows - 1;
    for (std::int64_t c = 0; c < op.columns && last >= 0; ++c) {
      op.dweight[c] -= op.dout[last * op.columns + c] * op.x[last * op.columns + c] * op.rstd[last];
    }
  });
  // accumulation ignored, and done unasked
  EXPECT_REFUSED(norms, [](RmsNormBackward<float> op) { op.accumulate = false; run(op); });
  EXPECT_REFUSED(norms, [](LayerNormBackward<float> op) { op.accumulate = true; run(op); });
  // bias gradient weighted like dx
  EXPECT_REFUSED(norms, [](const LayerNormBackward<float>& op) {
    run(op);
    for (std::int64_t c = 0; c < op.columns; ++c) op.dbias[c] *= op.weight[c];
  });
}

TEST(Mutants, Activations) {
  // GELU by the error function instead of its tanh form: they differ by at most 5e-4
  EXPECT_REFUSED(elementwise, [](const GeluForward<float>& op) {
    for (std::int64_t i = 0; i < op.count; ++i) op.out[i] = 0.5f * op.x[i] * (1 + std::erf(op.x[i] / std::sqrt(2.0f)));
  });
  // the cubic's inner derivative forgotten
  EXPECT_REFUSED(elementwise, [](const GeluBackward<float>& op) {
    for (std::int64_t i = 0; i < op.count; ++i) {
      const double x = op.x[i], s = 1 / (1 + std::exp(-2 * gelu_scale * (x + gelu_cubic * x * x * x)));
      op.dx[i] = float(op.dout[i] * (s + 2 * x * s * (1 - s) * gelu_scale));
    }
  });
  // gate and up exchanged
  EXPECT_REFUSED(elementwise, [](SwigluForward<float> op) { std::swap(op.gate, op.up); run(op); });
  // rows read as if they had no gaps
  EXPECT_REFUSED(elementwise, [](SwigluForward<float> op) { op.stride = op.columns; run(op); });
  // the gate's gradient as if its sigmoid were constant
  EXPECT_REFUSED(elementwise, [](const SwigluBackward<float>& op) {
    run(op);
    for (std::int64_t r = 0; r < op.rows; ++r) {
      for (std::int64_t c = 0; c < op.columns; ++c) {
        const std::int64_t i = r * op.stride + c;
        op.dgate[i] = op.dout[r * op.columns + c] * op.up[i] / (1 + std::exp(-op.gate[i]));
      }
    }
  });
  // gaps between rows overwritten
  EXPECT_REFUSED(elementwise, [](const SwigluBackward<float>& op) {
    run(op);
    for (std::int64_t r = 0; r < op.rows; ++r) {
      for (std::int64_t c = op.columns; c < op.stride; ++c) op.dup[r * op.stride + c] = 0;
    }
  });
}

TEST(Mutants, MemoryOps) {
  // the last element dropped
  EXPECT_REFUSED(elementwise, [](ResidualAdd<float> op) { op.count = std::max<std::int64_t>(0, op.count - 1); run(op); });
  // one element too many
  EXPECT_REFUSED(elementwise, [](Copy<float> op) { ++op.count; run(op); });
  // shifted by one
  EXPECT_REFUSED(elementwise, [](Copy<float> op) { if (op.count > 1) { --op.count; ++op.x; } run(op); });
}

TEST(Mutants, AdamW) {
  using Update = AdamW<float, float>;
  // no bias correction
  EXPECT_REFUSED(elementwise, [](Update op) { op.step = 1000000; run(op); });
  // the step counted from zero
  EXPECT_REFUSED(elementwise, [](Update op) { op.step += 1; run(op); });
  // decay added to the gradient (Adam with L2) instead of to the update
  EXPECT_REFUSED(elementwise, [](Update op) {
    std::vector<float> gradient(op.gradient, op.gradient + op.count);
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += float(op.weight_decay / op.gradient_scale) * op.master[i];
    op.gradient = gradient.data();
    op.weight_decay = 0;
    run(op);
  });
  // epsilon under the root
  EXPECT_REFUSED(elementwise, [](const Update& op) {
    std::vector<float> before(op.master, op.master + op.count);
    run(op);
    for (std::int64_t i = 0; i < op.count; ++i) {
      const double c1 = 1 - std::pow(op.beta1, double(op.step)), c2 = 1 - std::pow(op.beta2, double(op.step));
      const double update = op.first_moment[i] / c1 / std::sqrt(op.second_moment[i] / c2 + op.epsilon);
      op.master[i] = float(before[std::size_t(i)] * (1 - op.learning_rate * op.weight_decay) - op.learning_rate * update);
    }
  });
  // the working weight not written
  EXPECT_REFUSED(elementwise, [](Update op) { op.weight = nullptr; run(op); });
}

TEST(Mutants, Matmul) {
  using Product = Matmul<float, float>;
  // a transpose ignored
  EXPECT_REFUSED(products, [](Product op) { if (op.m == op.k || op.transpose_b) op.transpose_b = false; op.ldb = std::max(op.ldb, op.n); run(op); });
  // the last term of every sum dropped
  EXPECT_REFUSED(products, [](Product op) { op.k = std::max<std::int64_t>(0, op.k - 1); run(op); });
  // the old c not added, or added unasked
  EXPECT_REFUSED(products, [](Product op) { op.beta = 0; run(op); });
  EXPECT_REFUSED(products, [](Product op) { op.beta = 1; run(op); });
  // alpha ignored
  EXPECT_REFUSED(products, [](Product op) { op.alpha = 1; run(op); });
  // the last row left out
  EXPECT_REFUSED(products, [](Product op) { op.m = std::max<std::int64_t>(0, op.m - 1); run(op); });
  // every member of a batch reads the first b
  EXPECT_REFUSED(products, [](Product op) { op.stride_b = 0; run(op); });
  // operands rounded to bf16 on the way
  EXPECT_REFUSED(products, [](const Product& op) {
    run(op);
    for (std::int64_t i = 0; i < op.m * op.n && op.batch == 1 && op.ldc == op.n; ++i) op.c[i] = widen(narrow<Bf16>(op.c[i]));
  });
}

TEST(Mutants, Bf16RoundedTowardsZero) {
  HostPlace place;
  const auto truncating = [](const auto& op) {
    run(op);
    using T = typename std::decay_t<decltype(op)>::Element;
    if constexpr (std::is_same_v<std::decay_t<decltype(op)>, ResidualAdd<Bf16>>) {
      for (std::int64_t i = 0; i < op.count; ++i) {
        const float sum = widen(op.a[i]) + widen(op.b[i]);
        std::uint32_t bits;
        std::memcpy(&bits, &sum, sizeof bits);
        op.out[i] = T{static_cast<std::uint16_t>(bits >> 16)};
      }
    }
  };
  int count = 0;
  check_elementwise<Bf16>(place, 7, truncating, [&](const std::string&, const Report& report) { count += !report.passed(); });
  EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace reckon::check
