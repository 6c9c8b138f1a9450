// Products of a warp on the tensor cores: 16 x 8 x 16 in bf16 with fp32 sums, and the loads that give each lane its part of an operand.
//
// Lane l holds, with g = l / 4 and t = l % 4:  of A (16 x 16) rows g and g + 8, columns 2 t, 2 t + 1 and 8 further;  of B (16 x 8) column g,
// rows 2 t, 2 t + 1 and 8 further;  of C (16 x 8) rows g and g + 8, columns 2 t and 2 t + 1.
// Source: PTX ISA, mma.m16n8k16 and ldmatrix.  sm_80 and later.  The tests define the two instructions for the emulated device.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/cuda/pack.cuh"

namespace reckon {

struct MmaA {
  unsigned word[4];
};
struct MmaB {
  unsigned word[2];
};
struct MmaC {
  float value[4] = {0.0f, 0.0f, 0.0f, 0.0f};
};

/// c += a b.  Every lane of the warp calls it.
__device__ inline void multiply_add(MmaC& c, const MmaA& a, const MmaB& b) {
#ifdef RECKON_EMULATED_DEVICE
  emulated::mma(c.value, a.word, b.word);
#else
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(c.value[0]), "+f"(c.value[1]), "+f"(c.value[2]), "+f"(c.value[3])
               : "r"(a.word[0]), "r"(a.word[1]), "r"(a.word[2]), "r"(a.word[3]), "r"(b.word[0]), "r"(b.word[1]));
#endif
}

/// `count` 8 x 8 matrices from shared memory; lane 8 i + r points to row r of matrix i (lanes of further matrices anywhere).
template <int count, bool transposed>
__device__ inline void load_matrices(unsigned (&word)[count], const Bf16* row) {
#ifdef RECKON_EMULATED_DEVICE
  emulated::load_matrices(word, count, transposed, row);
#else
  const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  if constexpr (count == 4) {
    if constexpr (transposed) {
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                   : "=r"(word[0]), "=r"(word[1]), "=r"(word[2]), "=r"(word[3])
                   : "r"(address)
                   : "memory");
    } else {
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                   : "=r"(word[0]), "=r"(word[1]), "=r"(word[2]), "=r"(word[3])
                   : "r"(address)
                   : "memory");
    }
  } else {
    if constexpr (transposed) {
      asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];" : "=r"(word[0]), "=r"(word[1]) : "r"(address) : "memory");
    } else {
      asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];" : "=r"(word[0]), "=r"(word[1]) : "r"(address) : "memory");
    }
  }
#endif
}

/// A from 16 rows of a tile in shared memory, rows `row` values apart.
__device__ inline MmaA load_a(const Bf16* tile, int row) {
  const unsigned lane = threadIdx.x % lanes;
  MmaA a;
  load_matrices<4, false>(a.word, tile + (lane % 16) * row + lane / 16 * 8);
  return a;
}
/// B = the transpose of 8 rows of a tile, 16 values each.
__device__ inline MmaB load_b_from_rows(const Bf16* tile, int row) {
  const unsigned lane = threadIdx.x % lanes;
  MmaB b;
  load_matrices<2, false>(b.word, tile + (lane % 8) * row + lane / 8 % 2 * 8);
  return b;
}
/// B = 16 rows of a tile, 8 values each.
__device__ inline MmaB load_b(const Bf16* tile, int row) {
  const unsigned lane = threadIdx.x % lanes;
  MmaB b;
  load_matrices<2, true>(b.word, tile + (lane % 16) * row);
  return b;
}

__device__ inline unsigned bf16_pair(float low, float high) {
  return static_cast<unsigned>(narrow<Bf16>(low).bits) | static_cast<unsigned>(narrow<Bf16>(high).bits) << 16;
}
/// Two neighbouring results (16 x 16) as the left operand of the next product: lanes hold the same places of both.
__device__ inline MmaA as_a(const MmaC& left, const MmaC& right) {
  return {{bf16_pair(left.value[0], left.value[1]), bf16_pair(left.value[2], left.value[3]), bf16_pair(right.value[0], right.value[1]),
           bf16_pair(right.value[2], right.value[3])}};
}

}  // namespace reckon
