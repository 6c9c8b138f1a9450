// Table look-ups and rotary positions as their formulas read (kernels/op/embedding.hpp).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/embedding.hpp"

#include "kernels/reference/rounding.hpp"

namespace reckon {
namespace {

template <class T>
void embedding_forward(const EmbeddingForward<T>& op) {
  for (std::int64_t t = 0; t < op.tokens; ++t) {
    const std::int64_t row = op.index[t] - op.first_row;
    const bool here = row >= 0 && row < op.table_rows;
    for (std::int64_t c = 0; c < op.columns; ++c) {
      T& out = op.out[t * op.columns + c];
      out = rounded<T>((here ? double(widen(op.table[row * op.columns + c])) : 0.0) + (op.accumulate ? double(widen(out)) : 0.0));
    }
  }
}

template <class T>
void embedding_backward(const EmbeddingBackward<T>& op) {
  for (std::int64_t t = 0; t < op.tokens; ++t) {
    const std::int64_t row = op.index[t] - op.first_row;
    if (row < 0 || row >= op.table_rows) continue;
    for (std::int64_t c = 0; c < op.columns; ++c) op.dtable[row * op.columns + c] += Accumulator<T>(widen(op.dout[t * op.columns + c]));
  }
}

template <class T>
void rotary(const Rotary<T>& op) {
  const std::int64_t half = op.head_dim / 2;
  for (std::int64_t t = 0; t < op.tokens; ++t) {
    for (std::int64_t h = 0; h < op.heads; ++h) {
      for (std::int64_t d = 0; d < half; ++d) {
        const double cosine = double(op.cosine[t % op.period * half + d]),
                     sine = (op.inverse ? -1 : 1) * double(op.sine[t % op.period * half + d]);
        T& low = op.x[t * op.stride + h * op.head_dim + d];
        T& high = op.x[t * op.stride + h * op.head_dim + d + half];
        const double a = double(widen(low)), b = double(widen(high));
        low = rounded<T>(a * cosine - b * sine);
        high = rounded<T>(a * sine + b * cosine);
      }
    }
  }
}

}  // namespace

RECKON_REFERENCE(EmbeddingForward, embedding_forward)
RECKON_REFERENCE(EmbeddingBackward, embedding_backward)
RECKON_REFERENCE(Rotary, rotary)

}  // namespace reckon
