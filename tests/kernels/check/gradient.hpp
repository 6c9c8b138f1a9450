// Backward passes against central differences of the forward passes, in double.
//
// For a loss L = sum of dout out with random dout, each input's derivative is (L(x + h) - L(x - h)) / 2h with h = 1e-5 max(1, |x|): the
// truncation error is of order h^2 and the rounding error of order 1e-16 / h, both far below the 1e-6 that is asked for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "kernels/op/backend.hpp"
#include "tests/kernels/check/operand.hpp"

namespace reckon::check {

using Vector = std::vector<double>;
/// The forward pass as a function of one of its inputs.
using Forward = std::function<Vector(const Vector&)>;

template <class Op>
void run(const Op& op) {
  launch<Backend::reference>(op, {});
}

inline double weighted_difference(const Vector& plus, const Vector& minus, const Vector& dout) {
  double sum = 0;
  for (std::size_t i = 0; i < dout.size(); ++i) sum += dout[i] * (plus[i] - minus[i]);  // differences first: no large sums cancel
  return sum;
}

/// 200 random coordinates (or all), and the derivative along a random direction.
inline void expect_gradient(const char* name, const Forward& forward, const Vector& x, const Vector& dout, const Vector& gradient) {
  const std::size_t coordinates = std::min<std::size_t>(200, x.size());
  for (std::size_t k = 0; k < coordinates; ++k) {
    const std::size_t i = x.size() <= 200 ? k : static_cast<std::size_t>((uniform(99, k) + 1) / 2 * double(x.size()));
    const double h = 1e-5 * std::max(1.0, std::abs(x[i]));
    Vector plus = x, minus = x;
    plus[i] += h;
    minus[i] -= h;
    const double numeric = weighted_difference(forward(plus), forward(minus), dout) / (plus[i] - minus[i]);
    EXPECT_NEAR(gradient[i], numeric, 1e-6 * std::max({std::abs(gradient[i]), std::abs(numeric), 1e-3})) << name << " at " << i;
  }
  Vector plus = x, minus = x;
  const double h = 1e-5;
  double along = 0, size = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double direction = uniform(98, i);
    plus[i] += h * direction;
    minus[i] -= h * direction;
    along += gradient[i] * direction;
    size += std::abs(gradient[i] * direction);
  }
  EXPECT_NEAR(along, weighted_difference(forward(plus), forward(minus), dout) / (2 * h), 1e-6 * std::max(std::abs(along), 1e-2 * size)) << name << " along a direction";
}

}  // namespace reckon::check
