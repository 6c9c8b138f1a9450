// Packing of panels.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/panel.hpp"

#include "kernels/cpu/vector.hpp"

namespace reckon {
namespace {

template <class T>
RECKON_CLONES void pack(const T* matrix, std::int64_t row, bool along_depth, std::int64_t count, std::int64_t depth, std::int64_t width, float* out) {
  if (along_depth) {
    constexpr std::int64_t step = 16;  // a cache line of fp32 from each row, so that stores stay in the first-level cache
    for (std::int64_t first = 0; first < depth; first += step) {
      const std::int64_t last = std::min(depth, first + step);
      for (std::int64_t i = 0; i < count; ++i) {
        for (std::int64_t l = first; l < last; ++l) out[l * width + i] = widen(matrix[i * row + l]);
      }
      for (std::int64_t l = first; l < last; ++l) std::fill(out + l * width + count, out + (l + 1) * width, 0.0f);
    }
    return;
  }
  for (std::int64_t l = 0; l < depth; ++l) {
    for (std::int64_t i = 0; i < count; ++i) out[l * width + i] = widen(matrix[l * row + i]);
    std::fill(out + l * width + count, out + (l + 1) * width, 0.0f);
  }
}

}  // namespace

void pack_panel(const float* matrix, std::int64_t row, bool along_depth, std::int64_t count, std::int64_t depth, std::int64_t width, float* out) {
  pack(matrix, row, along_depth, count, depth, width, out);
}
void pack_panel(const Bf16* matrix, std::int64_t row, bool along_depth, std::int64_t count, std::int64_t depth, std::int64_t width, float* out) {
  pack(matrix, row, along_depth, count, depth, width, out);
}

}  // namespace reckon
