// Kernels of the ops around the products: softmax, cross-entropy, embedding, rotary positions, experts, bias.
//
// Work: see the ops' work().  Reference: kernels/reference.  Idea: a block a row where a row is summed, else a thread an element; gradients
// of tables are gathered by their rows, never scattered: no atomics, the same bits every time. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/cuda/pack.cuh"
#include "kernels/op/attention.hpp"
#include "kernels/op/bias.hpp"
#include "kernels/op/cross_entropy.hpp"
#include "kernels/op/embedding.hpp"
#include "kernels/op/experts.hpp"

namespace reckon {

inline constexpr int token_threads = 256;

/// As block_sum, for the largest value.
__device__ inline float block_max(float value, float* shared) {
  for (unsigned distance = lanes / 2; distance > 0; distance /= 2) value = fmaxf(value, __shfl_xor_sync(all_lanes, value, distance));
  const unsigned lane = threadIdx.x % lanes, warp = threadIdx.x / lanes, warps = blockDim.x / lanes;
  __syncthreads();
  if (lane == 0) shared[warp] = value;
  __syncthreads();
  value = lane < warps ? shared[lane] : -INFINITY;
  for (unsigned distance = lanes / 2; distance > 0; distance /= 2) value = fmaxf(value, __shfl_xor_sync(all_lanes, value, distance));
  return value;
}

/// `body(i)` for every i < count.
template <class Body>
__global__ void each_kernel(std::int64_t count, Body body) {
  const std::int64_t stride = std::int64_t(gridDim.x) * blockDim.x;
  for (std::int64_t i = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) body(i);
}

template <class T>
__global__ void softmax_forward_kernel(SoftmaxForward<T> op, float scale) {
  __shared__ float shared[lanes];
  for (std::int64_t row = blockIdx.x; row < op.rows; row += gridDim.x) {
    const T* x = op.x + row * op.columns;
    const std::int64_t visible = op.visible(row);
    float maximum = -INFINITY, sum = 0.0f;
    for (std::int64_t c = threadIdx.x; c < visible; c += blockDim.x) maximum = fmaxf(maximum, scale * widen(x[c]));
    maximum = block_max(maximum, shared);
    for (std::int64_t c = threadIdx.x; c < visible; c += blockDim.x) sum += expf(scale * widen(x[c]) - maximum);
    sum = block_sum(sum, shared);
    for (std::int64_t c = threadIdx.x; c < op.columns; c += blockDim.x) {
      op.out[row * op.columns + c] = narrow<T>(c < visible ? expf(scale * widen(x[c]) - maximum) / sum : 0.0f);
    }
  }
}

template <class T>
__global__ void softmax_backward_kernel(SoftmaxBackward<T> op, float scale) {
  __shared__ float shared[lanes];
  for (std::int64_t row = blockIdx.x; row < op.rows; row += gridDim.x) {
    const std::int64_t at = row * op.columns;
    float sum = 0.0f;
    for (std::int64_t c = threadIdx.x; c < op.columns; c += blockDim.x) sum += widen(op.p[at + c]) * widen(op.dout[at + c]);
    sum = block_sum(sum, shared);
    for (std::int64_t c = threadIdx.x; c < op.columns; c += blockDim.x)
      op.dx[at + c] = narrow<T>(scale * widen(op.p[at + c]) * (widen(op.dout[at + c]) - sum));
  }
}

template <class T>
__global__ void cross_entropy_forward_kernel(CrossEntropyForward<T> op) {
  __shared__ float shared[lanes];
  for (std::int64_t row = blockIdx.x; row < op.rows; row += gridDim.x) {
    const T* x = op.x + row * op.stride;
    float maximum = -INFINITY, sum = 0.0f;
    for (std::int64_t c = threadIdx.x; c < op.columns; c += blockDim.x) maximum = fmaxf(maximum, widen(x[c]));
    maximum = block_max(maximum, shared);
    for (std::int64_t c = threadIdx.x; c < op.columns; c += blockDim.x) sum += expf(widen(x[c]) - maximum);
    sum = block_sum(sum, shared);
    if (threadIdx.x == 0) {
      const std::int64_t target = op.target[row] - op.first_column;
      op.maximum[row] = maximum;
      op.sum[row] = sum;
      op.target_logit[row] = op.target[row] >= 0 && target >= 0 && target < op.columns ? widen(x[target]) : 0.0f;
    }
  }
}

template <class T>
struct CrossEntropyBackwardBody {
  CrossEntropyBackward<T> op;
  float scale;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t row = i / op.columns, c = i % op.columns, at = row * op.stride + c;
    const float p = expf(widen(op.x[at]) - op.maximum[row]) / op.sum[row];
    const float gradient = scale * (p - (op.target[row] == op.first_column + c ? 1.0f : 0.0f));
    op.dx[at] = narrow<T>(op.target[row] < 0 ? 0.0f : gradient);
  }
};

template <class T>
struct EmbeddingForwardBody {
  EmbeddingForward<T> op;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t row = op.index[i / op.columns] - op.first_row;
    const float value = row >= 0 && row < op.table_rows ? widen(op.table[row * op.columns + i % op.columns]) : 0.0f;
    op.out[i] = narrow<T>(value + (op.accumulate ? widen(op.out[i]) : 0.0f));
  }
};

/// A block a row of the table: it looks through all tokens for its own.
template <class T>
__global__ void embedding_backward_kernel(EmbeddingBackward<T> op) {
  for (std::int64_t row = blockIdx.x; row < op.table_rows; row += gridDim.x) {
    for (std::int64_t t = 0; t < op.tokens; ++t) {
      if (op.index[t] - op.first_row != row) continue;
      for (std::int64_t c = threadIdx.x; c < op.columns; c += blockDim.x)
        op.dtable[row * op.columns + c] += widen(op.dout[t * op.columns + c]);
    }
  }
}

template <class T>
struct RotaryBody {
  Rotary<T> op;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t half = op.head_dim / 2, d = i % half, h = i / half % op.heads, t = i / half / op.heads;
    const float cosine = op.cosine[t % op.period * half + d], sine = (op.inverse ? -1.0f : 1.0f) * op.sine[t % op.period * half + d];
    T* x = op.x + t * op.stride + h * op.head_dim + d;
    const float low = widen(x[0]), high = widen(x[half]);
    x[0] = narrow<T>(low * cosine - high * sine);
    x[half] = narrow<T>(low * sine + high * cosine);
  }
};

/// A thread a token: there are few experts.
template <class T>
struct RouterForwardBody {
  RouterForward<T> op;
  __device__ void operator()(std::int64_t t) const {
    const T* x = op.x + t * op.experts;
    float* p = op.p + t * op.experts;
    std::int32_t* choice = op.choice + t * op.top_k;
    float maximum = widen(x[0]), sum = 0.0f, chosen = 0.0f;
    for (std::int64_t e = 1; e < op.experts; ++e) maximum = fmaxf(maximum, widen(x[e]));
    for (std::int64_t e = 0; e < op.experts; ++e) sum += p[e] = expf(widen(x[e]) - maximum);
    for (std::int64_t e = 0; e < op.experts; ++e) p[e] /= sum;
    for (std::int64_t k = 0; k < op.top_k; ++k) {
      std::int64_t best = -1;
      for (std::int64_t e = 0; e < op.experts; ++e) {
        bool taken = false;
        for (std::int64_t other = 0; other < k; ++other) taken = taken || choice[other] == e;
        if (!taken && (best < 0 || widen(x[e]) > widen(x[best]))) best = e;
      }
      choice[k] = std::int32_t(best);
      chosen += p[best];
    }
    for (std::int64_t k = 0; k < op.top_k; ++k) op.weight[t * op.top_k + k] = op.renormalise ? p[choice[k]] / chosen : p[choice[k]];
  }
};

template <class T>
struct RouterBackwardBody {
  RouterBackward<T> op;
  __device__ void operator()(std::int64_t t) const {
    const float* p = op.p + t * op.experts;
    const std::int32_t* choice = op.choice + t * op.top_k;
    const float* g = op.dweight + t * op.top_k;
    float chosen = 0.0f, weighted = 0.0f, sum = 0.0f;
    for (std::int64_t k = 0; k < op.top_k; ++k) {
      chosen += p[choice[k]];
      weighted += g[k] * op.weight[t * op.top_k + k];
    }
    for (std::int64_t k = 0; k < op.top_k; ++k) sum += p[choice[k]] * (op.renormalise ? (g[k] - weighted) / chosen : g[k]);
    for (std::int64_t e = 0; e < op.experts; ++e) op.dx[t * op.experts + e] = narrow<T>(-p[e] * sum);
    for (std::int64_t k = 0; k < op.top_k; ++k) {
      const float dp = op.renormalise ? (g[k] - weighted) / chosen : g[k];
      op.dx[t * op.experts + choice[k]] = narrow<T>(p[choice[k]] * (dp - sum));
    }
  }
};

template <class T>
struct GatherBody {
  GatherRows<T> op;
  __device__ void operator()(std::int64_t i) const { op.out[i] = op.x[op.source[i / op.columns] * op.columns + i % op.columns]; }
};

template <class T>
struct CombineBody {
  CombineRows<T> op;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t t = i / op.columns, c = i % op.columns;
    float sum = 0.0f;
    for (std::int64_t at = t * op.top_k; at < (t + 1) * op.top_k; ++at)
      sum += (op.weight == nullptr ? 1.0f : op.weight[at]) * widen(op.x[op.slot[at] * op.columns + c]);
    op.out[i] = narrow<T>(sum);
  }
};

/// A block a chosen row.
template <class T>
__global__ void combine_backward_kernel(CombineRowsBackward<T> op) {
  __shared__ float shared[lanes];
  for (std::int64_t at = blockIdx.x; at < op.tokens * op.top_k; at += gridDim.x) {
    const T* dout = op.dout + at / op.top_k * op.columns;
    const std::int64_t row = op.slot[at] * op.columns;
    float sum = 0.0f;
    for (std::int64_t c = threadIdx.x; c < op.columns; c += blockDim.x) {
      sum += widen(dout[c]) * widen(op.x[row + c]);
      op.dx[row + c] = narrow<T>(op.weight[at] * widen(dout[c]));
    }
    sum = block_sum(sum, shared);
    if (threadIdx.x == 0) op.dweight[at] = sum;
  }
}

template <class T>
struct BiasBody {
  BiasAdd<T> op;
  __device__ void operator()(std::int64_t i) const {
    op.out[i] = narrow<T>(widen(op.x[i]) + widen(op.bias[i % op.columns]) + (op.residual == nullptr ? 0.0f : widen(op.residual[i])));
  }
};

/// A chunk of rows of one column, then the chunks in their order.
template <class T>
struct BiasChunkBody {
  BiasBackward<T> op;
  std::int64_t chunks;
  float* partial;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t chunk = i / op.columns, c = i % op.columns;
    float sum = 0.0f;
    for (std::int64_t row = chunk * op.rows / chunks; row < (chunk + 1) * op.rows / chunks; ++row)
      sum += widen(op.dout[row * op.columns + c]);
    partial[i] = sum;
  }
};
template <class T>
struct BiasSumBody {
  BiasBackward<T> op;
  std::int64_t chunks;
  const float* partial;
  __device__ void operator()(std::int64_t c) const {
    float sum = op.accumulate ? op.dbias[c] : 0.0f;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) sum += partial[chunk * op.columns + c];
    op.dbias[c] = sum;
  }
};

}  // namespace reckon
