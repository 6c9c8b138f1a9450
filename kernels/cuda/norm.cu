// Launchers of the norms on CUDA: which kernel a shape takes.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/norm.cuh"

#include "kernels/cuda/launch.hpp"

namespace reckon {
namespace {

constexpr std::int64_t most_blocks = std::int64_t(1) << 30;

/// Threads that hold `packs` packs in registers: a multiple of 32.
std::int64_t threads_for(std::int64_t packs) {
  const std::int64_t threads = (packs + packs_in_registers - 1) / packs_in_registers;
  return (threads + lanes - 1) / lanes * lanes;
}

template <bool centred, int N, class T>
void forward_packed(const NormForwardOperands<T>& op, cudaStream_t queue) {
  const std::int64_t threads = threads_for(op.columns / N);
  if (threads <= norm_forward_threads) {
    RECKON_LAUNCH((norm_forward_kernel<centred, N>), grid_for(op.rows, most_blocks), unsigned(threads), queue, op);
  } else {
    RECKON_LAUNCH((norm_forward_streaming_kernel<centred, N>), grid_for(op.rows, most_blocks), norm_streaming_threads, queue, op);
  }
  check_launch("norm_forward");
}

template <bool centred, class T>
void forward(const NormForwardOperands<T>& op, Stream stream) {
  if (op.rows == 0 || op.columns == 0) return;
  const auto queue = static_cast<cudaStream_t>(stream.handle);
  if (op.columns % widest<T> == 0 && all_aligned(16, op.x, op.weight, op.bias, op.out)) {
    forward_packed<centred, widest<T>>(op, queue);
  } else {
    forward_packed<centred, 1>(op, queue);
  }
}

template <bool centred, int N, class T>
void backward_packed(const NormBackwardOperands<T>& op, cudaStream_t queue) {
  const std::int64_t threads = threads_for(op.columns / N);
  if (threads <= norm_backward_threads) {
    RECKON_LAUNCH((norm_backward_kernel<centred, N>), unsigned(op.chunks), unsigned(threads), queue, op);
    check_launch("norm_backward");
    return;
  }
  RECKON_LAUNCH((norm_backward_streaming_kernel<centred, N>), grid_for(op.rows, most_blocks), norm_streaming_threads, queue, op);
  check_launch("norm_backward_streaming");
  constexpr unsigned threads_a_column = 256;
  const dim3 grid(grid_for((op.columns + threads_a_column - 1) / threads_a_column, most_blocks), unsigned(op.chunks));
  RECKON_LAUNCH((norm_partial_kernel<centred>), grid, threads_a_column, queue, op);
  check_launch("norm_partial");
}

template <bool centred, class T>
void backward(const NormBackwardOperands<T>& op, bool accumulate, float* dweight, float* dbias, Stream stream) {
  if (op.columns == 0) return;
  const auto queue = static_cast<cudaStream_t>(stream.handle);
  if (op.rows > 0) {
    if (op.columns % widest<T> == 0 && all_aligned(16, op.x, op.weight, op.dout, op.dx)) {
      backward_packed<centred, widest<T>>(op, queue);
    } else {
      backward_packed<centred, 1>(op, queue);
    }
  }
  const unsigned grid = grid_for((op.columns + lanes - 1) / lanes, most_blocks);
  constexpr unsigned threads = column_sum_warps * lanes;
  RECKON_LAUNCH((column_sum_kernel), grid, threads, queue, op.partial_weight, op.chunks, op.columns, accumulate, dweight);
  if constexpr (centred) RECKON_LAUNCH((column_sum_kernel), grid, threads, queue, op.partial_bias, op.chunks, op.columns, accumulate, dbias);
  check_launch("column_sum");
}

template <class T>
void rms_norm_forward(const RmsNormForward<T>& op, Stream stream) {
  forward<false, T>({op.rows, op.columns, op.epsilon, op.x, op.weight, nullptr, op.out, nullptr, op.rstd}, stream);
}

template <class T>
void layer_norm_forward(const LayerNormForward<T>& op, Stream stream) {
  forward<true, T>({op.rows, op.columns, op.epsilon, op.x, op.weight, op.bias, op.out, op.mean, op.rstd}, stream);
}

template <class T>
void rms_norm_backward(const RmsNormBackward<T>& op, Stream stream) {
  float* partial = static_cast<float*>(op.workspace);
  backward<false, T>({op.rows, op.columns, row_chunks(op.rows), op.x, op.weight, nullptr, op.rstd, op.dout, op.dx, partial, nullptr},
                     op.accumulate, op.dweight, nullptr, stream);
}

template <class T>
void layer_norm_backward(const LayerNormBackward<T>& op, Stream stream) {
  const std::int64_t chunks = row_chunks(op.rows);
  float* partial = static_cast<float*>(op.workspace);
  backward<true, T>({op.rows, op.columns, chunks, op.x, op.weight, op.mean, op.rstd, op.dout, op.dx, partial, partial + chunks * op.columns},
                    op.accumulate, op.dweight, op.dbias, stream);
}

}  // namespace

RECKON_LAUNCHERS(cuda, RmsNormForward, rms_norm_forward)
RECKON_LAUNCHERS(cuda, LayerNormForward, layer_norm_forward)
RECKON_LAUNCHERS(cuda, RmsNormBackward, rms_norm_backward)
RECKON_LAUNCHERS(cuda, LayerNormBackward, layer_norm_backward)

}  // namespace reckon
