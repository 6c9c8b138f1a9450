// Attention on the CPU, flash style: blocks of scores stay in cache, products go through the register tile of the matrix product.
//
// Forward: pieces are blocks of queries of one head.  Backward: pieces are key heads of one member of the batch, so that dk and dv have one
// writer.  Sums run over blocks in a fixed order: the same bits with any number of threads.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/attention.hpp"

#include <limits>
#include <vector>

#include "kernels/cpu/panel.hpp"
#include "kernels/cpu/vector.hpp"

namespace reckon {
namespace {

constexpr std::int64_t keys_in_block = 128;
constexpr float lowest = -std::numeric_limits<float>::infinity();

std::int64_t queries_in_block(const MatmulTile& tile) { return 8 * tile.rows; }

/// One row of scores against what came before: s becomes e^(s - maximum) over the visible columns and 0 beyond; answers the factor for the
/// earlier sums.
RECKON_CLONES float soften_row(float* s, std::int64_t visible, std::int64_t width, float scale, float* maximum, float* sum) {
  float largest = *maximum;
#pragma omp simd reduction(max : largest)
  for (std::int64_t j = 0; j < visible; ++j) largest = std::max(largest, s[j] * scale);
  float total = 0;
#pragma omp simd reduction(+ : total)
  for (std::int64_t j = 0; j < visible; ++j) {
    s[j] = fast_exp(s[j] * scale - largest);
    total += s[j];
  }
  std::fill(s + std::max<std::int64_t>(0, visible), s + width, 0.0f);
  const float factor = *maximum == lowest ? 0.0f : fast_exp(*maximum - largest);
  *sum = *sum * factor + total;
  *maximum = largest;
  return factor;
}

RECKON_CLONES void scale_row(float* x, float factor, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) x[i] *= factor;
}

template <class T>
RECKON_CLONES void store_row(const float* x, float factor, bool accumulate, T* out, std::int64_t count) {
  if (accumulate) {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) out[i] = narrow<T>(widen(out[i]) + factor * x[i]);
  } else {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) out[i] = narrow<T>(factor * x[i]);
  }
}

template <class T>
RECKON_CLONES float dot_row(const T* a, const T* b, std::int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += widen(a[i]) * widen(b[i]);
  return sum;
}

/// Buffers of one forward piece.
struct ForwardRoom {
  std::int64_t rows, width;
  Floats q, k, v, p, scores, out;
  ForwardRoom(const MatmulTile& tile, std::int64_t head_dim)
      : rows(queries_in_block(tile)),
        width(round_up(head_dim, tile.columns)),
        q(allocate_floats(rows * head_dim)),
        k(allocate_floats(keys_in_block * head_dim)),
        v(allocate_floats(keys_in_block * width)),
        p(allocate_floats(rows * keys_in_block)),
        scores(allocate_floats(rows * keys_in_block)),
        out(allocate_floats(rows * width)) {}
};

/// The number of keys that any of the queries [first, last) sees.
std::int64_t visible_to_block(const AttentionShape& op, std::int64_t last) { return op.visible(last - 1); }

template <class T>
void forward_block(const AttentionForward<T>& op, const MatmulTile& tile, std::int64_t b, std::int64_t h, std::int64_t first,
                   ForwardRoom& room) {
  const std::int64_t rows = std::min(room.rows, op.seq_q - first), keys = visible_to_block(op, first + rows), head_dim = op.head_dim;
  const float scale = float(op.score_scale());
  std::vector<float> maximum(std::size_t(rows), lowest), sum(std::size_t(rows), 0.0f);
  std::fill_n(room.out.get(), round_up(rows, tile.rows) * room.width, 0.0f);
  pack_panels(op.q + op.q_at(b, first, h), op.step_q(), true, rows, head_dim, tile.rows, room.q.get());
  for (std::int64_t j = 0; j < keys; j += keys_in_block) {
    const std::int64_t block = std::min(keys_in_block, keys - j), at = op.kv_at(b, j, h / op.group());
    pack_panels(op.k + at, op.step_kv(), true, block, head_dim, tile.columns, room.k.get());
    std::fill_n(room.scores.get(), round_up(rows, tile.rows) * keys_in_block, 0.0f);
    multiply_panels(tile, rows, block, head_dim, room.q.get(), room.k.get(), room.scores.get(), keys_in_block);
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t visible = std::clamp<std::int64_t>(op.visible(first + i) - j, 0, block);
      if (visible == 0) {
        std::fill_n(room.scores.get() + i * keys_in_block, block, 0.0f);
        continue;
      }
      const float factor =
          soften_row(room.scores.get() + i * keys_in_block, visible, block, scale, &maximum[std::size_t(i)], &sum[std::size_t(i)]);
      if (factor != 1.0f && j > 0) scale_row(room.out.get() + i * room.width, factor, room.width);
    }
    pack_panels(room.scores.get(), keys_in_block, true, rows, block, tile.rows, room.p.get());
    pack_panels(op.v + at, op.step_kv(), false, head_dim, block, tile.columns, room.v.get());
    multiply_panels(tile, rows, head_dim, block, room.p.get(), room.v.get(), room.out.get(), room.width);
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    const float total = sum[std::size_t(i)];
    store_row(room.out.get() + i * room.width, total > 0 ? 1 / total : 0.0f, false, op.out + op.out_at(b, first + i, h), head_dim);
    op.lse[op.lse_at(b, first + i, h)] = total > 0 ? maximum[std::size_t(i)] + std::log(total) : lowest;
  }
}

template <class T>
void attention_forward(const AttentionForward<T>& op, Stream) {
  if (op.batch == 0 || op.seq_q == 0) return;
  const MatmulTile tile = matmul_tile();
  const std::int64_t blocks = (op.seq_q + queries_in_block(tile) - 1) / queries_in_block(tile), pieces = op.batch * op.heads * blocks;
#pragma omp parallel if (pieces > 1)
  {
    ForwardRoom room(tile, op.head_dim);
#pragma omp for schedule(dynamic)
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      // The last blocks see most keys under a causal mask: they go first.
      forward_block(op, tile, piece / blocks / op.heads, piece / blocks % op.heads, (blocks - 1 - piece % blocks) * queries_in_block(tile),
                    room);
    }
  }
}

/// Buffers of one backward piece, and the panels of the keys at hand.
struct BackwardRoom {
  std::int64_t rows, width, key_rows;
  Floats q_left, dout_left, q_right, dout_right, k_depth, v_depth, k_right, p, dp, left, dk, dv, dq, delta;
  BackwardRoom(const MatmulTile& tile, const AttentionShape& op)
      : rows(queries_in_block(tile)),
        width(round_up(op.head_dim, tile.columns)),
        key_rows(round_up(keys_in_block, tile.rows)),
        q_left(allocate_floats(rows * op.head_dim)),
        dout_left(allocate_floats(rows * op.head_dim)),
        q_right(allocate_floats(rows * width)),
        dout_right(allocate_floats(rows * width)),
        k_depth(allocate_floats(keys_in_block * op.head_dim)),
        v_depth(allocate_floats(keys_in_block * op.head_dim)),
        k_right(allocate_floats(keys_in_block * width)),
        p(allocate_floats(rows * keys_in_block)),
        dp(allocate_floats(rows * keys_in_block)),
        left(allocate_floats(std::max(rows * keys_in_block, key_rows * rows))),
        dk(allocate_floats(key_rows * width)),
        dv(allocate_floats(key_rows * width)),
        dq(allocate_floats(op.group() * round_up(op.seq_q, rows) * width)),
        delta(allocate_floats(op.group() * op.seq_q)) {}
};

/// p and ds of one row, from raw scores in p and dout v in dp.
RECKON_CLONES void gradient_row(float* p, float* dp, std::int64_t visible, std::int64_t width, float scale, float lse, float delta) {
#pragma omp simd
  for (std::int64_t j = 0; j < visible; ++j) {
    p[j] = fast_exp(p[j] * scale - lse);
    dp[j] = p[j] * (dp[j] - delta) * scale;
  }
  for (std::int64_t j = std::max<std::int64_t>(0, visible); j < width; ++j) p[j] = dp[j] = 0.0f;
}

/// What a block of queries adds to dq, dk and dv of a block of keys.
template <class T>
void backward_block(const AttentionBackward<T>& op, const MatmulTile& tile, std::int64_t b, std::int64_t h, std::int64_t first,
                    std::int64_t key, std::int64_t block, BackwardRoom& room) {
  const std::int64_t rows = std::min(room.rows, op.seq_q - first), head_dim = op.head_dim, member = h % op.group();
  if (op.visible(first + rows - 1) <= key) return;
  const T* q = op.q + op.q_at(b, first, h);
  const T* dout = op.dout + op.out_at(b, first, h);
  pack_panels(q, op.step_q(), true, rows, head_dim, tile.rows, room.q_left.get());
  pack_panels(dout, op.step_out(), true, rows, head_dim, tile.rows, room.dout_left.get());
  pack_panels(q, op.step_q(), false, head_dim, rows, tile.columns, room.q_right.get());
  pack_panels(dout, op.step_out(), false, head_dim, rows, tile.columns, room.dout_right.get());
  std::fill_n(room.p.get(), round_up(rows, tile.rows) * keys_in_block, 0.0f);
  std::fill_n(room.dp.get(), round_up(rows, tile.rows) * keys_in_block, 0.0f);
  multiply_panels(tile, rows, block, head_dim, room.q_left.get(), room.k_depth.get(), room.p.get(), keys_in_block);
  multiply_panels(tile, rows, block, head_dim, room.dout_left.get(), room.v_depth.get(), room.dp.get(), keys_in_block);
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t visible = std::clamp<std::int64_t>(op.visible(first + i) - key, 0, block);
    gradient_row(room.p.get() + i * keys_in_block, room.dp.get() + i * keys_in_block, visible, block, float(op.score_scale()),
                 op.lse[op.lse_at(b, first + i, h)], room.delta[member * op.seq_q + first + i]);
  }
  pack_panels(room.p.get(), keys_in_block, false, block, rows, tile.rows, room.left.get());
  multiply_panels(tile, block, head_dim, rows, room.left.get(), room.dout_right.get(), room.dv.get(), room.width);
  pack_panels(room.dp.get(), keys_in_block, false, block, rows, tile.rows, room.left.get());
  multiply_panels(tile, block, head_dim, rows, room.left.get(), room.q_right.get(), room.dk.get(), room.width);
  pack_panels(room.dp.get(), keys_in_block, true, rows, block, tile.rows, room.left.get());
  float* dq = room.dq.get() + (member * round_up(op.seq_q, room.rows) + first) * room.width;
  multiply_panels(tile, rows, head_dim, block, room.left.get(), room.k_right.get(), dq, room.width);
}

/// All of one key head and the queries that read it.
template <class T>
void backward_head(const AttentionBackward<T>& op, const MatmulTile& tile, std::int64_t b, std::int64_t kv_head, BackwardRoom& room) {
  const std::int64_t head_dim = op.head_dim, group = op.group(), padded = round_up(op.seq_q, room.rows);
  std::fill_n(room.dq.get(), group * padded * room.width, 0.0f);
  for (std::int64_t g = 0; g < group; ++g) {
    for (std::int64_t i = 0; i < op.seq_q; ++i) {
      const std::int64_t at = op.out_at(b, i, kv_head * group + g);
      room.delta[g * op.seq_q + i] = dot_row(op.dout + at, op.out + at, head_dim);
    }
  }
  for (std::int64_t key = 0; key < op.seq_kv; key += keys_in_block) {
    const std::int64_t block = std::min(keys_in_block, op.seq_kv - key), at = op.kv_at(b, key, kv_head);
    pack_panels(op.k + at, op.step_kv(), true, block, head_dim, tile.columns, room.k_depth.get());
    pack_panels(op.v + at, op.step_kv(), true, block, head_dim, tile.columns, room.v_depth.get());
    pack_panels(op.k + at, op.step_kv(), false, head_dim, block, tile.columns, room.k_right.get());
    std::fill_n(room.dk.get(), room.key_rows * room.width, 0.0f);
    std::fill_n(room.dv.get(), room.key_rows * room.width, 0.0f);
    for (std::int64_t g = 0; g < group; ++g) {
      for (std::int64_t first = 0; first < op.seq_q; first += room.rows)
        backward_block(op, tile, b, kv_head * group + g, first, key, block, room);
    }
    for (std::int64_t j = 0; j < block; ++j) {
      store_row(room.dk.get() + j * room.width, 1.0f, op.accumulate, op.dk + at + j * op.step_kv(), head_dim);
      store_row(room.dv.get() + j * room.width, 1.0f, op.accumulate, op.dv + at + j * op.step_kv(), head_dim);
    }
  }
  for (std::int64_t g = 0; g < group; ++g) {
    for (std::int64_t i = 0; i < op.seq_q; ++i) {
      store_row(room.dq.get() + (g * padded + i) * room.width, 1.0f, op.accumulate, op.dq + op.q_at(b, i, kv_head * group + g), head_dim);
    }
  }
}

template <class T>
void attention_backward(const AttentionBackward<T>& op, Stream) {
  if (op.batch == 0) return;
  const MatmulTile tile = matmul_tile();
  const std::int64_t pieces = op.batch * op.kv_heads;
#pragma omp parallel if (pieces > 1)
  {
    BackwardRoom room(tile, op);
#pragma omp for schedule(dynamic)
    for (std::int64_t piece = 0; piece < pieces; ++piece) backward_head(op, tile, piece / op.kv_heads, piece % op.kv_heads, room);
  }
}

template <class T>
RECKON_CLONES void softmax_row(const T* x, T* out, std::int64_t visible, std::int64_t columns, float scale) {
  float largest = lowest, sum = 0;
#pragma omp simd reduction(max : largest)
  for (std::int64_t c = 0; c < visible; ++c) largest = std::max(largest, widen(x[c]) * scale);
#pragma omp simd reduction(+ : sum)
  for (std::int64_t c = 0; c < visible; ++c) sum += fast_exp(widen(x[c]) * scale - largest);
  const float factor = 1.0f / sum;
#pragma omp simd
  for (std::int64_t c = 0; c < visible; ++c) out[c] = narrow<T>(fast_exp(widen(x[c]) * scale - largest) * factor);
  for (std::int64_t c = visible; c < columns; ++c) out[c] = narrow<T>(0.0f);
}

template <class T>
RECKON_CLONES void softmax_gradient_row(const T* p, const T* dout, T* dx, std::int64_t columns, float scale) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t c = 0; c < columns; ++c) sum += widen(p[c]) * widen(dout[c]);
#pragma omp simd
  for (std::int64_t c = 0; c < columns; ++c) dx[c] = narrow<T>(scale * widen(p[c]) * (widen(dout[c]) - sum));
}

template <class T>
void softmax_forward(const SoftmaxForward<T>& op, Stream) {
  for_each_piece(op.rows, rows_in_piece(op.columns), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row)
      softmax_row(op.x + row * op.columns, op.out + row * op.columns, op.visible(row), op.columns, float(op.scale));
  });
}

template <class T>
void softmax_backward(const SoftmaxBackward<T>& op, Stream) {
  for_each_piece(op.rows, rows_in_piece(op.columns), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      softmax_gradient_row(op.p + row * op.columns, op.dout + row * op.columns, op.dx + row * op.columns, op.columns, float(op.scale));
    }
  });
}

}  // namespace

RECKON_LAUNCHERS(cpu, AttentionForward, attention_forward)
RECKON_LAUNCHERS(cpu, AttentionBackward, attention_backward)
RECKON_LAUNCHERS(cpu, SoftmaxForward, softmax_forward)
RECKON_LAUNCHERS(cpu, SoftmaxBackward, softmax_backward)

}  // namespace reckon
