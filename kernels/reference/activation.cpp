// GELU and SwiGLU as their formulas read (kernels/op/activation.hpp).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/activation.hpp"

#include <cmath>

#include "kernels/reference/rounding.hpp"

namespace reckon {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double gelu_argument(double x) { return gelu_scale * (x + gelu_cubic * x * x * x); }

template <class T>
void gelu_forward(const GeluForward<T>& op) {
  for (std::int64_t i = 0; i < op.count; ++i) {
    const double x = widen(op.x[i]);
    op.out[i] = rounded<T>(x * sigmoid(2 * gelu_argument(x)));
  }
}

template <class T>
void gelu_backward(const GeluBackward<T>& op) {
  for (std::int64_t i = 0; i < op.count; ++i) {
    const double x = widen(op.x[i]);
    const double s = sigmoid(2 * gelu_argument(x)), slope = gelu_scale * (1 + 3 * gelu_cubic * x * x);
    op.dx[i] = rounded<T>(widen(op.dout[i]) * (s + 2 * x * s * (1 - s) * slope));
  }
}

template <class T>
void swiglu_forward(const SwigluForward<T>& op) {
  for (std::int64_t row = 0; row < op.rows; ++row) {
    for (std::int64_t c = 0; c < op.columns; ++c) {
      const double gate = widen(op.gate[row * op.stride + c]), up = widen(op.up[row * op.stride + c]);
      op.out[row * op.columns + c] = rounded<T>(gate * sigmoid(gate) * up);
    }
  }
}

template <class T>
void swiglu_backward(const SwigluBackward<T>& op) {
  for (std::int64_t row = 0; row < op.rows; ++row) {
    for (std::int64_t c = 0; c < op.columns; ++c) {
      const std::int64_t i = row * op.stride + c;
      const double gate = widen(op.gate[i]), up = widen(op.up[i]), dout = widen(op.dout[row * op.columns + c]);
      const double s = sigmoid(gate);
      op.dgate[i] = rounded<T>(dout * up * s * (1 + gate * (1 - s)));
      op.dup[i] = rounded<T>(dout * gate * s);
    }
  }
}

}  // namespace

RECKON_REFERENCE(GeluForward, gelu_forward)
RECKON_REFERENCE(GeluBackward, gelu_backward)
RECKON_REFERENCE(SwigluForward, swiglu_forward)
RECKON_REFERENCE(SwigluBackward, swiglu_backward)

}  // namespace reckon
