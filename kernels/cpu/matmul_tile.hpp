// The innermost product: a few rows of a times a few vectors of columns of b, held in registers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace reckon {

/// One tile of the product, for the instruction set that this machine has.
struct MatmulTile {
  int rows = 0, columns = 0;
  /// c[i row_c + j] += sum over l of a[l rows + i] b[l columns + j], i < rows, j < columns, l < k; fp32, l in ascending order.
  void (*multiply)(std::int64_t k, const float* a, const float* b, float* c, std::int64_t row_c) = nullptr;
};

/// The widest tile that the processor runs: 14 x 32 (AVX-512), 6 x 16 (AVX2 with FMA), else 4 x 8.
MatmulTile matmul_tile();

/// All tiles that this processor runs, for tests.
int matmul_tiles(MatmulTile (&tiles)[3]);

}  // namespace reckon
