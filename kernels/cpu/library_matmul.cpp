// Products through oneDNN: opened at run time, so that programs start without it and work where it is absent.
//
// bf16 is widened first: a as a whole, b piece by piece while it is hot.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/library_matmul.hpp"

#include <omp.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "kernels/cpu/matmul_tile.hpp"
#include "kernels/cpu/panel.hpp"
#include "kernels/cpu/vector.hpp"
#include "runtime/device_library.hpp"

namespace reckon {
namespace {

constexpr double least_operations = 65536;  // m n k below which own tiles are done before the library has begun
// Below these the library packs more than it multiplies, or takes a kernel that does not pack (measured with version 2.6: 2048 cubed in two
// pieces of 1,024 columns 0.83 of the multiply-adds, in four of 512 0.80).
constexpr std::int64_t least_cut = 512, columns_of_piece = 1024, rows_of_piece = 1536, most_pieces = 16;

bool vectors_for_library() {
#if defined(__x86_64__) && defined(__GNUC__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

/// Equal steps along one side of c, a power of two of them.
struct Cut {
  std::int64_t pieces = 1, step = 0;
};

/// Steps of at least `least`, two at least where `halve`.
Cut cut_of(std::int64_t side, std::int64_t least, bool halve) {
  std::int64_t pieces = halve && side >= least_cut ? 2 : 1;
  while (pieces < most_pieces && side / (pieces * 2) >= least) pieces *= 2;
  return {pieces, round_up((side + pieces - 1) / pieces, 16)};  // a cache line; the library's tile of 48 would make halves unequal
}

/// How c is cut, whatever the number of threads, so that every number gives the same bits.  The longer side is halved at least; of equal
/// sides that would leave less than `least_cut` columns the rows: halves of 512 x 512 by rows reach 0.86 of the multiply-adds on two
/// threads, by columns 0.82.
struct Cuts {
  Cuts(std::int64_t m, std::int64_t n) {
    const bool halve_rows = m > n || (m == n && n < 2 * least_cut);
    rows = cut_of(m, rows_of_piece, halve_rows), columns = cut_of(n, columns_of_piece, !halve_rows);
  }
  Cut rows, columns;
  std::int64_t pieces() const { return rows.pieces * columns.pieces; }
};

struct Piece {
  std::int64_t member, row, rows, column, columns;
};

template <class T, class R>
Piece piece_of(const Matmul<T, R>& op, const Cuts& cuts, std::int64_t index) {
  const std::int64_t place = index % cuts.pieces(), row = std::min(place / cuts.columns.pieces * cuts.rows.step, op.m),
                     column = std::min(place % cuts.columns.pieces * cuts.columns.step, op.n);
  return {index / cuts.pieces(), row, std::min(cuts.rows.step, op.m - row), column, std::min(cuts.columns.step, op.n - column)};
}

RECKON_CLONES void widen_row(const Bf16* from, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = widen(from[i]);
}

RECKON_CLONES void narrow_row(const float* sum, float alpha, float beta, Bf16* c, std::int64_t count) {
  if (beta == 0) {
    for (std::int64_t j = 0; j < count; ++j) c[j] = narrow<Bf16>(alpha * sum[j]);
  } else {
    for (std::int64_t j = 0; j < count; ++j) c[j] = narrow<Bf16>(alpha * sum[j] + beta * widen(c[j]));
  }
}

/// The pieces of every member, shared among the threads.  `each(piece)` answers whether the library took it.
template <class T, class R, class Each>
void for_each_library_piece(const Matmul<T, R>& op, const MatmulFinish& finish, const Each& each) {
  const Cuts cuts(op.m, op.n);
  const std::int64_t count = cuts.pieces() * op.batch;
  std::atomic<bool> good{true};
#pragma omp parallel if (count > 1)
  {
    omp_set_num_threads(1);  // of this region's tasks alone: the library, called in it, makes no threads of its own
#pragma omp for schedule(dynamic)
    for (std::int64_t i = 0; i < count; ++i) {
      const Piece piece = piece_of(op, cuts, i);
      if (piece.rows <= 0 || piece.columns <= 0) continue;
      if (!each(piece)) good = false;
      if (finish) finish(piece.row, piece.rows, piece.column, piece.columns);
    }
  }
  if (!good) throw InternalError("oneDNN refused a matrix product");
}

template <class T, class R>
bool worthwhile(const Matmul<T, R>& op) {
  return double(op.m) * double(op.n) * double(op.k) >= least_operations && library_sgemm() != nullptr;
}

/// bf16: a row-major copy in fp32 of `rows` by `columns` elements, rows `row` apart.
void widen_matrix(const Bf16* from, std::int64_t rows, std::int64_t columns, std::int64_t row, float* to) {
  for (std::int64_t i = 0; i < rows; ++i) widen_row(from + i * row, columns, to + i * columns);
}

template <class R>
bool multiply_widened(const Matmul<Bf16, R>& op, const MatmulFinish& finish) {
  if (bf16_matmul_tile().pairs || !worthwhile(op)) return false;
  const std::int64_t a_rows = op.transpose_a ? op.k : op.m, a_columns = op.transpose_a ? op.m : op.k;
  const std::int64_t members = op.stride_a > 0 ? op.batch : 1;
  const Floats a = allocate_floats(a_rows * a_columns * members);
#pragma omp parallel for schedule(static) if (a_rows * a_columns * members > elements_in_piece)
  for (std::int64_t i = 0; i < a_rows * members; ++i) {
    widen_row(op.a + i / a_rows * op.stride_a + i % a_rows * op.row_a(), a_columns, a.get() + i * a_columns);
  }
  for_each_library_piece(op, finish, [&](const Piece& p) {
    const Bf16* from = op.b + p.member * op.stride_b + (op.transpose_b ? p.column * op.row_b() : p.column);
    const std::int64_t b_rows = op.transpose_b ? p.columns : op.k, b_columns = op.transpose_b ? op.k : p.columns;
    const Floats b = allocate_floats(b_rows * b_columns);
    widen_matrix(from, b_rows, b_columns, op.row_b(), b.get());
    const float* at = a.get() + (members > 1 ? p.member : 0) * a_rows * a_columns + (op.transpose_a ? p.row : p.row * a_columns);
    R* c = op.c + p.member * op.step_c() + p.row * op.row_c() + p.column;
    const char ta = op.transpose_a ? 'T' : 'N', tb = op.transpose_b ? 'T' : 'N';
    if constexpr (std::is_same_v<R, float>) {
      return library_sgemm()(ta, tb, p.rows, p.columns, op.k, float(op.alpha), at, a_columns, b.get(), b_columns, float(op.beta), c,
                             op.row_c()) == 0;
    } else {
      const Floats sum = allocate_floats(p.rows * p.columns);
      if (library_sgemm()(ta, tb, p.rows, p.columns, op.k, 1.0f, at, a_columns, b.get(), b_columns, 0.0f, sum.get(), p.columns) != 0)
        return false;
      for (std::int64_t i = 0; i < p.rows; ++i) {
        narrow_row(sum.get() + i * p.columns, float(op.alpha), float(op.beta), c + i * op.row_c(), p.columns);
      }
      return true;
    }
  });
  return true;
}

}  // namespace

LibrarySgemm* library_sgemm() {
  static const DeviceLibrary library({"libdnnl.so.3", "libdnnl.so.2"});
  static LibrarySgemm* const found = [] {
    const char* wanted = std::getenv("RECKON_ONEDNN");
    const bool refused = wanted != nullptr && std::strcmp(wanted, "0") == 0;
    return refused || !vectors_for_library() ? nullptr : library.find<LibrarySgemm>("dnnl_sgemm");
  }();
  return found;
}

bool library_matmul(const Matmul<float, float>& op, const MatmulFinish& finish) {
  if (!worthwhile(op)) return false;
  for_each_library_piece(op, finish, [&](const Piece& p) {
    const float* a = op.a + p.member * op.stride_a + (op.transpose_a ? p.row : p.row * op.row_a());
    const float* b = op.b + p.member * op.stride_b + (op.transpose_b ? p.column * op.row_b() : p.column);
    return library_sgemm()(op.transpose_a ? 'T' : 'N', op.transpose_b ? 'T' : 'N', p.rows, p.columns, op.k, float(op.alpha), a, op.row_a(),
                           b, op.row_b(), float(op.beta), op.c + p.member * op.step_c() + p.row * op.row_c() + p.column, op.row_c()) == 0;
  });
  return true;
}
bool library_matmul(const Matmul<Bf16, float>& op, const MatmulFinish& finish) { return multiply_widened(op, finish); }
bool library_matmul(const Matmul<Bf16, Bf16>& op, const MatmulFinish& finish) { return multiply_widened(op, finish); }

}  // namespace reckon
