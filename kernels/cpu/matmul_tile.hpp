// The innermost product: a few rows of a times a few vectors of columns of b, held in registers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace reckon {

/// One tile of the product, for the instruction set that this machine has.  Operands are words of 4 bytes: fp32 values, or pairs of bf16
/// values that follow each other along k (the lower half first).
struct MatmulTile {
  int rows = 0, columns = 0;
  /// c[i row_c + j] (+)= sum over l of a[l rows + i] b[l columns + j], i < rows, j < columns, l < depth; fp32, l in ascending order.
  /// Without `add` the old c is not read.
  void (*multiply)(std::int64_t depth, const float* a, const float* b, float* c, std::int64_t row_c, bool add) = nullptr;
  bool pairs = false;  ///< words are pairs of bf16
};

/// The widest fp32 tile that the processor runs: 14 x 32 (AVX-512), 6 x 16 (AVX2 with FMA), else 4 x 8.
MatmulTile matmul_tile();
/// The tile for bf16 operands: pairs where the processor multiplies them (AVX512-BF16), else that for fp32, with operands widened.
MatmulTile bf16_matmul_tile();

/// All fp32 tiles that this processor runs, for tests.
int matmul_tiles(MatmulTile (&tiles)[3]);

}  // namespace reckon
