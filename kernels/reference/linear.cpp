// A linear layer and its activation as the formulas read (kernels/op/linear.hpp): rounded once, at the end.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/linear.hpp"

#include <cmath>
#include <vector>

#include "kernels/reference/rounding.hpp"

namespace reckon {
namespace {

double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
double gelu_logit(double x) { return 2 * gelu_scale * (x + gelu_cubic * x * x * x); }
double gelu(double x) { return x * sigmoid(gelu_logit(x)); }
double gelu_slope(double x) {
  const double u = gelu_logit(x), s = sigmoid(u), rest = sigmoid(-u);
  return s + 2 * x * s * rest * gelu_scale * (1 + 3 * gelu_cubic * x * x);
}

template <class T>
void linear_forward(const LinearForward<T>& op) {
  std::vector<double> hidden(std::size_t(op.out));
  for (std::int64_t i = 0; i < op.rows; ++i) {
    for (std::int64_t j = 0; j < op.out; ++j) {
      double sum = op.bias == nullptr ? 0.0 : double(widen(op.bias[j]));
      for (std::int64_t l = 0; l < op.in; ++l) sum += double(widen(op.x[i * op.in + l])) * double(widen(op.weight[j * op.in + l]));
      hidden[std::size_t(j)] = sum;
      op.hidden[i * op.out + j] = rounded<T>(sum);
    }
    if (op.activation == Activation::none) continue;
    const std::int64_t width = op.width();
    for (std::int64_t j = 0; j < width; ++j) {
      const double x = hidden[std::size_t(j)];
      const double value = op.activation == Activation::gelu ? gelu(x) : x * sigmoid(x) * hidden[std::size_t(width + j)];
      op.active[i * width + j] = rounded<T>(value);
    }
  }
}

template <class T>
void linear_backward(const LinearBackward<T>& op) {
  for (std::int64_t i = 0; i < op.rows; ++i) {
    for (std::int64_t j = 0; j < op.in; ++j) {
      double d = 0;
      for (std::int64_t l = 0; l < op.out; ++l) d += double(widen(op.dy[i * op.out + l])) * double(widen(op.weight[l * op.in + j]));
      const std::int64_t at = i * op.stride() + j;
      if (op.activation == Activation::none) {
        op.dhidden[at] = rounded<T>(d);
        continue;
      }
      const double x = double(widen(op.hidden[at]));
      if (op.activation == Activation::gelu) {
        op.dhidden[at] = rounded<T>(d * gelu_slope(x));
      } else {
        const double up = double(widen(op.hidden[at + op.in])), s = sigmoid(x);
        op.dhidden[at] = rounded<T>(d * up * s * (1 + x * sigmoid(-x)));
        op.dhidden[at + op.in] = rounded<T>(d * x * s);
      }
    }
  }
}

}  // namespace

RECKON_REFERENCE(LinearForward, linear_forward)
RECKON_REFERENCE(LinearBackward, linear_backward)

}  // namespace reckon
