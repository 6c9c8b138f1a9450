// Softmax cross-entropy on the CPU: a row of logits at a time.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/cross_entropy.hpp"

#include <limits>

#include "kernels/cpu/vector.hpp"

namespace reckon {
namespace {

template <class T>
RECKON_CLONES void forward_row(const T* x, std::int64_t columns, float* maximum, float* sum) {
  float largest = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : largest)
  for (std::int64_t c = 0; c < columns; ++c) largest = std::max(largest, widen(x[c]));
  // Sums of a few thousand columns, then their sum: 100,000 columns lose no more digits than a thousand.
  constexpr std::int64_t piece = 4096;
  float total = 0;
  for (std::int64_t first = 0; first < columns; first += piece) {
    const std::int64_t last = std::min(columns, first + piece);
    float part = 0;
#pragma omp simd reduction(+ : part)
    for (std::int64_t c = first; c < last; ++c) part += fast_exp(widen(x[c]) - largest);
    total += part;
  }
  *maximum = largest;
  *sum = total;
}

template <class T>
RECKON_CLONES void backward_row(const T* x, T* dx, std::int64_t columns, float maximum, float factor) {
#pragma omp simd
  for (std::int64_t c = 0; c < columns; ++c) dx[c] = narrow<T>(factor * fast_exp(widen(x[c]) - maximum));
}

template <class T>
void cross_entropy_forward(const CrossEntropyForward<T>& op, Stream) {
  for_each_piece(op.rows, rows_in_piece(op.columns), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const T* x = op.x + row * op.stride;
      const std::int64_t target = op.target[row] - op.first_column;
      forward_row(x, op.columns, op.maximum + row, op.sum + row);
      op.target_logit[row] = op.target[row] >= 0 && target >= 0 && target < op.columns ? widen(x[target]) : 0.0f;
    }
  });
}

template <class T>
void cross_entropy_backward(const CrossEntropyBackward<T>& op, Stream) {
  const float scale = float(op.scale);
  for_each_piece(op.rows, rows_in_piece(op.columns), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const T* x = op.x + row * op.stride;
      T* dx = op.dx + row * op.stride;
      if (op.target[row] < 0) {
        std::fill(dx, dx + op.columns, narrow<T>(0.0f));
        continue;
      }
      const std::int64_t target = op.target[row] - op.first_column;
      const bool here = target >= 0 && target < op.columns;
      const float logit = here ? widen(x[target]) : 0.0f;
      backward_row(x, dx, op.columns, op.maximum[row], scale / op.sum[row]);
      if (here) dx[target] = narrow<T>(scale * (fast_exp(logit - op.maximum[row]) / op.sum[row] - 1.0f));
    }
  });
}

}  // namespace

RECKON_LAUNCHERS(cpu, CrossEntropyForward, cross_entropy_forward)
RECKON_LAUNCHERS(cpu, CrossEntropyBackward, cross_entropy_backward)

}  // namespace reckon
