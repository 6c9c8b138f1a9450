// Attention kernels, flash style: no score matrix in memory.  q, out: (batch, seq_q, heads, head_dim); k, v: (batch, seq_kv, kv_heads,
// head_dim).
//
// Work: see kernels/op/attention.hpp.  Reference: kernels/reference/attention.cpp.
// Idea: a warp holds one row across its lanes and walks the others; sums over head_dim are warp shuffles.  Plain and correct on the
// ordinary units: the tensor cores are not used, and keys and values are read again for every query, from the second-level cache.  The
// backward pass has one warp a query for dq and one a key for dk and dv, so that no two warps add to one place: the same bits every time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/cuda/pack.cuh"
#include "kernels/op/attention.hpp"

namespace reckon {

inline constexpr int attention_threads = 128, largest_head_dim = 256, values_in_lane = largest_head_dim / 32;

/// The sum over the lanes of a warp, the same in each.
__device__ inline float warp_sum(float value) {
  for (unsigned distance = lanes / 2; distance > 0; distance /= 2) value += __shfl_xor_sync(all_lanes, value, distance);
  return value;
}

/// A row of head_dim values across a warp: lane l holds those at l, l + 32, ...
struct WarpRow {
  float value[values_in_lane];

  template <class T>
  __device__ void load(const T* row, std::int64_t head_dim) {
    for (int i = 0; i < values_in_lane; ++i) {
      const std::int64_t d = i * 32 + threadIdx.x % lanes;
      value[i] = d < head_dim ? widen(row[d]) : 0.0f;
    }
  }
  __device__ void clear() {
    for (int i = 0; i < values_in_lane; ++i) value[i] = 0.0f;
  }
  __device__ void scale(float factor) {
    for (int i = 0; i < values_in_lane; ++i) value[i] *= factor;
  }
  template <class T>
  __device__ void add(float factor, const T* row, std::int64_t head_dim) {
    for (int i = 0; i < values_in_lane; ++i) {
      const std::int64_t d = i * 32 + threadIdx.x % lanes;
      if (d < head_dim) value[i] += factor * widen(row[d]);
    }
  }
  template <class T>
  __device__ float dot(const T* row, std::int64_t head_dim) const {
    float sum = 0.0f;
    for (int i = 0; i < values_in_lane; ++i) {
      const std::int64_t d = i * 32 + threadIdx.x % lanes;
      if (d < head_dim) sum += value[i] * widen(row[d]);
    }
    return warp_sum(sum);
  }
  template <class T>
  __device__ void store(T* row, std::int64_t head_dim, bool accumulate) const {
    for (int i = 0; i < values_in_lane; ++i) {
      const std::int64_t d = i * 32 + threadIdx.x % lanes;
      if (d < head_dim) row[d] = narrow<T>(value[i] + (accumulate ? widen(row[d]) : 0.0f));
    }
  }
};

/// Which row this warp has: warps of the whole grid, one after the other.
__device__ inline std::int64_t first_warp() { return (std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x) / lanes; }
__device__ inline std::int64_t all_warps() { return std::int64_t(gridDim.x) * blockDim.x / lanes; }

template <class T>
__global__ void __launch_bounds__(attention_threads) attention_forward_kernel(AttentionForward<T> op, float scale) {
  for (std::int64_t row = first_warp(); row < op.batch * op.heads * op.seq_q; row += all_warps()) {
    const std::int64_t i = row % op.seq_q, h = row / op.seq_q % op.heads, b = row / op.seq_q / op.heads,
                       kv_head = h / (op.heads / op.kv_heads);
    WarpRow q, out;
    q.load(op.q + op.q_at(b, i, h), op.head_dim);
    out.clear();
    float maximum = -INFINITY, sum = 0.0f;
    const std::int64_t keys = op.visible(i);
    for (std::int64_t j = 0; j < keys; ++j) {
      const std::int64_t at = op.kv_at(b, j, kv_head);
      const float score = scale * q.dot(op.k + at, op.head_dim);
      if (score > maximum) {
        const float factor = expf(maximum - score);
        out.scale(factor);
        sum *= factor;
        maximum = score;
      }
      const float p = expf(score - maximum);
      sum += p;
      out.add(p, op.v + at, op.head_dim);
    }
    out.scale(keys > 0 ? 1.0f / sum : 0.0f);
    out.store(op.out + op.out_at(b, i, h), op.head_dim, false);
    if (threadIdx.x % lanes == 0) op.lse[op.lse_at(b, i, h)] = keys > 0 ? maximum + logf(sum) : -INFINITY;
  }
}

/// dq: a warp a query.
template <class T>
__global__ void __launch_bounds__(attention_threads) attention_query_gradient_kernel(AttentionBackward<T> op, float scale) {
  for (std::int64_t row = first_warp(); row < op.batch * op.heads * op.seq_q; row += all_warps()) {
    const std::int64_t i = row % op.seq_q, h = row / op.seq_q % op.heads, b = row / op.seq_q / op.heads,
                       kv_head = h / (op.heads / op.kv_heads);
    WarpRow q, dout, dq;
    q.load(op.q + op.q_at(b, i, h), op.head_dim);
    dout.load(op.dout + op.out_at(b, i, h), op.head_dim);
    dq.clear();
    const float lse = op.lse[op.lse_at(b, i, h)], delta = dout.dot(op.out + op.out_at(b, i, h), op.head_dim);
    const std::int64_t keys = op.visible(i);
    for (std::int64_t j = 0; j < keys; ++j) {
      const std::int64_t at = op.kv_at(b, j, kv_head);
      const float p = expf(scale * q.dot(op.k + at, op.head_dim) - lse);
      dq.add(scale * p * (dout.dot(op.v + at, op.head_dim) - delta), op.k + at, op.head_dim);
    }
    dq.store(op.dq + op.q_at(b, i, h), op.head_dim, op.accumulate);
  }
}

/// dk and dv: a warp a key, over the queries of its group of heads.
template <class T>
__global__ void __launch_bounds__(attention_threads) attention_key_gradient_kernel(AttentionBackward<T> op, float scale) {
  for (std::int64_t row = first_warp(); row < op.batch * op.kv_heads * op.seq_kv; row += all_warps()) {
    const std::int64_t j = row % op.seq_kv, kv_head = row / op.seq_kv % op.kv_heads, b = row / op.seq_kv / op.kv_heads,
                       group = op.heads / op.kv_heads;
    const std::int64_t at = op.kv_at(b, j, kv_head);
    WarpRow k, v, dk, dv;
    k.load(op.k + at, op.head_dim);
    v.load(op.v + at, op.head_dim);
    dk.clear();
    dv.clear();
    for (std::int64_t h = kv_head * group; h < (kv_head + 1) * group; ++h) {
      for (std::int64_t i = 0; i < op.seq_q; ++i) {
        if (op.visible(i) <= j) continue;
        const T* q = op.q + op.q_at(b, i, h);
        const std::int64_t out = op.out_at(b, i, h);
        WarpRow dout;
        dout.load(op.dout + out, op.head_dim);
        const float delta = dout.dot(op.out + out, op.head_dim), dp = v.dot(op.dout + out, op.head_dim);
        const float p = expf(scale * k.dot(q, op.head_dim) - op.lse[op.lse_at(b, i, h)]);
        dk.add(scale * p * (dp - delta), q, op.head_dim);
        dv.add(p, op.dout + out, op.head_dim);
      }
    }
    dk.store(op.dk + at, op.head_dim, op.accumulate);
    dv.store(op.dv + at, op.head_dim, op.accumulate);
  }
}

}  // namespace reckon
