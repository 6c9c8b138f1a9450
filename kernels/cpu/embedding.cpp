// Table look-ups and rotary positions on the CPU.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/embedding.hpp"

#include "kernels/cpu/vector.hpp"

namespace reckon {
namespace {

template <class T>
RECKON_CLONES void look_up_row(const T* row, T* out, std::int64_t columns, bool accumulate) {
  if (accumulate) {
    if (row == nullptr) return;
#pragma omp simd
    for (std::int64_t c = 0; c < columns; ++c) out[c] = narrow<T>(widen(out[c]) + widen(row[c]));
  } else if (row == nullptr) {
    for (std::int64_t c = 0; c < columns; ++c) out[c] = narrow<T>(0.0f);
  } else {
    for (std::int64_t c = 0; c < columns; ++c) out[c] = row[c];
  }
}

template <class T>
RECKON_CLONES void add_row(const T* x, float* sum, std::int64_t count) {
#pragma omp simd
  for (std::int64_t c = 0; c < count; ++c) sum[c] += widen(x[c]);
}

template <class T>
RECKON_CLONES void rotate_head(T* x, const float* cosine, const float* sine, std::int64_t half, float sign) {
#pragma omp simd
  for (std::int64_t d = 0; d < half; ++d) {
    const float a = widen(x[d]), b = widen(x[d + half]), c = cosine[d], s = sign * sine[d];
    x[d] = narrow<T>(a * c - b * s);
    x[d + half] = narrow<T>(a * s + b * c);
  }
}

template <class T>
void embedding_forward(const EmbeddingForward<T>& op, Stream) {
  for_each_piece(op.tokens, rows_in_piece(op.columns), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) {
      const std::int64_t row = op.index[t] - op.first_row;
      const bool here = row >= 0 && row < op.table_rows;
      look_up_row<T>(here ? op.table + row * op.columns : nullptr, op.out + t * op.columns, op.columns, op.accumulate);
    }
  });
}

/// Columns are divided among threads, never tokens: one writer an element, tokens in their order.
template <class T>
void embedding_backward(const EmbeddingBackward<T>& op, Stream) {
  for_each_piece(op.columns, 256, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = 0; t < op.tokens; ++t) {
      const std::int64_t row = op.index[t] - op.first_row;
      if (row >= 0 && row < op.table_rows) add_row(op.dout + t * op.columns + first, op.dtable + row * op.columns + first, last - first);
    }
  });
}

template <class T>
void rotary(const Rotary<T>& op, Stream) {
  const std::int64_t half = op.head_dim / 2;
  for_each_piece(op.tokens, rows_in_piece(op.heads * op.head_dim), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) {
      const std::int64_t angle = t % op.period * half;
      for (std::int64_t h = 0; h < op.heads; ++h) {
        rotate_head(op.x + t * op.stride + h * op.head_dim, op.cosine + angle, op.sine + angle, half, op.inverse ? -1.0f : 1.0f);
      }
    }
  });
}

}  // namespace

RECKON_LAUNCHERS(cpu, EmbeddingForward, embedding_forward)
RECKON_LAUNCHERS(cpu, EmbeddingBackward, embedding_backward)
RECKON_LAUNCHERS(cpu, Rotary, rotary)

}  // namespace reckon
