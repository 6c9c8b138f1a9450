// RMSNorm and LayerNorm as their formulas read (kernels/op/norm.hpp).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/norm.hpp"

#include <cmath>

#include "kernels/reference/rounding.hpp"

namespace reckon {
namespace {

template <class T>
void rms_norm_forward(const RmsNormForward<T>& op) {
  if (op.columns == 0) return;
  for (std::int64_t row = 0; row < op.rows; ++row) {
    const T* x = op.x + row * op.columns;
    double squares = 0;
    for (std::int64_t c = 0; c < op.columns; ++c) squares += double(widen(x[c])) * double(widen(x[c]));
    const double rstd = 1 / std::sqrt(squares / double(op.columns) + double(op.epsilon));
    for (std::int64_t c = 0; c < op.columns; ++c) {
      op.out[row * op.columns + c] = rounded<T>(widen(x[c]) * rstd * widen(op.weight[c]));
    }
    op.rstd[row] = Accumulator<T>(rstd);
  }
}

template <class T>
void layer_norm_forward(const LayerNormForward<T>& op) {
  if (op.columns == 0) return;
  const double columns = double(op.columns);
  for (std::int64_t row = 0; row < op.rows; ++row) {
    const T* x = op.x + row * op.columns;
    double mean = 0, variance = 0;
    for (std::int64_t c = 0; c < op.columns; ++c) mean += widen(x[c]) / columns;
    for (std::int64_t c = 0; c < op.columns; ++c) variance += (widen(x[c]) - mean) * (widen(x[c]) - mean) / columns;
    const double rstd = 1 / std::sqrt(variance + double(op.epsilon));
    for (std::int64_t c = 0; c < op.columns; ++c) {
      op.out[row * op.columns + c] = rounded<T>((widen(x[c]) - mean) * rstd * widen(op.weight[c]) + widen(op.bias[c]));
    }
    op.mean[row] = Accumulator<T>(mean);
    op.rstd[row] = Accumulator<T>(rstd);
  }
}

/// dx of one row; mean is 0 and `centred` false for RMSNorm, whose formula lacks the mean(g) term.
template <class Op>
void norm_input_gradient(const Op& op, std::int64_t row, double mean, bool centred) {
  using T = typename Op::Element;
  const std::int64_t first = row * op.columns;
  const double rstd = double(op.rstd[row]), columns = double(op.columns);
  double mean_g = 0, mean_gn = 0;
  for (std::int64_t c = 0; c < op.columns; ++c) {
    const double g = double(widen(op.dout[first + c])) * double(widen(op.weight[c]));
    mean_g += g / columns;
    mean_gn += g * (widen(op.x[first + c]) - mean) * rstd / columns;
  }
  for (std::int64_t c = 0; c < op.columns; ++c) {
    const double g = double(widen(op.dout[first + c])) * double(widen(op.weight[c]));
    const double n = (widen(op.x[first + c]) - mean) * rstd;
    op.dx[first + c] = rounded<T>(rstd * (g - (centred ? mean_g : 0.0) - n * mean_gn));
  }
}

template <class T>
void rms_norm_backward(const RmsNormBackward<T>& op) {
  for (std::int64_t row = 0; row < op.rows; ++row) norm_input_gradient(op, row, 0.0, false);
  for (std::int64_t c = 0; c < op.columns; ++c) {
    double sum = op.accumulate ? double(op.dweight[c]) : 0.0;
    for (std::int64_t row = 0; row < op.rows; ++row) {
      sum += double(widen(op.dout[row * op.columns + c])) * widen(op.x[row * op.columns + c]) * double(op.rstd[row]);
    }
    op.dweight[c] = Accumulator<T>(sum);
  }
}

template <class T>
void layer_norm_backward(const LayerNormBackward<T>& op) {
  for (std::int64_t row = 0; row < op.rows; ++row) norm_input_gradient(op, row, double(op.mean[row]), true);
  for (std::int64_t c = 0; c < op.columns; ++c) {
    double weight = op.accumulate ? double(op.dweight[c]) : 0.0, bias = op.accumulate ? double(op.dbias[c]) : 0.0;
    for (std::int64_t row = 0; row < op.rows; ++row) {
      const double dout = double(widen(op.dout[row * op.columns + c]));
      weight += dout * (widen(op.x[row * op.columns + c]) - double(op.mean[row])) * double(op.rstd[row]);
      bias += dout;
    }
    op.dweight[c] = Accumulator<T>(weight);
    op.dbias[c] = Accumulator<T>(bias);
  }
}

}  // namespace

RECKON_REFERENCE(RmsNormForward, rms_norm_forward)
RECKON_REFERENCE(LayerNormForward, layer_norm_forward)
RECKON_REFERENCE(RmsNormBackward, rms_norm_backward)
RECKON_REFERENCE(LayerNormBackward, layer_norm_backward)

}  // namespace reckon
