// Register tiles of the CPU matrix product.  Sizes follow from the register file: AVX-512 has 32 vectors of 16, of which 14 x 2 hold sums,
// 2 the row of b and 1 the value of a; AVX2 has 16 of 8: 6 x 2 + 2 + 1.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/matmul_tile.hpp"

#include "kernels/cpu/vector.hpp"

namespace reckon {
namespace {

typedef float Lanes4 __attribute__((vector_size(16)));
typedef float Lanes8 __attribute__((vector_size(32)));
typedef float Lanes16 __attribute__((vector_size(64)));

template <int rows, int vectors, class Lanes>
RECKON_INLINE void multiply(std::int64_t k, const float* a, const float* b, float* c, std::int64_t row_c) {
  constexpr int width = sizeof(Lanes) / sizeof(float);
  Lanes sum[rows][vectors] = {};
  for (std::int64_t l = 0; l < k; ++l) {
    Lanes row[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) __builtin_memcpy(&row[v], b + v * width, sizeof(Lanes));
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sum[i][v] += a[i] * row[v];
    }
    a += rows;
    b += vectors * width;
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      Lanes old;
      __builtin_memcpy(&old, c + i * row_c + v * width, sizeof(Lanes));
      sum[i][v] += old;
      __builtin_memcpy(c + i * row_c + v * width, &sum[i][v], sizeof(Lanes));
    }
  }
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx512f"))) void multiply_avx512(std::int64_t k, const float* a, const float* b, float* c, std::int64_t row_c) {
  multiply<14, 2, Lanes16>(k, a, b, c, row_c);
}
__attribute__((target("avx2,fma"))) void multiply_avx2(std::int64_t k, const float* a, const float* b, float* c, std::int64_t row_c) {
  multiply<6, 2, Lanes8>(k, a, b, c, row_c);
}
#endif
void multiply_any(std::int64_t k, const float* a, const float* b, float* c, std::int64_t row_c) { multiply<4, 2, Lanes4>(k, a, b, c, row_c); }

}  // namespace

int matmul_tiles(MatmulTile (&tiles)[3]) {
  int count = 0;
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512f")) tiles[count++] = {14, 32, multiply_avx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) tiles[count++] = {6, 16, multiply_avx2};
#endif
  tiles[count++] = {4, 8, multiply_any};
  return count;
}

MatmulTile matmul_tile() {
  MatmulTile tiles[3];
  matmul_tiles(tiles);
  return tiles[0];
}

}  // namespace reckon
