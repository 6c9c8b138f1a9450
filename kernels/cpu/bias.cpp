// Bias and its gradient on the CPU.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/bias.hpp"

#include "kernels/cpu/vector.hpp"

namespace reckon {
namespace {

template <class T>
RECKON_CLONES void bias_row(const T* x, const T* bias, const T* residual, T* out, std::int64_t columns) {
  if (residual == nullptr) {
#pragma omp simd
    for (std::int64_t c = 0; c < columns; ++c) out[c] = narrow<T>(widen(x[c]) + widen(bias[c]));
  } else {
#pragma omp simd
    for (std::int64_t c = 0; c < columns; ++c) out[c] = narrow<T>(widen(x[c]) + widen(bias[c]) + widen(residual[c]));
  }
}

template <class T>
RECKON_CLONES void add_row(const T* x, float* sum, std::int64_t count) {
#pragma omp simd
  for (std::int64_t c = 0; c < count; ++c) sum[c] += widen(x[c]);
}

template <class T>
void bias_add(const BiasAdd<T>& op, Stream) {
  for_each_piece(op.rows, rows_in_piece(op.columns), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const std::int64_t at = row * op.columns;
      bias_row(op.x + at, op.bias, op.residual == nullptr ? nullptr : op.residual + at, op.out + at, op.columns);
    }
  });
}

template <class T>
void bias_backward(const BiasBackward<T>& op, Stream) {
  const std::int64_t chunks = row_chunks(op.rows), columns = op.columns;
  float* partial = static_cast<float*>(op.workspace);
  for_each_piece(chunks, 1, [&](std::int64_t chunk, std::int64_t) {
    float* sum = partial + chunk * columns;
    std::fill_n(sum, columns, 0.0f);
    for (std::int64_t row = chunk * op.rows / chunks; row < (chunk + 1) * op.rows / chunks; ++row)
      add_row(op.dout + row * columns, sum, columns);
  });
  for_each_piece(columns, 256, [&](std::int64_t first, std::int64_t last) {
    if (!op.accumulate) std::fill(op.dbias + first, op.dbias + last, 0.0f);
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) add_row(partial + chunk * columns + first, op.dbias + first, last - first);
  });
}

}  // namespace

RECKON_LAUNCHERS(cpu, BiasAdd, bias_add)
RECKON_LAUNCHERS(cpu, BiasBackward, bias_backward)

}  // namespace reckon
