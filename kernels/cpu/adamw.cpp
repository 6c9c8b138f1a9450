// AdamW on the CPU: one pass over gradient, master weight and moments.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/adamw.hpp"

#include "kernels/cpu/vector.hpp"

namespace reckon {
namespace {

template <class G>
RECKON_CLONES void update_piece(const AdamWCoefficients<float>& k, const G* gradient, float* master, float* first, float* second,
                                std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = k.gradient_scale * widen(gradient[i]);
    const float m = k.beta1 * first[i] + k.one_minus_beta1 * g;
    const float v = k.beta2 * second[i] + k.one_minus_beta2 * g * g;
    first[i] = m;
    second[i] = v;
    master[i] = k.decay * master[i] - k.step_size * m / (__builtin_sqrtf(v) * k.rsqrt_correction2 + k.epsilon);
  }
}

template <class T>
RECKON_CLONES void narrow_piece(const float* master, T* weight, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) weight[i] = narrow<T>(master[i]);
}

template <class T, class G>
void adamw(const AdamW<T, G>& op, Stream) {
  const auto k = coefficients_of<float>(op);
  for_each_piece(op.count, elements_in_piece / 4, [&](std::int64_t first, std::int64_t last) {
    const std::int64_t count = last - first;
    update_piece(k, op.gradient + first, op.master + first, op.first_moment + first, op.second_moment + first, count);
    if (op.weight != nullptr) narrow_piece(op.master + first, op.weight + first, count);
  });
}

}  // namespace

RECKON_PAIR_LAUNCHERS(cpu, AdamW, adamw)

}  // namespace reckon
