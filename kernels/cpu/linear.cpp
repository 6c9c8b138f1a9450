// A linear layer with its epilogue on the CPU: bias and GELU over each piece of the product by the thread that has it in its cache; SwiGLU,
// whose two halves lie in different pieces, over whole rows behind it.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/linear.hpp"

#include "kernels/cpu/fast_gelu.hpp"
#include "kernels/cpu/matmul_then.hpp"

namespace reckon {
namespace {

/// bias: null = none.
template <class T>
RECKON_CLONES void add_bias_row(const T* bias, T* hidden, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) hidden[i] = narrow<T>(widen(hidden[i]) + widen(bias[i]));
}

template <class T>
RECKON_CLONES void gelu_row(const T* hidden, T* active, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) active[i] = narrow<T>(fast_gelu(widen(hidden[i])));
}

template <class T>
RECKON_CLONES void gelu_gradient_row(const T* hidden, T* d, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) d[i] = narrow<T>(widen(d[i]) * fast_gelu_slope(widen(hidden[i])));
}

template <class T>
void linear_forward(const LinearForward<T>& op, Stream) {
  if (op.rows == 0 || op.out == 0) return;
  const bool gelu = op.activation == Activation::gelu;
  if (op.bias == nullptr && !gelu) {
    launch<Backend::cpu>(op.product(), {});
  } else {
    matmul_then(op.product(), [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns) {
      for (std::int64_t i = row; i < row + rows; ++i) {
        T* hidden = op.hidden + i * op.out + column;
        if (op.bias != nullptr) add_bias_row(op.bias + column, hidden, columns);
        if (gelu) gelu_row(hidden, op.active + i * op.out + column, columns);
      }
    });
  }
  if (op.activation == Activation::swiglu) {
    launch<Backend::cpu>(
        SwigluForward<T>{
            .rows = op.rows, .columns = op.width(), .stride = op.out, .gate = op.hidden, .up = op.hidden + op.width(), .out = op.active},
        {});
  }
}

/// d: dactive in the half of dup; becomes [dgate | dup].
template <class T>
RECKON_CLONES void swiglu_gradient_row(const T* hidden, T* d, std::int64_t width) {
  const T *gate = hidden, *up = hidden + width;
  T *dgate = d, *dup = d + width;
#pragma omp simd
  for (std::int64_t i = 0; i < width; ++i) {
    const float g = widen(gate[i]), dactive = widen(dup[i]), s = fast_sigmoid(g);
    dgate[i] = narrow<T>(dactive * widen(up[i]) * s * (1.0f + g * fast_sigmoid(-g)));
    dup[i] = narrow<T>(dactive * g * s);
  }
}

template <class T>
void linear_backward(const LinearBackward<T>& op, Stream) {
  if (op.rows == 0 || op.in == 0) return;
  if (op.activation != Activation::gelu) {
    launch<Backend::cpu>(op.product(), {});
  } else {
    matmul_then(op.product(), [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns) {
      for (std::int64_t i = row; i < row + rows; ++i)
        gelu_gradient_row(op.hidden + i * op.in + column, op.dhidden + i * op.in + column, columns);
    });
  }
  if (op.activation == Activation::swiglu) {
    for_each_piece(op.rows, rows_in_piece(op.stride()), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) swiglu_gradient_row(op.hidden + i * op.stride(), op.dhidden + i * op.stride(), op.in);
    });
  }
}

}  // namespace

RECKON_LAUNCHERS(cpu, LinearForward, linear_forward)
RECKON_LAUNCHERS(cpu, LinearBackward, linear_backward)

}  // namespace reckon
