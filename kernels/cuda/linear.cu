// A linear layer with its epilogue on CUDA: inside cuBLASLt's product where it has the kernel, else by one own pass behind it.
//
// Work of a pass: each value of hidden read and written once, each value of active written once; 16 bytes an access.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/matmul_epilogue.hpp"
#include "kernels/op/linear.hpp"

namespace reckon {

/// hidden += bias;  active = GELU(hidden), or SwiGLU of its two halves.  blockIdx.y walks rows, blockIdx.x packs of active's columns.
/// N divides width() and is 1 or a whole access.
template <int N, class T>
__global__ void linear_epilogue_kernel(LinearForward<T> op) {
  const bool swiglu = op.activation == Activation::swiglu, gelu = op.activation == Activation::gelu;
  const std::int64_t width = op.width();
  for (std::int64_t row = blockIdx.y; row < op.rows; row += gridDim.y) {
    T* hidden = op.hidden + row * op.out;
    for (std::int64_t c = (std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x) * N; c < width; c += std::int64_t(gridDim.x) * blockDim.x * N) {
      auto first = load_pack<N>(hidden + c);
      Pack<T, N> second = first, result;
      if (swiglu) second = load_pack<N>(hidden + width + c);
      if (op.bias != nullptr) {
        for (int j = 0; j < N; ++j) {
          first.value[j] = narrow<T>(widen(first.value[j]) + widen(op.bias[c + j]));
          if (swiglu) second.value[j] = narrow<T>(widen(second.value[j]) + widen(op.bias[width + c + j]));
        }
        store_pack(hidden + c, first);
        if (swiglu) store_pack(hidden + width + c, second);
      }
      for (int j = 0; j < N; ++j) {
        const float x = widen(first.value[j]);
        result.value[j] = narrow<T>(swiglu ? x * device_sigmoid(x) * widen(second.value[j]) : x * device_sigmoid(device_gelu_logit(x)));
      }
      if (swiglu || gelu) store_pack(op.active + row * width + c, result);
    }
  }
}

/// dhidden holds dactive (for SwiGLU in the half of dup) and gets the gradient before the activation.
template <int N, class T>
__global__ void linear_gradient_kernel(LinearBackward<T> op) {
  const bool swiglu = op.activation == Activation::swiglu;
  for (std::int64_t row = blockIdx.y; row < op.rows; row += gridDim.y) {
    const T* hidden = op.hidden + row * op.stride();
    T* d = op.dhidden + row * op.stride();
    for (std::int64_t c = (std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x) * N; c < op.in; c += std::int64_t(gridDim.x) * blockDim.x * N) {
      const auto first = load_pack<N>(hidden + c), dactive = load_pack<N>(d + (swiglu ? op.in : 0) + c);
      Pack<T, N> second = first, dfirst, dsecond;
      if (swiglu) second = load_pack<N>(hidden + op.in + c);
      for (int j = 0; j < N; ++j) {
        const float x = widen(first.value[j]), gradient = widen(dactive.value[j]);
        if (swiglu) {
          const float s = device_sigmoid(x);
          dfirst.value[j] = narrow<T>(gradient * widen(second.value[j]) * s * (1.0f + x * device_sigmoid(-x)));
          dsecond.value[j] = narrow<T>(gradient * x * s);
        } else {
          const float logit = device_gelu_logit(x), s = device_sigmoid(logit), rest = device_sigmoid(-logit);
          const float slope = float(gelu_scale) * (1.0f + 3.0f * float(gelu_cubic) * x * x);
          dfirst.value[j] = narrow<T>(gradient * (s + 2.0f * x * s * rest * slope));
        }
      }
      store_pack(d + c, dfirst);
      if (swiglu) store_pack(d + op.in + c, dsecond);
    }
  }
}

namespace {

template <int N>
dim3 linear_grid(std::int64_t rows, std::int64_t columns) {
  return {grid_for((columns / N + elementwise_threads - 1) / elementwise_threads, 1 << 20), grid_for(rows, 65535), 1};
}

/// Whether rows of `columns` values begin and end on 16 bytes.
template <class T, class... Pointers>
bool in_packs(std::int64_t columns, const Pointers*... pointers) {
  return columns % widest<T> == 0 && all_aligned(16, pointers...);
}

/// GELU and a bias alone inside the product: it leaves what the activation saw in hidden.
template <class T>
bool linear_in_library(const LinearForward<T>& op, Stream stream) {
  T* none = nullptr;
  if (op.in == 0) return false;
  if (op.activation == Activation::gelu) {
    Matmul<T> product = op.product();
    product.c = op.active;
    return matmul_with_epilogue(product, op.bias == nullptr ? MatmulEpilogue::gelu : MatmulEpilogue::gelu_bias, op.bias, op.hidden, stream);
  }
  return op.activation == Activation::none && op.bias != nullptr && matmul_with_epilogue(op.product(), MatmulEpilogue::bias, op.bias, none, stream);
}

template <class T>
void linear_forward(const LinearForward<T>& op, Stream stream) {
  if (op.rows == 0 || op.out == 0 || linear_in_library(op, stream)) return;
  launch<Backend::cuda>(op.product(), stream);
  if (op.bias == nullptr && op.activation == Activation::none) return;
  const auto queue = static_cast<cudaStream_t>(stream.handle);
  if (in_packs<T>(op.width(), op.hidden, op.active)) {
    RECKON_LAUNCH((linear_epilogue_kernel<widest<T>, T>), linear_grid<widest<T>>(op.rows, op.width()), elementwise_threads, queue, op);
  } else {
    RECKON_LAUNCH((linear_epilogue_kernel<1, T>), linear_grid<1>(op.rows, op.width()), elementwise_threads, queue, op);
  }
  check_launch("linear_forward");
}

template <class T>
void linear_backward(const LinearBackward<T>& op, Stream stream) {
  if (op.rows == 0 || op.in == 0) return;
  T* hidden = const_cast<T*>(op.hidden);  // the library's epilogues share one argument; this one reads it
  const T* none = nullptr;
  if (op.activation == Activation::gelu && op.out > 0 &&
      matmul_with_epilogue(op.product(), MatmulEpilogue::gelu_gradient, none, hidden, stream)) {
    return;
  }
  launch<Backend::cuda>(op.product(), stream);
  if (op.activation == Activation::none) return;
  const auto queue = static_cast<cudaStream_t>(stream.handle);
  if (in_packs<T>(op.in, op.hidden, op.dhidden)) {
    RECKON_LAUNCH((linear_gradient_kernel<widest<T>, T>), linear_grid<widest<T>>(op.rows, op.in), elementwise_threads, queue, op);
  } else {
    RECKON_LAUNCH((linear_gradient_kernel<1, T>), linear_grid<1>(op.rows, op.in), elementwise_threads, queue, op);
  }
  check_launch("linear_backward");
}

}  // namespace

RECKON_LAUNCHERS(cuda, LinearForward, linear_forward)
RECKON_LAUNCHERS(cuda, LinearBackward, linear_backward)

}  // namespace reckon
