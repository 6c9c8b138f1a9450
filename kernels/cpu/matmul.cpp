// The CPU matrix product: operands packed once into panels as wide as a register tile, then blocks of c whose parts stay in cache.
//
// Blocks of c are divided among threads, never the sum over k: the same bits with any number of threads.  bf16 is widened while packing,
// so that both types share one inner loop in fp32.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/matmul.hpp"

#include <vector>

#include "kernels/cpu/blas.hpp"
#include "kernels/cpu/panel.hpp"
#include "kernels/cpu/vector.hpp"

#ifdef _OPENMP
#include <omp.h>
#endif

namespace reckon {
namespace {

// A strip of a (depth x 14 floats) stays in the first-level cache or near it; a block of c, one of a and a panel of b in the second.
// Tried on a 1 MiB second-level cache: depth 128 to 384 and blocks twice as large change the rate by less than the noise.
constexpr std::int64_t depth_of_block = 384, rows_of_block = 168, columns_of_block = 256;

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

/// Both operands as panels of the tile's rows and columns, over the whole depth.
struct Packed {
  const float* a;
  const float* b;
};

/// One block of c: rows [row, row + rows) x columns [column, column + columns).  `sum` holds a block.
template <class T, class R>
void multiply_block(const Matmul<T, R>& op, const MatmulTile& tile, Packed packed, std::int64_t row, std::int64_t rows, std::int64_t column,
                    std::int64_t columns, float* sum, R* c) {
  const std::int64_t width = round_up(columns, tile.columns);
  std::fill_n(sum, round_up(rows, tile.rows) * width, 0.0f);
  for (std::int64_t l = 0; l < op.k; l += depth_of_block) {
    const std::int64_t depth = std::min(depth_of_block, op.k - l);
    for (std::int64_t j = 0; j < columns; j += tile.columns) {
      const float* b = packed.b + (column + j) * op.k + l * tile.columns;
      for (std::int64_t i = 0; i < rows; i += tile.rows) {
        tile.multiply(depth, packed.a + (row + i) * op.k + l * tile.rows, b, sum + i * width + j, width);
      }
    }
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    finish_row(sum + i * width, float(op.alpha), float(op.beta), c + (row + i) * op.row_c() + column, columns);
  }
}

template <class T>
void pack(const T* matrix, std::int64_t row, bool along_depth, std::int64_t count, std::int64_t depth, std::int64_t width, float* out) {
#pragma omp parallel for schedule(static) if (count * depth > 16384)
  for (std::int64_t i = 0; i < count; i += width) {
    pack_panel(along_depth ? matrix + i * row : matrix + i, row, along_depth, std::min(width, count - i), depth, width, out + i * depth);
  }
}

/// The size of equal blocks, a multiple of `unit` and at most `most`, that cover `size`.
std::int64_t block_size(std::int64_t size, std::int64_t most, std::int64_t unit) {
  const std::int64_t blocks = std::max<std::int64_t>(1, (size + most - 1) / most);
  return std::max(unit, round_up((size + blocks - 1) / blocks, unit));
}

template <class T, class R>
void matmul_member(const Matmul<T, R>& op, const MatmulTile& tile, const T* a, const T* b, R* c, float* packed_a, float* packed_b,
                   const std::vector<Floats>& sums) {
  pack(a, op.row_a(), !op.transpose_a, op.m, op.k, tile.rows, packed_a);
  pack(b, op.row_b(), op.transpose_b, op.n, op.k, tile.columns, packed_b);
  const std::int64_t rows = block_size(op.m, rows_of_block, tile.rows), columns = block_size(op.n, columns_of_block, tile.columns);
  const std::int64_t blocks_down = (op.m + rows - 1) / rows, blocks = blocks_down * ((op.n + columns - 1) / columns);
#pragma omp parallel for schedule(dynamic) if (op.m * op.n * op.k > 32768)
  for (std::int64_t block = 0; block < blocks; ++block) {
#ifdef _OPENMP
    float* sum = sums[static_cast<std::size_t>(omp_get_thread_num())].get();
#else
    float* sum = sums[0].get();
#endif
    const std::int64_t row = block % blocks_down * rows, column = block / blocks_down * columns;
    multiply_block(op, tile, {packed_a, packed_b}, row, std::min(rows, op.m - row), column, std::min(columns, op.n - column), sum, c);
  }
}

template <class T, class R>
void matmul(const Matmul<T, R>& op, Stream) {
  if (op.m == 0 || op.n == 0 || op.batch == 0) return;
  if (blas_matmul(op)) return;
  const MatmulTile tile = matmul_tile();
  const std::int64_t size_a = round_up(round_up(op.m, tile.rows) * op.k, 16), size_b = round_up(op.n, tile.columns) * op.k;
  const bool given = op.workspace_bytes >= matmul_workspace(Backend::cpu, op);
  const Floats own = given ? Floats() : allocate_floats(size_a + size_b);
  float* packed_a = given ? aligned(op.workspace) : own.get();
  std::vector<Floats> sums;
#ifdef _OPENMP
  const int threads = omp_get_max_threads();
#else
  const int threads = 1;
#endif
  for (int i = 0; i < threads; ++i) sums.push_back(allocate_floats((rows_of_block + tile.rows) * (columns_of_block + tile.columns)));
  for (std::int64_t member = 0; member < op.batch; ++member) {
    matmul_member(op, tile, op.a + member * op.stride_a, op.b + member * op.stride_b, op.c + member * op.step_c(), packed_a,
                  packed_a + size_a, sums);
  }
}

}  // namespace

RECKON_PAIR_LAUNCHERS(cpu, Matmul, matmul)

}  // namespace reckon
