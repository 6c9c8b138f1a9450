// The CPU matrix product: oneDNN's where it is installed (library_matmul.hpp), else own tiles over operands that are packed into panels as
// wide as a register tile, in blocks that stay in cache.
//
// a is packed once, as a whole; b block by block where it is used, so that a large b (a weight matrix beside few tokens) is read from
// memory once and never written back.  Tiles add to c itself where its type and factors allow it.  Blocks of c are divided among threads,
// never the sum over k: the same bits with any number of threads.  bf16 is multiplied as pairs where the processor can, else widened while
// packing. SPDX-License-Identifier: Apache-2.0
#include "kernels/op/matmul.hpp"

#include <type_traits>

#include "kernels/cpu/library_matmul.hpp"
#include "kernels/cpu/panel.hpp"
#include "kernels/cpu/vector.hpp"

#ifdef _OPENMP
#include <omp.h>
#endif

namespace reckon {
namespace {

// A panel of a (14 x depth, 21 KiB) stays in a first-level cache of 32 KiB while the panels of a block of b (depth x columns, 384 KiB)
// stream past it from a second-level cache of 1 MiB.
constexpr std::int64_t depth_of_block = 384, columns_of_block = 256, rows_of_task = 1008;

/// The first cache line inside a workspace.
float* aligned(void* workspace) { return reinterpret_cast<float*>((reinterpret_cast<std::uintptr_t>(workspace) + 63) / 64 * 64); }

/// c = alpha sum + beta c over one row of a block.
template <class R>
RECKON_CLONES void finish_row(const float* sum, float alpha, float beta, R* c, std::int64_t count) {
  if (beta == 0) {
    for (std::int64_t j = 0; j < count; ++j) c[j] = narrow<R>(alpha * sum[j]);
  } else {
    for (std::int64_t j = 0; j < count; ++j) c[j] = narrow<R>(alpha * sum[j] + beta * widen(c[j]));
  }
}

/// A rectangle of c that one thread computes.
struct Task {
  std::int64_t row, rows, column, columns;
};

/// What a thread needs beside its operands.
struct Room {
  Floats b, sum, edge;
};

template <class T>
MatmulTile tile_for() {
  return std::is_same_v<T, Bf16> ? bf16_matmul_tile() : matmul_tile();
}

/// One member of a batch, its a packed.
template <class T, class R>
struct Product {
  const Matmul<T, R>& op;
  MatmulTile tile;
  const float* packed_a;
  const T* b;
  R* c;

  std::int64_t words() const { return words_of(tile, op.k); }
  /// Whether tiles may add to c itself.
  bool direct() const { return std::is_same_v<R, float> && op.alpha == 1 && (op.beta == 0 || op.beta == 1) && op.k > 0; }
  std::int64_t step() const { return tile.pairs ? 2 : 1; }  ///< elements of k in a word

  /// Columns [column, column + columns) of b from word l on, `depth` words deep, as panels.
  void pack_b(std::int64_t column, std::int64_t columns, std::int64_t l, std::int64_t depth, float* out) const {
    const std::int64_t first = l * step(), elements = std::min(depth * step(), op.k - first), row = op.row_b();
    for (std::int64_t j = 0; j < columns; j += tile.columns) {
      const T* from = op.transpose_b ? b + (column + j) * row + first : b + first * row + column + j;
      pack_for(tile, from, row, op.transpose_b, std::min<std::int64_t>(tile.columns, columns - j), elements, tile.columns, out + j * depth);
    }
  }

  /// One tile where it lies in c; at the edges through a buffer of a whole tile.  `rows` and `columns` are what is left of the task.
  void multiply_into_c(std::int64_t depth, const float* a_panel, const float* b_panel, std::int64_t row, std::int64_t column,
                       std::int64_t rows, std::int64_t columns, bool add, float* edge) const {
    if constexpr (std::is_same_v<R, float>) {
      float* at = c + row * op.row_c() + column;
      if (rows >= tile.rows && columns >= tile.columns) return tile.multiply(depth, a_panel, b_panel, at, op.row_c(), add);
      tile.multiply(depth, a_panel, b_panel, edge, tile.columns, false);
      for (std::int64_t i = 0; i < std::min<std::int64_t>(rows, tile.rows); ++i) {
        for (std::int64_t j = 0; j < std::min<std::int64_t>(columns, tile.columns); ++j) {
          at[i * op.row_c() + j] = edge[i * tile.columns + j] + (add ? at[i * op.row_c() + j] : 0.0f);
        }
      }
    }
  }

  void run(const Task& t, Room& room) const {
    const std::int64_t width = round_up(t.columns, tile.columns);
    for (std::int64_t l = 0; l < words(); l += depth_of_block) {
      const std::int64_t depth = std::min(depth_of_block, words() - l);
      pack_b(t.column, t.columns, l, depth, room.b.get());
      for (std::int64_t i = 0; i < t.rows; i += tile.rows) {
        const float* a_panel = packed_a + (t.row + i) * words() + l * tile.rows;
        for (std::int64_t j = 0; j < t.columns; j += tile.columns) {
          const float* b_panel = room.b.get() + j * depth;
          if (direct()) {
            multiply_into_c(depth, a_panel, b_panel, t.row + i, t.column + j, t.rows - i, t.columns - j, l > 0 || op.beta == 1,
                            room.edge.get());
          } else {
            tile.multiply(depth, a_panel, b_panel, room.sum.get() + i * width + j, width, l > 0);
          }
        }
      }
    }
    if (direct()) return;
    if (op.k == 0) std::fill_n(room.sum.get(), t.rows * width, 0.0f);
    for (std::int64_t i = 0; i < t.rows; ++i) {
      finish_row(room.sum.get() + i * width, float(op.alpha), float(op.beta), c + (t.row + i) * op.row_c() + t.column, t.columns);
    }
  }
};

template <class T, class R>
void pack_a(const Matmul<T, R>& op, const MatmulTile& tile, const T* a, float* out) {
  const std::int64_t words = words_of(tile, op.k), row = op.row_a();
#pragma omp parallel for schedule(static) if (op.m * op.k > 65536)
  for (std::int64_t i = 0; i < op.m; i += tile.rows) {
    pack_for(tile, op.transpose_a ? a + i : a + i * row, row, !op.transpose_a, std::min<std::int64_t>(tile.rows, op.m - i), op.k, tile.rows,
             out + i * words);
  }
}

/// The size of equal blocks, a multiple of `unit` and at most `most`, that cover `size`; as many as make `threads` equally busy.
std::int64_t block_size(std::int64_t size, std::int64_t most, std::int64_t unit, std::int64_t threads) {
  std::int64_t blocks = std::max<std::int64_t>(1, (size + most - 1) / most);
  if (size / (2 * unit) >= threads) blocks = (blocks + threads - 1) / threads * threads;
  return std::max(unit, round_up((size + blocks - 1) / blocks, unit));
}

template <class T, class R>
void run_member(const Product<T, R>& product, const MatmulFinish& finish, std::int64_t threads) {
  const auto& op = product.op;
  const std::int64_t columns = block_size(op.n, columns_of_block, product.tile.columns, threads), across = (op.n + columns - 1) / columns;
  const std::int64_t rows = block_size(op.m, rows_of_task, product.tile.rows, across % threads == 0 ? 1 : threads),
                     down = (op.m + rows - 1) / rows;
  const std::int64_t width = round_up(std::min(columns, op.n), product.tile.columns);
#pragma omp parallel if (across * down > 1 && op.m * op.n * op.k > 262144)
  {
    Room room{
        allocate_floats(std::min(depth_of_block, product.words()) * width), {}, allocate_floats(product.tile.rows * product.tile.columns)};
    if (!product.direct()) room.sum = allocate_floats(round_up(std::min(rows, op.m), product.tile.rows) * width);
#pragma omp for schedule(dynamic)
    for (std::int64_t i = 0; i < across * down; ++i) {
      const std::int64_t row = i % down * rows, column = i / down * columns;
      const Task task{row, std::min(rows, op.m - row), column, std::min(columns, op.n - column)};
      product.run(task, room);
      if (finish) finish(task.row, task.rows, task.column, task.columns);
    }
  }
}

template <class T, class R>
void multiply(const Matmul<T, R>& op, const MatmulFinish& finish) {
  if (op.m == 0 || op.n == 0 || op.batch == 0) return;
  if (library_matmul(op, finish)) return;
  const MatmulTile tile = tile_for<T>();
  const std::int64_t size_a = round_up(op.m, tile.rows) * words_of(tile, op.k);
  const bool given = op.workspace_bytes >= std::size_t(size_a) * sizeof(float) + 128;
  const Floats own = given ? Floats() : allocate_floats(size_a);
  float* packed_a = given ? aligned(op.workspace) : own.get();
#ifdef _OPENMP
  const std::int64_t threads = omp_in_parallel() ? 1 : omp_get_max_threads();
#else
  const std::int64_t threads = 1;
#endif
  for (std::int64_t member = 0; member < op.batch; ++member) {
    pack_a(op, tile, op.a + member * op.stride_a, packed_a);
    run_member(Product<T, R>{op, tile, packed_a, op.b + member * op.stride_b, op.c + member * op.step_c()}, finish, threads);
  }
}

template <class T, class R>
void matmul(const Matmul<T, R>& op, Stream) {
  multiply(op, {});
}

}  // namespace

void matmul_then(const Matmul<float>& op, const MatmulFinish& finish) { multiply(op, finish); }
void matmul_then(const Matmul<Bf16>& op, const MatmulFinish& finish) { multiply(op, finish); }

RECKON_PAIR_LAUNCHERS(cpu, Matmul, matmul)

}  // namespace reckon
