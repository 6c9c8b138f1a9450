// RMSNorm and LayerNorm on the CPU: a row at a time while it is in cache; weight gradients by fixed chunks of rows.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/norm.hpp"

#include <cmath>

#include "kernels/cpu/vector.hpp"

namespace reckon {
namespace {

template <class T>
RECKON_CLONES float rms_forward_row(const T* x, const T* weight, T* out, std::int64_t columns, float epsilon) {
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (std::int64_t c = 0; c < columns; ++c) squares += widen(x[c]) * widen(x[c]);
  const float rstd = 1.0f / __builtin_sqrtf(squares / float(columns) + epsilon);
#pragma omp simd
  for (std::int64_t c = 0; c < columns; ++c) out[c] = narrow<T>(widen(x[c]) * rstd * widen(weight[c]));
  return rstd;
}

/// Two passes for mean and variance: a single one would lose the variance of rows with a large mean.
template <class T>
RECKON_CLONES void layer_forward_row(const T* x, const T* weight, const T* bias, T* out, std::int64_t columns, float epsilon, float* mean_out,
                                     float* rstd_out) {
  float sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t c = 0; c < columns; ++c) sum += widen(x[c]);
  const float mean = sum / float(columns);
#pragma omp simd reduction(+ : squares)
  for (std::int64_t c = 0; c < columns; ++c) squares += (widen(x[c]) - mean) * (widen(x[c]) - mean);
  const float rstd = 1.0f / __builtin_sqrtf(squares / float(columns) + epsilon);
#pragma omp simd
  for (std::int64_t c = 0; c < columns; ++c) out[c] = narrow<T>((widen(x[c]) - mean) * rstd * widen(weight[c]) + widen(bias[c]));
  *mean_out = mean;
  *rstd_out = rstd;
}

/// One row of dx, and the row's share of dweight (and, centred, of dbias) added to partial sums.
template <bool centred, class T>
RECKON_CLONES void backward_row(const T* x, const T* weight, const T* dout, float mean, float rstd, T* dx, float* dweight, float* dbias,
                                std::int64_t columns) {
  float sum_g = 0, sum_gn = 0;
#pragma omp simd reduction(+ : sum_g, sum_gn)
  for (std::int64_t c = 0; c < columns; ++c) {
    const float g = widen(dout[c]) * widen(weight[c]), n = (widen(x[c]) - mean) * rstd;
    if (centred) sum_g += g;
    sum_gn += g * n;
  }
  const float mean_g = sum_g / float(columns), mean_gn = sum_gn / float(columns);
#pragma omp simd
  for (std::int64_t c = 0; c < columns; ++c) {
    const float d = widen(dout[c]), g = d * widen(weight[c]), n = (widen(x[c]) - mean) * rstd;
    dx[c] = narrow<T>(rstd * (g - mean_g - n * mean_gn));
    dweight[c] += d * n;
    if (centred) dbias[c] += d;
  }
}

/// out[c] = (accumulate ? out[c] : 0) + the chunks' sums in their order.
RECKON_CLONES void sum_chunks(const float* partial, std::int64_t chunks, std::int64_t columns, std::int64_t first, std::int64_t last,
                              bool accumulate, float* out) {
  if (!accumulate) std::fill(out + first, out + last, 0.0f);
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    const float* row = partial + chunk * columns;
#pragma omp simd
    for (std::int64_t c = first; c < last; ++c) out[c] += row[c];
  }
}

template <class T>
void rms_norm_forward(const RmsNormForward<T>& op, Stream) {
  if (op.columns == 0) return;
  for_each_piece(op.rows, rows_in_piece(op.columns), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const std::int64_t at = row * op.columns;
      op.rstd[row] = rms_forward_row(op.x + at, op.weight, op.out + at, op.columns, op.epsilon);
    }
  });
}

template <class T>
void layer_norm_forward(const LayerNormForward<T>& op, Stream) {
  if (op.columns == 0) return;
  for_each_piece(op.rows, rows_in_piece(op.columns), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const std::int64_t at = row * op.columns;
      layer_forward_row(op.x + at, op.weight, op.bias, op.out + at, op.columns, op.epsilon, op.mean + row, op.rstd + row);
    }
  });
}

/// The backward pass of both norms.  mean and dbias are null where the norm is not centred.
template <bool centred, class Op>
void norm_backward(const Op& op, const float* mean, float* dbias) {
  const std::int64_t chunks = row_chunks(op.rows), columns = op.columns;
  float* partial_weight = static_cast<float*>(op.workspace);
  float* partial_bias = centred ? partial_weight + chunks * columns : nullptr;
  for_each_piece(chunks, 1, [&](std::int64_t chunk, std::int64_t) {
    float* weight_sum = partial_weight + chunk * columns;
    float* bias_sum = centred ? partial_bias + chunk * columns : nullptr;
    std::fill_n(weight_sum, columns, 0.0f);
    if (centred) std::fill_n(bias_sum, columns, 0.0f);
    for (std::int64_t row = chunk * op.rows / chunks; row < (chunk + 1) * op.rows / chunks; ++row) {
      const std::int64_t at = row * columns;
      backward_row<centred>(op.x + at, op.weight, op.dout + at, centred ? mean[row] : 0.0f, op.rstd[row], op.dx + at, weight_sum, bias_sum,
                            columns);
    }
  });
  for_each_piece(columns, 256, [&](std::int64_t first, std::int64_t last) {
    sum_chunks(partial_weight, chunks, columns, first, last, op.accumulate, op.dweight);
    if (centred) sum_chunks(partial_bias, chunks, columns, first, last, op.accumulate, dbias);
  });
}

template <class T>
void rms_norm_backward(const RmsNormBackward<T>& op, Stream) {
  norm_backward<false>(op, nullptr, nullptr);
}

template <class T>
void layer_norm_backward(const LayerNormBackward<T>& op, Stream) {
  norm_backward<true>(op, op.mean, op.dbias);
}

}  // namespace

RECKON_LAUNCHERS(cpu, RmsNormForward, rms_norm_forward)
RECKON_LAUNCHERS(cpu, LayerNormForward, layer_norm_forward)
RECKON_LAUNCHERS(cpu, RmsNormBackward, rms_norm_backward)
RECKON_LAUNCHERS(cpu, LayerNormBackward, layer_norm_backward)

}  // namespace reckon
