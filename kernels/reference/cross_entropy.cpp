// Softmax cross-entropy as its formula reads (kernels/op/cross_entropy.hpp).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/cross_entropy.hpp"

#include <cmath>
#include <limits>

#include "kernels/reference/rounding.hpp"

namespace reckon {
namespace {

template <class T>
void cross_entropy_forward(const CrossEntropyForward<T>& op) {
  for (std::int64_t row = 0; row < op.rows; ++row) {
    const T* x = op.x + row * op.stride;
    double maximum = -std::numeric_limits<double>::infinity(), sum = 0;
    for (std::int64_t c = 0; c < op.columns; ++c) maximum = std::max(maximum, double(widen(x[c])));
    for (std::int64_t c = 0; c < op.columns; ++c) sum += std::exp(double(widen(x[c])) - maximum);
    const std::int64_t target = op.target[row] - op.first_column;
    op.maximum[row] = Accumulator<T>(maximum);
    op.sum[row] = Accumulator<T>(sum);
    op.target_logit[row] = op.target[row] >= 0 && target >= 0 && target < op.columns ? Accumulator<T>(widen(x[target])) : Accumulator<T>(0);
  }
}

template <class T>
void cross_entropy_backward(const CrossEntropyBackward<T>& op) {
  for (std::int64_t row = 0; row < op.rows; ++row) {
    for (std::int64_t c = 0; c < op.columns; ++c) {
      const std::int64_t at = row * op.stride + c;
      const double p = std::exp(double(widen(op.x[at])) - double(op.maximum[row])) / double(op.sum[row]);
      const double gradient = p - (op.target[row] == op.first_column + c ? 1.0 : 0.0);
      op.dx[at] = rounded<T>(op.target[row] < 0 ? 0.0 : op.scale * gradient);
    }
  }
}

}  // namespace

RECKON_REFERENCE(CrossEntropyForward, cross_entropy_forward)
RECKON_REFERENCE(CrossEntropyBackward, cross_entropy_backward)

}  // namespace reckon
