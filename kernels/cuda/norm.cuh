// RMSNorm and LayerNorm kernels.  x, out, dx, dout: (rows, columns)   weight, bias: (columns)   mean, rstd: (rows).
//
// Work: see kernels/op/norm.hpp.  Reference: kernels/reference/norm.cpp.
// Idea: one block a row and the row in registers, so that every operand crosses the memory bus once; rows too long for that are read again,
// from the second-level cache.  Weight gradients: a block walks a chunk of rows and keeps its columns' sums in registers, a second kernel
// adds the chunks in their order.  No atomics: the same bits every time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/cuda/pack.cuh"
#include "kernels/op/norm.hpp"

namespace reckon {

/// Both norms as the kernels see them.  mean and bias are null in RMSNorm, which is not centred.
template <class T>
struct NormForwardOperands {
  std::int64_t rows, columns;
  float epsilon;
  const T* x;
  const T* weight;
  const T* bias;
  T* out;
  float* mean;
  float* rstd;
};

template <class T>
struct NormBackwardOperands {
  std::int64_t rows, columns, chunks;
  const T* x;
  const T* weight;
  const float* mean;
  const float* rstd;
  const T* dout;
  T* dx;
  float* partial_weight;  // (chunks, columns)
  float* partial_bias;
};

/// Packs that a thread keeps in registers.
inline constexpr int packs_in_registers = 4;
/// Largest blocks of the kernels that keep a row in registers; the backward pass also holds its sums, hence fewer threads.
inline constexpr int norm_forward_threads = 1024, norm_backward_threads = 512, norm_streaming_threads = 512;

/// One output pack of a norm.
template <bool centred, int N, class T>
__device__ inline void write_normed(const NormForwardOperands<T>& op, std::int64_t at, std::int64_t c, const Pack<T, N>& x, float mean, float rstd) {
  const auto weight = load_pack<N>(op.weight + c);
  Pack<T, N> bias, out;
  if constexpr (centred) bias = load_pack<N>(op.bias + c);
  for (int j = 0; j < N; ++j) {
    float value = (widen(x.value[j]) - mean) * rstd * widen(weight.value[j]);
    if constexpr (centred) value += widen(bias.value[j]);
    out.value[j] = narrow<T>(value);
  }
  store_pack(op.out + at + c, out);
}

/// columns <= N packs_in_registers blockDim.x; N divides columns.
template <bool centred, int N, class T>
__global__ void __launch_bounds__(norm_forward_threads) norm_forward_kernel(NormForwardOperands<T> op) {
  __shared__ float shared[lanes];
  const float columns = float(op.columns);
  for (std::int64_t row = blockIdx.x; row < op.rows; row += gridDim.x) {
    const std::int64_t at = row * op.columns;
    Pack<T, N> x[packs_in_registers];
    float sum = 0.0f;
#pragma unroll
    for (int p = 0; p < packs_in_registers; ++p) {
      const std::int64_t c = (std::int64_t(p) * blockDim.x + threadIdx.x) * N;
      if (c < op.columns) x[p] = load_pack<N>(op.x + at + c);
    }
    float mean = 0.0f;
    if constexpr (centred) {
#pragma unroll
      for (int p = 0; p < packs_in_registers; ++p) {
        if ((std::int64_t(p) * blockDim.x + threadIdx.x) * N < op.columns) {
          for (int j = 0; j < N; ++j) sum += widen(x[p].value[j]);
        }
      }
      mean = block_sum(sum, shared) / columns;
    }
    float squares = 0.0f;
#pragma unroll
    for (int p = 0; p < packs_in_registers; ++p) {
      if ((std::int64_t(p) * blockDim.x + threadIdx.x) * N < op.columns) {
        for (int j = 0; j < N; ++j) squares += (widen(x[p].value[j]) - mean) * (widen(x[p].value[j]) - mean);
      }
    }
    const float rstd = 1.0f / sqrtf(block_sum(squares, shared) / columns + op.epsilon);
#pragma unroll
    for (int p = 0; p < packs_in_registers; ++p) {
      const std::int64_t c = (std::int64_t(p) * blockDim.x + threadIdx.x) * N;
      if (c < op.columns) write_normed<centred, N>(op, at, c, x[p], mean, rstd);
    }
    if (threadIdx.x == 0) {
      op.rstd[row] = rstd;
      if constexpr (centred) op.mean[row] = mean;
    }
  }
}

/// Rows of any length; N divides columns.
template <bool centred, int N, class T>
__global__ void __launch_bounds__(norm_streaming_threads) norm_forward_streaming_kernel(NormForwardOperands<T> op) {
  __shared__ float shared[lanes];
  const float columns = float(op.columns);
  const std::int64_t first = std::int64_t(threadIdx.x) * N, step = std::int64_t(blockDim.x) * N;
  for (std::int64_t row = blockIdx.x; row < op.rows; row += gridDim.x) {
    const T* x = op.x + row * op.columns;
    float mean = 0.0f;
    if constexpr (centred) {
      float sum = 0.0f;
      for (std::int64_t c = first; c < op.columns; c += step) {
        const auto pack = load_pack<N>(x + c);
        for (int j = 0; j < N; ++j) sum += widen(pack.value[j]);
      }
      mean = block_sum(sum, shared) / columns;
    }
    float squares = 0.0f;
    for (std::int64_t c = first; c < op.columns; c += step) {
      const auto pack = load_pack<N>(x + c);
      for (int j = 0; j < N; ++j) squares += (widen(pack.value[j]) - mean) * (widen(pack.value[j]) - mean);
    }
    const float rstd = 1.0f / sqrtf(block_sum(squares, shared) / columns + op.epsilon);
    for (std::int64_t c = first; c < op.columns; c += step) write_normed<centred, N>(op, row * op.columns, c, load_pack<N>(x + c), mean, rstd);
    if (threadIdx.x == 0) {
      op.rstd[row] = rstd;
      if constexpr (centred) op.mean[row] = mean;
    }
  }
}

/// Sums of g and g n over the pack, n = (x - mean) rstd and g = dout weight.
template <int N, class T>
__device__ inline void add_products(const Pack<T, N>& x, const Pack<T, N>& weight, const Pack<T, N>& dout, float mean, float rstd, float& sum_g,
                                    float& sum_gn) {
  for (int j = 0; j < N; ++j) {
    const float g = widen(dout.value[j]) * widen(weight.value[j]);
    sum_g += g;
    sum_gn += g * (widen(x.value[j]) - mean) * rstd;
  }
}

/// dx of one pack.
template <int N, class T>
__device__ inline Pack<T, N> input_gradient(const Pack<T, N>& x, const Pack<T, N>& weight, const Pack<T, N>& dout, float mean, float rstd,
                                            float mean_g, float mean_gn) {
  Pack<T, N> dx;
  for (int j = 0; j < N; ++j) {
    const float g = widen(dout.value[j]) * widen(weight.value[j]), n = (widen(x.value[j]) - mean) * rstd;
    dx.value[j] = narrow<T>(rstd * (g - mean_g - n * mean_gn));
  }
  return dx;
}

/// One block a chunk of rows, in registers: dx, and the chunk's part of dweight (and dbias).
/// columns <= N packs_in_registers blockDim.x; N divides columns.
template <bool centred, int N, class T>
__global__ void __launch_bounds__(norm_backward_threads) norm_backward_kernel(NormBackwardOperands<T> op) {
  __shared__ float shared[lanes];
  const std::int64_t chunk = blockIdx.x;
  float sum_weight[packs_in_registers][N] = {}, sum_bias[packs_in_registers][N] = {};
  for (std::int64_t row = chunk * op.rows / op.chunks; row < (chunk + 1) * op.rows / op.chunks; ++row) {
    const std::int64_t at = row * op.columns;
    const float mean = centred ? op.mean[row] : 0.0f, rstd = op.rstd[row];
    Pack<T, N> x[packs_in_registers], dout[packs_in_registers];
    float sum_g = 0.0f, sum_gn = 0.0f;
#pragma unroll
    for (int p = 0; p < packs_in_registers; ++p) {
      const std::int64_t c = (std::int64_t(p) * blockDim.x + threadIdx.x) * N;
      if (c < op.columns) {
        x[p] = load_pack<N>(op.x + at + c);
        dout[p] = load_pack<N>(op.dout + at + c);
      }
    }
#pragma unroll
    for (int p = 0; p < packs_in_registers; ++p) {
      const std::int64_t c = (std::int64_t(p) * blockDim.x + threadIdx.x) * N;
      if (c < op.columns) add_products<N>(x[p], load_pack<N>(op.weight + c), dout[p], mean, rstd, sum_g, sum_gn);
    }
    const float mean_g = centred ? block_sum(sum_g, shared) / float(op.columns) : 0.0f;
    const float mean_gn = block_sum(sum_gn, shared) / float(op.columns);
#pragma unroll
    for (int p = 0; p < packs_in_registers; ++p) {
      const std::int64_t c = (std::int64_t(p) * blockDim.x + threadIdx.x) * N;
      if (c < op.columns) {
        store_pack(op.dx + at + c, input_gradient<N>(x[p], load_pack<N>(op.weight + c), dout[p], mean, rstd, mean_g, mean_gn));
        for (int j = 0; j < N; ++j) {
          sum_weight[p][j] += widen(dout[p].value[j]) * (widen(x[p].value[j]) - mean) * rstd;
          if constexpr (centred) sum_bias[p][j] += widen(dout[p].value[j]);
        }
      }
    }
  }
#pragma unroll
  for (int p = 0; p < packs_in_registers; ++p) {
    const std::int64_t c = (std::int64_t(p) * blockDim.x + threadIdx.x) * N;
    if (c < op.columns) {
      for (int j = 0; j < N; ++j) {
        op.partial_weight[chunk * op.columns + c + j] = sum_weight[p][j];
        if constexpr (centred) op.partial_bias[chunk * op.columns + c + j] = sum_bias[p][j];
      }
    }
  }
}

/// dx alone, rows of any length; N divides columns.
template <bool centred, int N, class T>
__global__ void __launch_bounds__(norm_streaming_threads) norm_backward_streaming_kernel(NormBackwardOperands<T> op) {
  __shared__ float shared[lanes];
  const std::int64_t first = std::int64_t(threadIdx.x) * N, step = std::int64_t(blockDim.x) * N;
  for (std::int64_t row = blockIdx.x; row < op.rows; row += gridDim.x) {
    const std::int64_t at = row * op.columns;
    const float mean = centred ? op.mean[row] : 0.0f, rstd = op.rstd[row];
    float sum_g = 0.0f, sum_gn = 0.0f;
    for (std::int64_t c = first; c < op.columns; c += step) {
      add_products<N>(load_pack<N>(op.x + at + c), load_pack<N>(op.weight + c), load_pack<N>(op.dout + at + c), mean, rstd, sum_g, sum_gn);
    }
    const float mean_g = centred ? block_sum(sum_g, shared) / float(op.columns) : 0.0f;
    const float mean_gn = block_sum(sum_gn, shared) / float(op.columns);
    for (std::int64_t c = first; c < op.columns; c += step) {
      const auto dx = input_gradient<N>(load_pack<N>(op.x + at + c), load_pack<N>(op.weight + c), load_pack<N>(op.dout + at + c), mean, rstd,
                                        mean_g, mean_gn);
      store_pack(op.dx + at + c, dx);
    }
  }
}

/// The chunks' parts of dweight (and dbias): a thread a column, blockIdx.y the chunk.
template <bool centred, class T>
__global__ void norm_partial_kernel(NormBackwardOperands<T> op) {
  const std::int64_t c = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x, chunk = blockIdx.y;
  if (c >= op.columns) return;
  float sum_weight = 0.0f, sum_bias = 0.0f;
  for (std::int64_t row = chunk * op.rows / op.chunks; row < (chunk + 1) * op.rows / op.chunks; ++row) {
    const float dout = widen(op.dout[row * op.columns + c]), mean = centred ? op.mean[row] : 0.0f;
    sum_weight += dout * (widen(op.x[row * op.columns + c]) - mean) * op.rstd[row];
    sum_bias += dout;
  }
  op.partial_weight[chunk * op.columns + c] = sum_weight;
  if constexpr (centred) op.partial_bias[chunk * op.columns + c] = sum_bias;
}

inline constexpr int column_sum_warps = 8;

/// out[c] = (accumulate ? out[c] : 0) + sum over chunks of partial[chunk][c].  A warp adds every eighth chunk of 32 columns, then the first
/// warp adds the eight.
__global__ void column_sum_kernel(const float* partial, std::int64_t chunks, std::int64_t columns, bool accumulate, float* out) {
  __shared__ float shared[column_sum_warps][lanes];
  const unsigned lane = threadIdx.x % lanes, warp = threadIdx.x / lanes;
  const std::int64_t c = std::int64_t(blockIdx.x) * lanes + lane;
  float sum = 0.0f;
  if (c < columns) {
    for (std::int64_t chunk = warp; chunk < chunks; chunk += column_sum_warps) sum += partial[chunk * columns + c];
  }
  shared[warp][lane] = sum;
  __syncthreads();
  if (warp == 0 && c < columns) {
    float total = accumulate ? out[c] : 0.0f;
    for (int i = 0; i < column_sum_warps; ++i) total += shared[i][lane];
    out[c] = total;
  }
}

}  // namespace reckon
