// Bias and its gradient as their formulas read (kernels/op/bias.hpp).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/bias.hpp"

#include "kernels/reference/rounding.hpp"

namespace reckon {
namespace {

template <class T>
void bias_add(const BiasAdd<T>& op) {
  for (std::int64_t i = 0; i < op.rows * op.columns; ++i) {
    const double residual = op.residual == nullptr ? 0.0 : double(widen(op.residual[i]));
    op.out[i] = rounded<T>(double(widen(op.x[i])) + double(widen(op.bias[i % op.columns])) + residual);
  }
}

template <class T>
void bias_backward(const BiasBackward<T>& op) {
  for (std::int64_t c = 0; c < op.columns; ++c) {
    double sum = op.accumulate ? double(op.dbias[c]) : 0.0;
    for (std::int64_t row = 0; row < op.rows; ++row) sum += double(widen(op.dout[row * op.columns + c]));
    op.dbias[c] = Accumulator<T>(sum);
  }
}

}  // namespace

RECKON_REFERENCE(BiasAdd, bias_add)
RECKON_REFERENCE(BiasBackward, bias_backward)

}  // namespace reckon
