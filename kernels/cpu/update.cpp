// SGD, LAMB, the sum of squares and casts on the CPU.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/update.hpp"

#include "kernels/cpu/vector.hpp"

namespace reckon {
namespace {

template <class T>
RECKON_CLONES void narrow_piece(const float* x, float scale, T* out, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) out[i] = narrow<T>(scale * x[i]);
}

template <class T>
RECKON_CLONES void widen_piece(const T* x, float* out, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) out[i] = widen(x[i]);
}

template <class G>
RECKON_CLONES void sgd_piece(const G* gradient, float* master, float* momentum, float scale, float decay, float factor, float rate,
                             std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float m = factor * momentum[i] + scale * widen(gradient[i]) + decay * master[i];
    momentum[i] = m;
    master[i] -= rate * m;
  }
}

template <class T, class G>
void sgd(const Sgd<T, G>& op, Stream) {
  for_each_piece(op.count, elements_in_piece / 4, [&](std::int64_t first, std::int64_t last) {
    const std::int64_t count = last - first;
    sgd_piece(op.gradient + first, op.master + first, op.momentum + first, float(op.gradient_scale), float(op.weight_decay),
              float(op.momentum_factor), float(op.learning_rate), count);
    if (op.weight != nullptr) narrow_piece(op.master + first, 1.0f, op.weight + first, count);
  });
}

struct LambCoefficients {
  float beta1, one_minus_beta1, beta2, one_minus_beta2, correction1, rsqrt_correction2, epsilon, decay, scale;
};

template <class G>
RECKON_CLONES void lamb_piece(const LambCoefficients& k, const G* gradient, const float* master, float* first, float* second, float* update,
                              double* norms, std::int64_t count) {
  double weights = 0, updates = 0;
#pragma omp simd reduction(+ : weights, updates)
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = k.scale * widen(gradient[i]);
    const float m = k.beta1 * first[i] + k.one_minus_beta1 * g;
    const float v = k.beta2 * second[i] + k.one_minus_beta2 * g * g;
    const float u = k.correction1 * m / (__builtin_sqrtf(v) * k.rsqrt_correction2 + k.epsilon) + k.decay * master[i];
    first[i] = m;
    second[i] = v;
    update[i] = u;
    weights += double(master[i]) * double(master[i]);
    updates += double(u) * double(u);
  }
  norms[0] = weights;
  norms[1] = updates;
}

template <class T, class G>
void lamb_moments(const LambMoments<T, G>& op, Stream) {
  const double step = double(op.step);
  const LambCoefficients k{float(op.beta1),
                           float(1 - op.beta1),
                           float(op.beta2),
                           float(1 - op.beta2),
                           float(1 / (1 - std::pow(op.beta1, step))),
                           float(1 / std::sqrt(1 - std::pow(op.beta2, step))),
                           float(op.epsilon),
                           float(op.weight_decay),
                           float(op.gradient_scale)};
  const std::int64_t chunks = row_chunks(op.count);
  double* partial = static_cast<double*>(op.workspace);
  for_each_piece(chunks, 1, [&](std::int64_t chunk, std::int64_t) {
    const std::int64_t first = chunk * op.count / chunks, last = (chunk + 1) * op.count / chunks;
    lamb_piece(k, op.gradient + first, op.master + first, op.first_moment + first, op.second_moment + first, op.update + first,
               partial + 2 * chunk, last - first);
  });
  op.norms[0] = op.norms[1] = 0;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    op.norms[0] += partial[2 * chunk];
    op.norms[1] += partial[2 * chunk + 1];
  }
}

RECKON_CLONES void apply_piece(const float* update, float rate, float* master, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) master[i] -= rate * update[i];
}

template <class T>
void lamb_apply(const LambApply<T>& op, Stream) {
  const double ratio = op.norms[0] > 0 && op.norms[1] > 0 ? std::sqrt(op.norms[0] / op.norms[1]) : 1.0;
  for_each_piece(op.count, elements_in_piece / 4, [&](std::int64_t first, std::int64_t last) {
    apply_piece(op.update + first, float(op.learning_rate * ratio), op.master + first, last - first);
    if (op.weight != nullptr) narrow_piece(op.master + first, 1.0f, op.weight + first, last - first);
  });
}

template <class T>
RECKON_CLONES double squares_of_piece(const T* x, std::int64_t count) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += double(widen(x[i])) * double(widen(x[i]));
  return sum;
}

template <class T>
void sum_of_squares(const SumOfSquares<T>& op, Stream) {
  const std::int64_t chunks = row_chunks(op.count);
  double* partial = static_cast<double*>(op.workspace);
  for_each_piece(chunks, 1, [&](std::int64_t chunk, std::int64_t) {
    const std::int64_t first = chunk * op.count / chunks, last = (chunk + 1) * op.count / chunks;
    partial[chunk] = squares_of_piece(op.x + first, last - first);
  });
  *op.result = 0;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) *op.result += partial[chunk];
}

template <class T>
void narrow_elements(const Narrow<T>& op, Stream) {
  for_each_piece(op.count, elements_in_piece,
                 [&](std::int64_t first, std::int64_t last) { narrow_piece(op.x + first, op.scale, op.out + first, last - first); });
}

template <class T>
void widen_elements(const Widen<T>& op, Stream) {
  for_each_piece(op.count, elements_in_piece,
                 [&](std::int64_t first, std::int64_t last) { widen_piece(op.x + first, op.out + first, last - first); });
}

}  // namespace

RECKON_PAIR_LAUNCHERS(cpu, Sgd, sgd)
RECKON_PAIR_LAUNCHERS(cpu, LambMoments, lamb_moments)
RECKON_LAUNCHERS(cpu, LambApply, lamb_apply)
RECKON_LAUNCHERS(cpu, SumOfSquares, sum_of_squares)
RECKON_LAUNCHERS(cpu, Narrow, narrow_elements)
RECKON_LAUNCHERS(cpu, Widen, widen_elements)

}  // namespace reckon
