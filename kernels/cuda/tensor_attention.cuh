// Attention on the tensor cores, bf16, head_dim 64 or 128, forward and backward.
//
// A block of four warps has 64 rows (queries; keys in the kernel of dk and dv), 16 a warp, and walks over tiles of the other side in shared
// memory, filled 16 bytes at a time.  Scores never leave registers: the lanes that hold a result hold the same places of the next product's
// left operand.  The backward pass computes scores twice, for dq and for dk and dv, so that each gradient has one writer: the same bits
// every time.  Probabilities and their gradients are rounded to bf16 between two products, sums are fp32.
// Source of the recurrences: Dao 2023 (arXiv 2307.08691).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/cuda/mma.cuh"
#include "kernels/op/attention.hpp"

namespace reckon {

inline constexpr int tensor_threads = 128, rows_in_warp = 16, rows_in_tile = 64;

/// Values from a row of a tile in shared memory to the next: 8 more than it holds, so that 8 rows lie in different banks.
template <int D>
inline constexpr int tile_row = D + 8;

/// Fills `rows` rows of a tile from tokens `step` values apart; zeros from row `valid` on.
template <int D>
__device__ inline void fill_tile(Bf16* tile, const Bf16* from, std::int64_t step, int rows, std::int64_t valid) {
  constexpr int packs = D / 8;
  for (int at = static_cast<int>(threadIdx.x); at < rows * packs; at += tensor_threads) {
    const int row = at / packs, column = at % packs * 8;
    Pack<Bf16, 8> pack;
    if (row < valid) {
      pack = load_pack<8>(from + row * step + column);
    } else {
      for (int j = 0; j < 8; ++j) pack.value[j] = Bf16{0};
    }
    store_pack(tile + row * tile_row<D> + column, pack);
  }
}

/// The left operand of a warp's 16 rows, all of D.
template <int D>
struct RowFragments {
  MmaA part[D / 16];
  __device__ void load(const Bf16* tile) {
    const Bf16* mine = tile + threadIdx.x / lanes * rows_in_warp * tile_row<D>;
#pragma unroll
    for (int i = 0; i < D / 16; ++i) part[i] = load_a(mine + i * 16, tile_row<D>);
  }
};

/// result (16 x 8 columns) = the warp's rows times the transpose of 8 rows of a tile.
template <int D>
__device__ inline void multiply_rows(MmaC& result, const RowFragments<D>& left, const Bf16* tile) {
#pragma unroll
  for (int i = 0; i < D / 16; ++i) multiply_add(result, left.part[i], load_b_from_rows(tile + i * 16, tile_row<D>));
}
/// The same with a left operand that stays in shared memory.
template <int D>
__device__ inline void multiply_rows(MmaC& result, const Bf16* left, const Bf16* tile) {
#pragma unroll
  for (int i = 0; i < D / 16; ++i) {
    multiply_add(result, load_a(left + i * 16, tile_row<D>), load_b_from_rows(tile + i * 16, tile_row<D>));
  }
}

/// The sum (largest) over the four lanes that share a row of a result.
__device__ inline float quad_sum(float x) {
  x += __shfl_xor_sync(all_lanes, x, 1);
  return x + __shfl_xor_sync(all_lanes, x, 2);
}
__device__ inline float quad_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(all_lanes, x, 1));
  return fmaxf(x, __shfl_xor_sync(all_lanes, x, 2));
}

/// Stores a warp's sums (16 x D) times `factor` of each row; rows from `valid` on are left out.
template <int D>
__device__ inline void store_rows(const MmaC (&sum)[D / 8], Bf16* to, std::int64_t step, std::int64_t valid, const float (&factor)[2],
                                  bool accumulate) {
  const unsigned lane = threadIdx.x % lanes;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const std::int64_t row = lane / 4 + half * 8;
    if (row >= valid) continue;
#pragma unroll
    for (int i = 0; i < D / 8; ++i) {
      Bf16* at = to + row * step + i * 8 + lane % 4 * 2;
      float low = sum[i].value[2 * half] * factor[half], high = sum[i].value[2 * half + 1] * factor[half];
      if (accumulate) {
        const auto old = load_pack<2>(at);
        low += widen(old.value[0]);
        high += widen(old.value[1]);
      }
      store_pack(at, Pack<Bf16, 2>{{narrow<Bf16>(low), narrow<Bf16>(high)}});
    }
  }
}

/// Which head, member of the batch and tile of rows a block has.
struct TensorBlock {
  std::int64_t first, head, member;
  __device__ TensorBlock(std::int64_t heads)
      : first(std::int64_t(blockIdx.x) * rows_in_tile), head(blockIdx.y % heads), member(blockIdx.y / heads) {}
};

/// The tile of 64 keys and their values from `first` on.
template <int D, class Op>
__device__ inline void fill_keys_and_values(Bf16* keys, Bf16* values, const Op& op, std::int64_t member, std::int64_t kv_head, std::int64_t first) {
  fill_tile<D>(keys, op.k + op.kv_at(member, first, kv_head), op.step_kv(), rows_in_tile, op.seq_kv - first);
  fill_tile<D>(values, op.v + op.kv_at(member, first, kv_head), op.step_kv(), rows_in_tile, op.seq_kv - first);
}

/// Online softmax over tiles of 64 keys.
template <int D>
__global__ void __launch_bounds__(tensor_threads) tensor_attention_forward_kernel(AttentionForward<Bf16> op, float scale) {
  alignas(16) __shared__ Bf16 keys[rows_in_tile * tile_row<D>];
  alignas(16) __shared__ Bf16 values[rows_in_tile * tile_row<D>];
  const TensorBlock block(op.heads);
  const std::int64_t kv_head = block.head / op.group(), in_block = op.seq_q - block.first < rows_in_tile ? op.seq_q - block.first : rows_in_tile;
  const unsigned lane = threadIdx.x % lanes, warp = threadIdx.x / lanes;
  fill_tile<D>(keys, op.q + op.q_at(block.member, block.first, block.head), op.step_q(), rows_in_tile, in_block);
  __syncthreads();
  RowFragments<D> query;
  query.load(keys);
  const std::int64_t row = block.first + warp * rows_in_warp + lane / 4;
  const std::int64_t seen[2] = {row < op.seq_q ? op.visible(row) : 0, row + 8 < op.seq_q ? op.visible(row + 8) : 0};
  MmaC out[D / 8];
  float maximum[2] = {-INFINITY, -INFINITY}, sum[2] = {0.0f, 0.0f};
  const std::int64_t last = op.visible(block.first + in_block - 1);
  for (std::int64_t first = 0; first < last; first += rows_in_tile) {
    __syncthreads();  // the tiles of before have been read
    fill_keys_and_values<D>(keys, values, op, block.member, kv_head, first);
    __syncthreads();
    MmaC score[rows_in_tile / 8];
    float largest[2] = {maximum[0], maximum[1]};
#pragma unroll
    for (int n = 0; n < rows_in_tile / 8; ++n) {
      multiply_rows<D>(score[n], query, keys + n * 8 * tile_row<D>);
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const std::int64_t key = first + n * 8 + lane % 4 * 2 + e % 2;
        score[n].value[e] = key < seen[e / 2] ? score[n].value[e] * scale : -INFINITY;
        largest[e / 2] = fmaxf(largest[e / 2], score[n].value[e]);
      }
    }
    float part[2] = {0.0f, 0.0f}, factor[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      largest[half] = quad_max(largest[half]);
      factor[half] = maximum[half] == -INFINITY ? 0.0f : expf(maximum[half] - largest[half]);
      maximum[half] = largest[half];
    }
#pragma unroll
    for (int n = 0; n < rows_in_tile / 8; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const float p = score[n].value[e] == -INFINITY ? 0.0f : expf(score[n].value[e] - maximum[e / 2]);
        score[n].value[e] = p;
        part[e / 2] += p;
      }
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) sum[half] = sum[half] * factor[half] + quad_sum(part[half]);
#pragma unroll
    for (int d = 0; d < D / 8; ++d) {
#pragma unroll
      for (int e = 0; e < 4; ++e) out[d].value[e] *= factor[e / 2];
#pragma unroll
      for (int k = 0; k < rows_in_tile / 16; ++k) {
        multiply_add(out[d], as_a(score[2 * k], score[2 * k + 1]), load_b(values + k * 16 * tile_row<D> + d * 8, tile_row<D>));
      }
    }
  }
  float inverse[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    inverse[half] = seen[half] > 0 ? 1.0f / sum[half] : 0.0f;
    if (lane % 4 == 0 && row + half * 8 < op.seq_q) {
      op.lse[op.lse_at(block.member, row + half * 8, block.head)] = seen[half] > 0 ? maximum[half] + logf(sum[half]) : -INFINITY;
    }
  }
  const std::int64_t mine = block.first + warp * rows_in_warp;
  store_rows<D>(out, op.out + op.out_at(block.member, mine, block.head), op.step_out(), op.seq_q - mine, inverse, false);
}

/// delta = dout out of one row, by the four lanes that share it: each sums a quarter of D.
template <int D>
__device__ inline float row_delta(const AttentionBackward<Bf16>& op, std::int64_t member, std::int64_t head, std::int64_t row, unsigned quarter) {
  float delta = 0.0f;
  if (row < op.seq_q) {
    const std::int64_t at = op.out_at(member, row, head) + quarter * (D / 4);
    for (int d = 0; d < D / 4; d += 8) {
      const auto gradient = load_pack<8>(op.dout + at + d), out = load_pack<8>(op.out + at + d);
      for (int j = 0; j < 8; ++j) delta += widen(gradient.value[j]) * widen(out.value[j]);
    }
  }
  return quad_sum(delta);
}

/// dq of 64 queries, over tiles of 64 keys.
template <int D>
__global__ void __launch_bounds__(tensor_threads) tensor_query_gradient_kernel(AttentionBackward<Bf16> op, float scale) {
  alignas(16) __shared__ Bf16 keys[rows_in_tile * tile_row<D>];
  alignas(16) __shared__ Bf16 values[rows_in_tile * tile_row<D>];
  const TensorBlock block(op.heads);
  const std::int64_t kv_head = block.head / op.group(), in_block = op.seq_q - block.first < rows_in_tile ? op.seq_q - block.first : rows_in_tile;
  const unsigned lane = threadIdx.x % lanes, warp = threadIdx.x / lanes;
  fill_tile<D>(keys, op.q + op.q_at(block.member, block.first, block.head), op.step_q(), rows_in_tile, in_block);
  fill_tile<D>(values, op.dout + op.out_at(block.member, block.first, block.head), op.step_out(), rows_in_tile, in_block);
  __syncthreads();
  RowFragments<D> query, gradient;
  query.load(keys);
  gradient.load(values);
  const std::int64_t mine = block.first + warp * rows_in_warp, row = mine + lane / 4;
  std::int64_t seen[2];
  float lse[2], delta[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const std::int64_t r = row + half * 8;
    seen[half] = r < op.seq_q ? op.visible(r) : 0;
    lse[half] = r < op.seq_q ? op.lse[op.lse_at(block.member, r, block.head)] : 0.0f;
    delta[half] = row_delta<D>(op, block.member, block.head, r, lane % 4);
  }
  MmaC dq[D / 8];
  const std::int64_t last = op.visible(block.first + in_block - 1);
  for (std::int64_t first = 0; first < last; first += rows_in_tile) {
    __syncthreads();
    fill_keys_and_values<D>(keys, values, op, block.member, kv_head, first);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < rows_in_tile / 16; ++k) {
      MmaC ds[2];
#pragma unroll
      for (int n = 0; n < 2; ++n) {
        MmaC score, dp;
        multiply_rows<D>(score, query, keys + (2 * k + n) * 8 * tile_row<D>);
        multiply_rows<D>(dp, gradient, values + (2 * k + n) * 8 * tile_row<D>);
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const std::int64_t key = first + (2 * k + n) * 8 + lane % 4 * 2 + e % 2;
          const float p = key < seen[e / 2] ? expf(scale * score.value[e] - lse[e / 2]) : 0.0f;
          ds[n].value[e] = p * (dp.value[e] - delta[e / 2]);
        }
      }
      const MmaA left = as_a(ds[0], ds[1]);
#pragma unroll
      for (int d = 0; d < D / 8; ++d) multiply_add(dq[d], left, load_b(keys + k * 16 * tile_row<D> + d * 8, tile_row<D>));
    }
  }
  const float factor[2] = {scale, scale};
  store_rows<D>(dq, op.dq + op.q_at(block.member, mine, block.head), op.step_q(), op.seq_q - mine, factor, op.accumulate);
}

/// dk and dv of 64 keys, over tiles of queries of all heads of the group.  Scores are kept the other way round: keys are the rows.
template <int D>
__global__ void __launch_bounds__(tensor_threads) tensor_key_gradient_kernel(AttentionBackward<Bf16> op, float scale) {
  constexpr int tile = D == 64 ? 32 : 16;  // queries: four tiles in 48 KiB of shared memory
  alignas(16) __shared__ Bf16 keys[rows_in_tile * tile_row<D>];
  alignas(16) __shared__ Bf16 values[rows_in_tile * tile_row<D>];
  alignas(16) __shared__ Bf16 queries[tile * tile_row<D>];
  alignas(16) __shared__ Bf16 gradients[tile * tile_row<D>];
  __shared__ float lse[tile];
  __shared__ float delta[tile];
  const TensorBlock block(op.kv_heads);
  const unsigned lane = threadIdx.x % lanes, warp = threadIdx.x / lanes;
  fill_keys_and_values<D>(keys, values, op, block.member, block.head, block.first);
  const std::int64_t mine = block.first + warp * rows_in_warp, key = mine + lane / 4;
  const Bf16 *my_keys = keys + warp * rows_in_warp * tile_row<D>, *my_values = values + warp * rows_in_warp * tile_row<D>;
  std::int64_t begin = op.causal ? block.first + op.kv_position - op.q_position : 0;  // the first query that sees the first key
  begin = begin < 0 ? 0 : begin / tile * tile;
  MmaC dk[D / 8], dv[D / 8];
  for (std::int64_t head = block.head * op.group(); head < (block.head + 1) * op.group(); ++head) {
    for (std::int64_t first = begin; first < op.seq_q; first += tile) {
      __syncthreads();
      fill_tile<D>(queries, op.q + op.q_at(block.member, first, head), op.step_q(), tile, op.seq_q - first);
      fill_tile<D>(gradients, op.dout + op.out_at(block.member, first, head), op.step_out(), tile, op.seq_q - first);
      if (threadIdx.x < tile * 4) {  // whole warps
        const std::int64_t r = first + threadIdx.x / 4;
        const float sum = row_delta<D>(op, block.member, head, r, threadIdx.x % 4);
        if (threadIdx.x % 4 == 0) {
          delta[threadIdx.x / 4] = sum;
          lse[threadIdx.x / 4] = r < op.seq_q ? op.lse[op.lse_at(block.member, r, head)] : 0.0f;
        }
      }
      __syncthreads();
#pragma unroll
      for (int k = 0; k < tile / 16; ++k) {
        MmaC p[2], ds[2];
#pragma unroll
        for (int n = 0; n < 2; ++n) {
          MmaC score, dp;
          multiply_rows<D>(score, my_keys, queries + (2 * k + n) * 8 * tile_row<D>);
          multiply_rows<D>(dp, my_values, gradients + (2 * k + n) * 8 * tile_row<D>);
#pragma unroll
          for (int e = 0; e < 4; ++e) {
            const int column = (2 * k + n) * 8 + static_cast<int>(lane % 4) * 2 + e % 2;
            const std::int64_t query = first + column;
            const bool seen = query < op.seq_q && key + e / 2 * 8 < op.visible(query);
            p[n].value[e] = seen ? expf(scale * score.value[e] - lse[column]) : 0.0f;
            ds[n].value[e] = p[n].value[e] * (dp.value[e] - delta[column]);
          }
        }
        const MmaA p_left = as_a(p[0], p[1]), ds_left = as_a(ds[0], ds[1]);
#pragma unroll
        for (int d = 0; d < D / 8; ++d) {
          multiply_add(dv[d], p_left, load_b(gradients + k * 16 * tile_row<D> + d * 8, tile_row<D>));
          multiply_add(dk[d], ds_left, load_b(queries + k * 16 * tile_row<D> + d * 8, tile_row<D>));
        }
      }
    }
  }
  const float scaled[2] = {scale, scale}, plain[2] = {1.0f, 1.0f};
  store_rows<D>(dk, op.dk + op.kv_at(block.member, mine, block.head), op.step_kv(), op.seq_kv - mine, scaled, op.accumulate);
  store_rows<D>(dv, op.dv + op.kv_at(block.member, mine, block.head), op.step_kv(), op.seq_kv - mine, plain, op.accumulate);
}

}  // namespace reckon
