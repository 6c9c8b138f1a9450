// GELU and SwiGLU on the CPU, through a vectorised exponential.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/activation.hpp"

#include "kernels/cpu/fast_gelu.hpp"

namespace reckon {
namespace {

template <class T>
RECKON_CLONES void gelu_forward_piece(const T* x, T* out, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = narrow<T>(fast_gelu(widen(x[i])));
  }
}

template <class T>
RECKON_CLONES void gelu_backward_piece(const T* x, const T* dout, T* dx, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    dx[i] = narrow<T>(widen(dout[i]) * fast_gelu_slope(widen(x[i])));
  }
}

template <class T>
RECKON_CLONES void swiglu_forward_row(const T* gate, const T* up, T* out, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = widen(gate[i]);
    out[i] = narrow<T>(g * fast_sigmoid(g) * widen(up[i]));
  }
}

template <class T>
RECKON_CLONES void swiglu_backward_row(const T* gate, const T* up, const T* dout, T* dgate, T* dup, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = widen(gate[i]), d = widen(dout[i]), u = widen(up[i]);
    const float s = fast_sigmoid(g);
    dgate[i] = narrow<T>(d * u * s * (1.0f + g * fast_sigmoid(-g)));
    dup[i] = narrow<T>(d * g * s);
  }
}

template <class T>
void gelu_forward(const GeluForward<T>& op, Stream) {
  for_each_piece(op.count, elements_in_piece,
                 [&](std::int64_t first, std::int64_t last) { gelu_forward_piece(op.x + first, op.out + first, last - first); });
}

template <class T>
void gelu_backward(const GeluBackward<T>& op, Stream) {
  for_each_piece(op.count, elements_in_piece, [&](std::int64_t first, std::int64_t last) {
    gelu_backward_piece(op.x + first, op.dout + first, op.dx + first, last - first);
  });
}

template <class T>
void swiglu_forward(const SwigluForward<T>& op, Stream) {
  for_each_piece(op.rows, rows_in_piece(op.columns), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      swiglu_forward_row(op.gate + row * op.stride, op.up + row * op.stride, op.out + row * op.columns, op.columns);
    }
  });
}

template <class T>
void swiglu_backward(const SwigluBackward<T>& op, Stream) {
  for_each_piece(op.rows, rows_in_piece(op.columns), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const std::int64_t in = row * op.stride;
      swiglu_backward_row(op.gate + in, op.up + in, op.dout + row * op.columns, op.dgate + in, op.dup + in, op.columns);
    }
  });
}

}  // namespace

RECKON_LAUNCHERS(cpu, GeluForward, gelu_forward)
RECKON_LAUNCHERS(cpu, GeluBackward, gelu_backward)
RECKON_LAUNCHERS(cpu, SwigluForward, swiglu_forward)
RECKON_LAUNCHERS(cpu, SwigluBackward, swiglu_backward)

}  // namespace reckon
