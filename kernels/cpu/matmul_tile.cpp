// Register tiles of the CPU matrix product.  Sizes follow from the register file: AVX-512 has 32 vectors of 16, of which 14 x 2 hold sums,
// 2 the row of b and 1 the value of a; AVX2 has 16 of 8: 6 x 2 + 2 + 1.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/matmul_tile.hpp"

#include "kernels/cpu/vector.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define RECKON_X86
#include <immintrin.h>
#endif

namespace reckon {
namespace {

typedef float Lanes4 __attribute__((vector_size(16)));
typedef float Lanes8 __attribute__((vector_size(32)));
typedef float Lanes16 __attribute__((vector_size(64)));

template <int rows, int vectors, class Lanes>
RECKON_INLINE void multiply(std::int64_t k, const float* a, const float* b, float* c, std::int64_t row_c, bool add) {
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
      if (add) {
        Lanes old;
        __builtin_memcpy(&old, c + i * row_c + v * width, sizeof(Lanes));
        sum[i][v] += old;
      }
      __builtin_memcpy(c + i * row_c + v * width, &sum[i][v], sizeof(Lanes));
    }
  }
}

#ifdef RECKON_X86
/// Pairs of bf16: each step of l multiplies two values of k.
__attribute__((target("avx512f,avx512bf16"))) void multiply_pairs(std::int64_t depth, const float* a, const float* b, float* c,
                                                                  std::int64_t row_c, bool add) {
  constexpr int rows = 14, vectors = 2, width = 16;
  __m512 sum[rows][vectors] = {};
  for (std::int64_t l = 0; l < depth; ++l) {
    const __m512bh low = (__m512bh)_mm512_loadu_ps(b), high = (__m512bh)_mm512_loadu_ps(b + width);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      std::int32_t pair;
      __builtin_memcpy(&pair, a + i, sizeof pair);
      const __m512bh value = (__m512bh)_mm512_set1_epi32(pair);
      sum[i][0] = _mm512_dpbf16_ps(sum[i][0], value, low);
      sum[i][1] = _mm512_dpbf16_ps(sum[i][1], value, high);
    }
    a += rows;
    b += vectors * width;
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      float* at = c + i * row_c + v * width;
      _mm512_storeu_ps(at, add ? _mm512_add_ps(_mm512_loadu_ps(at), sum[i][v]) : sum[i][v]);
    }
  }
}

/// One step of k.  Each value of a is broadcast into a register (one instruction more) or within its multiply-adds (one load more): with
/// five of 14 rows the second way neither the front end nor the load ports are full, even where a second hyperthread takes its half of
/// both.
__attribute__((target("avx512f"), always_inline)) inline void step_avx512(const float* a, const float* b, __m512 (&sum)[14][2]) {
  const __m512 low = _mm512_loadu_ps(b), high = _mm512_loadu_ps(b + 16);
#pragma GCC unroll 16
  for (int i = 0; i < 14; ++i) {
    if (i % 3 == 1) {
      asm("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(sum[i][0]) : "v"(low), "m"(a[i]));
      asm("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(sum[i][1]) : "v"(high), "m"(a[i]));
    } else {
      const __m512 value = _mm512_set1_ps(a[i]);
      sum[i][0] = _mm512_fmadd_ps(value, low, sum[i][0]);
      sum[i][1] = _mm512_fmadd_ps(value, high, sum[i][1]);
    }
  }
}
__attribute__((target("avx512f"))) void multiply_avx512(std::int64_t k, const float* a, const float* b, float* c, std::int64_t row_c,
                                                        bool add) {
  __m512 sum[14][2];
#pragma GCC unroll 16
  for (auto& row : sum) row[0] = row[1] = _mm512_setzero_ps();
  for (; k >= 4; k -= 4, a += 4 * 14, b += 4 * 32) {
#pragma GCC unroll 4
    for (int l = 0; l < 4; ++l) step_avx512(a + l * 14, b + l * 32, sum);
  }
  for (; k > 0; --k, a += 14, b += 32) step_avx512(a, b, sum);
#pragma GCC unroll 16
  for (int i = 0; i < 14; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      float* at = c + i * row_c + v * 16;
      _mm512_storeu_ps(at, add ? _mm512_add_ps(_mm512_loadu_ps(at), sum[i][v]) : sum[i][v]);
    }
  }
}
__attribute__((target("avx2,fma"))) void multiply_avx2(std::int64_t k, const float* a, const float* b, float* c, std::int64_t row_c,
                                                       bool add) {
  multiply<6, 2, Lanes8>(k, a, b, c, row_c, add);
}
#endif
void multiply_any(std::int64_t k, const float* a, const float* b, float* c, std::int64_t row_c, bool add) {
  multiply<4, 2, Lanes4>(k, a, b, c, row_c, add);
}

}  // namespace

int matmul_tiles(MatmulTile (&tiles)[3]) {
  int count = 0;
#ifdef RECKON_X86
  if (__builtin_cpu_supports("avx512f")) tiles[count++] = {14, 32, multiply_avx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) tiles[count++] = {6, 16, multiply_avx2};
#endif
  tiles[count++] = {4, 8, multiply_any};
  return count;
}

MatmulTile bf16_matmul_tile() {
#ifdef RECKON_X86
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bf16")) return {14, 32, multiply_pairs, true};
#endif
  return matmul_tile();
}

MatmulTile matmul_tile() {
  MatmulTile tiles[3];
  matmul_tiles(tiles);
  return tiles[0];
}

}  // namespace reckon
