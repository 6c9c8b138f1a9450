// Residual sum and copy on the CPU: as fast as memory allows.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/memory.hpp"

#include "kernels/cpu/vector.hpp"

namespace reckon {
namespace {

template <class T>
RECKON_CLONES void add_piece(const T* a, const T* b, T* out, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) out[i] = narrow<T>(widen(a[i]) + widen(b[i]));
}

template <class T>
void residual_add(const ResidualAdd<T>& op, Stream) {
  for_each_piece(op.count, elements_in_piece,
                 [&](std::int64_t first, std::int64_t last) { add_piece(op.a + first, op.b + first, op.out + first, last - first); });
}

template <class T>
void copy(const Copy<T>& op, Stream) {
  for_each_piece(op.count, 8 * elements_in_piece, [&](std::int64_t first, std::int64_t last) {
    std::memcpy(op.out + first, op.x + first, static_cast<std::size_t>(last - first) * sizeof(T));
  });
}

}  // namespace

RECKON_LAUNCHERS(cpu, ResidualAdd, residual_add)
RECKON_LAUNCHERS(cpu, Copy, copy)

}  // namespace reckon
