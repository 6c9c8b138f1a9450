// Operands of a register tile: matrices cut into panels as wide as the tile, element after element as the tile reads them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>

#include "kernels/cpu/matmul_tile.hpp"
#include "kernels/op/element.hpp"

namespace reckon {

struct FreeAligned {
  void operator()(void* p) const { ::operator delete (p, std::align_val_t{64}); }
};
using Floats = std::unique_ptr<float[], FreeAligned>;
/// Uninitialised, aligned to a cache line.
inline Floats allocate_floats(std::int64_t count) {
  return Floats(static_cast<float*>(::operator new (static_cast<std::size_t>(count) * sizeof(float), std::align_val_t{64})));
}

inline std::int64_t round_up(std::int64_t x, std::int64_t unit) { return (x + unit - 1) / unit * unit; }

/// One panel: out[l width + i] = matrix(i, l) for i < count, l < depth, zero for the rest of the width.
/// `along_depth`: element (i, l) lies at i row + l; else at l row + i.
void pack_panel(const float* matrix, std::int64_t row, bool along_depth, std::int64_t count, std::int64_t depth, std::int64_t width,
                float* out);
/// The same from bf16, widened.
void pack_panel(const Bf16* matrix, std::int64_t row, bool along_depth, std::int64_t count, std::int64_t depth, std::int64_t width,
                float* out);
/// The same as pairs: word l of row i holds elements (i, 2 l) and (i, 2 l + 1), the last one 0 where depth is odd.
void pack_pairs(const Bf16* matrix, std::int64_t row, bool along_depth, std::int64_t count, std::int64_t depth, std::int64_t width,
                float* out);

/// Words along the depth that a tile multiplies for `depth` elements.
inline std::int64_t words_of(const MatmulTile& tile, std::int64_t depth) { return tile.pairs ? (depth + 1) / 2 : depth; }

/// A panel as `tile` reads it.
inline void pack_for(const MatmulTile&, const float* matrix, std::int64_t row, bool along_depth, std::int64_t count, std::int64_t depth,
                     std::int64_t width, float* out) {
  pack_panel(matrix, row, along_depth, count, depth, width, out);
}
inline void pack_for(const MatmulTile& tile, const Bf16* matrix, std::int64_t row, bool along_depth, std::int64_t count, std::int64_t depth,
                     std::int64_t width, float* out) {
  if (tile.pairs) {
    pack_pairs(matrix, row, along_depth, count, depth, width, out);
  } else {
    pack_panel(matrix, row, along_depth, count, depth, width, out);
  }
}

/// All panels of a matrix with `count` rows (columns, for the right operand), one after the other, in fp32.
template <class T>
void pack_panels(const T* matrix, std::int64_t row, bool along_depth, std::int64_t count, std::int64_t depth, std::int64_t width,
                 float* out) {
  for (std::int64_t i = 0; i < count; i += width) {
    pack_panel(along_depth ? matrix + i * row : matrix + i, row, along_depth, std::min(width, count - i), depth, width, out + i * depth);
  }
}

/// c += a b for packed operands; c has room for whole tiles.
inline void multiply_panels(const MatmulTile& tile, std::int64_t m, std::int64_t n, std::int64_t k, const float* a, const float* b,
                            float* c, std::int64_t row_c) {
  for (std::int64_t j = 0; j < n; j += tile.columns) {
    for (std::int64_t i = 0; i < m; i += tile.rows) tile.multiply(k, a + i * k, b + j * k, c + i * row_c + j, row_c, true);
  }
}

}  // namespace reckon
