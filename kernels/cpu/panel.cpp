// Packing of panels.  Matrices that lie along the depth are transposed on the way, 16 by 16 words in registers where AVX-512 is there.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/panel.hpp"

#include "kernels/cpu/vector.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define RECKON_X86
#include <immintrin.h>
// GCC 12 takes the unread operand of its own unmasked intrinsics for an uninitialised one (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace reckon {
namespace {

/// A panel of words from rows along the depth, one by one.
void transpose_plain(const char* rows, std::int64_t row_bytes, std::int64_t count, std::int64_t words, std::int64_t width, float* out) {
  constexpr std::int64_t step = 16;  // a cache line of words from each row, so that stores stay in the first-level cache
  for (std::int64_t first = 0; first < words; first += step) {
    const std::int64_t last = std::min(words, first + step);
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t l = first; l < last; ++l) std::memcpy(out + l * width + i, rows + i * row_bytes + l * 4, 4);
    }
    for (std::int64_t l = first; l < last; ++l) std::fill(out + l * width + count, out + (l + 1) * width, 0.0f);
  }
}

#ifdef RECKON_X86
/// Pairs of words of a and b in turn: the lower or the upper ones of each quarter.
__attribute__((target("avx512f"), always_inline)) inline __m512 low_pairs(__m512 a, __m512 b) {
  return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}
__attribute__((target("avx512f"), always_inline)) inline __m512 high_pairs(__m512 a, __m512 b) {
  return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}

__attribute__((target("avx512f"))) inline void transpose_block(__m512 (&r)[16]) {
  __m512 t[16], u[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    u[4 * i] = low_pairs(t[4 * i], t[4 * i + 2]);
    u[4 * i + 1] = high_pairs(t[4 * i], t[4 * i + 2]);
    u[4 * i + 2] = low_pairs(t[4 * i + 1], t[4 * i + 3]);
    u[4 * i + 3] = high_pairs(t[4 * i + 1], t[4 * i + 3]);
  }
  // u[4 i + j], quarter q: column 4 q + j of rows 4 i .. 4 i + 3.
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const __m512 even_low = _mm512_shuffle_f32x4(u[j], u[4 + j], 0x88), even_high = _mm512_shuffle_f32x4(u[8 + j], u[12 + j], 0x88);
    const __m512 odd_low = _mm512_shuffle_f32x4(u[j], u[4 + j], 0xdd), odd_high = _mm512_shuffle_f32x4(u[8 + j], u[12 + j], 0xdd);
    r[j] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
    r[8 + j] = _mm512_shuffle_f32x4(even_low, even_high, 0xdd);
    r[4 + j] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
    r[12 + j] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xdd);
  }
}

__attribute__((target("avx512f"))) void transpose_avx512(const char* rows, std::int64_t row_bytes, std::int64_t count, std::int64_t words,
                                                         std::int64_t width, float* out) {
  for (std::int64_t first = 0; first < width; first += 16) {
    const __mmask16 lanes = static_cast<__mmask16>((1u << std::min<std::int64_t>(16, width - first)) - 1);
    for (std::int64_t l = 0; l < words; l += 16) {
      const std::int64_t here = std::min<std::int64_t>(16, words - l);
      const __mmask16 mask = static_cast<__mmask16>((1u << here) - 1);
      __m512 r[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i)
        r[i] = first + i < count ? _mm512_maskz_loadu_ps(mask, rows + (first + i) * row_bytes + l * 4) : _mm512_setzero_ps();
      transpose_block(r);
      if (here == 16) {
#pragma GCC unroll 16
        for (int i = 0; i < 16; ++i) _mm512_mask_storeu_ps(out + (l + i) * width + first, lanes, r[i]);
      } else {
        for (std::int64_t i = 0; i < here; ++i) _mm512_mask_storeu_ps(out + (l + i) * width + first, lanes, r[i]);
      }
    }
  }
}
#endif

void transpose(const void* rows, std::int64_t row_bytes, std::int64_t count, std::int64_t words, std::int64_t width, float* out) {
#ifdef RECKON_X86
  static const bool wide = __builtin_cpu_supports("avx512f");
  if (wide) return transpose_avx512(static_cast<const char*>(rows), row_bytes, count, words, width, out);
#endif
  transpose_plain(static_cast<const char*>(rows), row_bytes, count, words, width, out);
}

template <class T>
RECKON_CLONES void pack_across(const T* matrix, std::int64_t row, std::int64_t count, std::int64_t depth, std::int64_t width, float* out) {
  for (std::int64_t l = 0; l < depth; ++l) {
    for (std::int64_t i = 0; i < count; ++i) out[l * width + i] = widen(matrix[l * row + i]);
    std::fill(out + l * width + count, out + (l + 1) * width, 0.0f);
  }
}

/// Widened rows along the depth.
RECKON_CLONES void pack_along(const Bf16* matrix, std::int64_t row, std::int64_t count, std::int64_t depth, std::int64_t width,
                              float* out) {
  constexpr std::int64_t step = 16;
  for (std::int64_t first = 0; first < depth; first += step) {
    const std::int64_t last = std::min(depth, first + step);
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t l = first; l < last; ++l) out[l * width + i] = widen(matrix[i * row + l]);
    }
    for (std::int64_t l = first; l < last; ++l) std::fill(out + l * width + count, out + (l + 1) * width, 0.0f);
  }
}

/// One row of words from two rows of elements (the second may be missing).
RECKON_CLONES void pair_rows(const Bf16* low, const Bf16* high, std::int64_t count, std::int64_t width, float* out) {
  std::uint32_t words[64];
  for (std::int64_t first = 0; first < width; first += 64) {
    const std::int64_t last = std::min(width, first + 64), end = std::clamp(count, first, last);
    if (high != nullptr) {
      for (std::int64_t i = first; i < end; ++i) words[i - first] = std::uint32_t(low[i].bits) | std::uint32_t(high[i].bits) << 16;
    } else {
      for (std::int64_t i = first; i < end; ++i) words[i - first] = low[i].bits;
    }
    for (std::int64_t i = end; i < last; ++i) words[i - first] = 0;
    std::memcpy(out + first, words, static_cast<std::size_t>(last - first) * 4);
  }
}

}  // namespace

void pack_panel(const float* matrix, std::int64_t row, bool along_depth, std::int64_t count, std::int64_t depth, std::int64_t width,
                float* out) {
  if (along_depth) {
    transpose(matrix, row * 4, count, depth, width, out);
  } else {
    pack_across(matrix, row, count, depth, width, out);
  }
}

void pack_panel(const Bf16* matrix, std::int64_t row, bool along_depth, std::int64_t count, std::int64_t depth, std::int64_t width,
                float* out) {
  if (along_depth) {
    pack_along(matrix, row, count, depth, width, out);
  } else {
    pack_across(matrix, row, count, depth, width, out);
  }
}

void pack_pairs(const Bf16* matrix, std::int64_t row, bool along_depth, std::int64_t count, std::int64_t depth, std::int64_t width,
                float* out) {
  const std::int64_t words = depth / 2;
  if (!along_depth) {
    for (std::int64_t l = 0; l < words; ++l) pair_rows(matrix + 2 * l * row, matrix + (2 * l + 1) * row, count, width, out + l * width);
    if (depth % 2 != 0) pair_rows(matrix + (depth - 1) * row, nullptr, count, width, out + words * width);
    return;
  }
  transpose(matrix, row * 2, count, words, width, out);
  if (depth % 2 == 0) return;
  for (std::int64_t i = 0; i < width; ++i) {
    const std::uint32_t word = i < count ? matrix[i * row + depth - 1].bits : 0;
    std::memcpy(out + words * width + i, &word, 4);
  }
}

}  // namespace reckon
