// Launchers of the element-wise ops on CUDA.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/elementwise.cuh"

#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/launch.hpp"
#include "runtime/device.hpp"

namespace reckon {
namespace {

/// The widest packs that the operands' addresses allow, else single elements.
template <int N, class Body>
void launch_elementwise(const char* name, std::int64_t count, bool packed, const Body& body, Stream stream) {
  if (count == 0) return;
  constexpr std::int64_t most = std::int64_t(1) << 30;
  const auto queue = static_cast<cudaStream_t>(stream.handle);
  if (packed) {
    const unsigned grid = grid_for((count / N + elementwise_threads - 1) / elementwise_threads, most);
    RECKON_LAUNCH((elementwise_kernel<N>), grid, elementwise_threads, queue, count, body);
  } else {
    const unsigned grid = grid_for((count + elementwise_threads - 1) / elementwise_threads, most);
    RECKON_LAUNCH((elementwise_kernel<1>), grid, elementwise_threads, queue, count, body);
  }
  check_launch(name);
}

template <class T>
void residual_add(const ResidualAdd<T>& op, Stream stream) {
  launch_elementwise<widest<T>>("residual_add", op.count, all_aligned(16, op.a, op.b, op.out), AddBody<T>{op.a, op.b, op.out}, stream);
}

template <class T>
void copy(const Copy<T>& op, Stream stream) {
  launch_elementwise<widest<T>>("copy", op.count, all_aligned(16, op.x, op.out), CopyBody<T>{op.x, op.out}, stream);
}

template <class T>
void gelu_forward(const GeluForward<T>& op, Stream stream) {
  launch_elementwise<widest<T>>("gelu_forward", op.count, all_aligned(16, op.x, op.out), GeluForwardBody<T>{op.x, op.out}, stream);
}

template <class T>
void gelu_backward(const GeluBackward<T>& op, Stream stream) {
  launch_elementwise<widest<T>>("gelu_backward", op.count, all_aligned(16, op.x, op.dout, op.dx), GeluBackwardBody<T>{op.x, op.dout, op.dx}, stream);
}

template <class T, class G>
void adamw(const AdamW<T, G>& op, Stream stream) {
  const bool packed = all_aligned(16, op.gradient, op.master, op.first_moment, op.second_moment, op.weight);
  const AdamWBody<T, G> body{coefficients_of<float>(op), op.gradient, op.master, op.first_moment, op.second_moment, op.weight};
  launch_elementwise<4>("adamw", op.count, packed, body, stream);
}

/// A grid over (packs of a row, rows) for the ops whose rows lie apart.
template <int N>
dim3 row_grid(std::int64_t rows, std::int64_t columns) {
  return {grid_for((columns / N + elementwise_threads - 1) / elementwise_threads, 1 << 20), grid_for(rows, 65535), 1};
}

template <class T>
void swiglu_forward(const SwigluForward<T>& op, Stream stream) {
  if (op.rows == 0 || op.columns == 0) return;
  constexpr int n = widest<T>;
  const auto queue = static_cast<cudaStream_t>(stream.handle);
  if (op.columns % n == 0 && op.stride % n == 0 && all_aligned(16, op.gate, op.up, op.out)) {
    RECKON_LAUNCH((swiglu_forward_kernel<n>), row_grid<n>(op.rows, op.columns), elementwise_threads, queue, op);
  } else {
    RECKON_LAUNCH((swiglu_forward_kernel<1>), row_grid<1>(op.rows, op.columns), elementwise_threads, queue, op);
  }
  check_launch("swiglu_forward");
}

template <class T>
void swiglu_backward(const SwigluBackward<T>& op, Stream stream) {
  if (op.rows == 0 || op.columns == 0) return;
  constexpr int n = widest<T>;
  const auto queue = static_cast<cudaStream_t>(stream.handle);
  if (op.columns % n == 0 && op.stride % n == 0 && all_aligned(16, op.gate, op.up, op.dout, op.dgate, op.dup)) {
    RECKON_LAUNCH((swiglu_backward_kernel<n>), row_grid<n>(op.rows, op.columns), elementwise_threads, queue, op);
  } else {
    RECKON_LAUNCH((swiglu_backward_kernel<1>), row_grid<1>(op.rows, op.columns), elementwise_threads, queue, op);
  }
  check_launch("swiglu_backward");
}

}  // namespace

template <class R>
void scale(R* c, std::int64_t count, float beta, Stream stream) {
  launch_elementwise<widest<R>>("scale", count, all_aligned(16, c), ScaleBody<R>{c, beta}, stream);
}
template void scale(float*, std::int64_t, float, Stream);
template void scale(Bf16*, std::int64_t, float, Stream);

void check_launch(const char* kernel) {
  const cudaError_t status = cudaGetLastError();
  if (status == cudaSuccess) return;
  require_device();  // no device at all has its own sentence
  throw DeviceError(std::string("CUDA refused to launch ") + kernel + ": " + cudaGetErrorString(status));
}

RECKON_LAUNCHERS(cuda, ResidualAdd, residual_add)
RECKON_LAUNCHERS(cuda, Copy, copy)
RECKON_LAUNCHERS(cuda, GeluForward, gelu_forward)
RECKON_LAUNCHERS(cuda, GeluBackward, gelu_backward)
RECKON_LAUNCHERS(cuda, SwigluForward, swiglu_forward)
RECKON_LAUNCHERS(cuda, SwigluBackward, swiglu_backward)
RECKON_PAIR_LAUNCHERS(cuda, AdamW, adamw)

}  // namespace reckon
