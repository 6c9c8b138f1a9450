// SGD, LAMB, the sum of squares and casts as their formulas read (kernels/op/update.hpp).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/update.hpp"

#include "kernels/reference/rounding.hpp"

namespace reckon {
namespace {

template <class T, class G>
void sgd(const Sgd<T, G>& op) {
  using State = typename Sgd<T, G>::State;
  for (std::int64_t i = 0; i < op.count; ++i) {
    const double g = op.gradient_scale * double(widen(op.gradient[i])) + op.weight_decay * double(op.master[i]);
    const double momentum = op.momentum_factor * double(op.momentum[i]) + g;
    op.momentum[i] = State(momentum);
    op.master[i] = State(double(op.master[i]) - op.learning_rate * momentum);
    if (op.weight != nullptr) op.weight[i] = rounded<T>(double(op.master[i]));
  }
}

template <class T, class G>
void lamb_moments(const LambMoments<T, G>& op) {
  using State = typename LambMoments<T, G>::State;
  const double correction1 = 1 - std::pow(op.beta1, double(op.step)), correction2 = 1 - std::pow(op.beta2, double(op.step));
  op.norms[0] = op.norms[1] = 0;
  for (std::int64_t i = 0; i < op.count; ++i) {
    const double g = op.gradient_scale * double(widen(op.gradient[i])), master = double(op.master[i]);
    const double m = op.beta1 * double(op.first_moment[i]) + (1 - op.beta1) * g;
    const double v = op.beta2 * double(op.second_moment[i]) + (1 - op.beta2) * g * g;
    const double update = m / correction1 / (std::sqrt(v / correction2) + op.epsilon) + op.weight_decay * master;
    op.first_moment[i] = State(m);
    op.second_moment[i] = State(v);
    op.update[i] = State(update);
    op.norms[0] += master * master;
    op.norms[1] += update * update;
  }
}

template <class T>
void lamb_apply(const LambApply<T>& op) {
  const double ratio = op.norms[0] > 0 && op.norms[1] > 0 ? std::sqrt(op.norms[0] / op.norms[1]) : 1.0;
  for (std::int64_t i = 0; i < op.count; ++i) {
    op.master[i] = Accumulator<T>(double(op.master[i]) - op.learning_rate * ratio * double(op.update[i]));
    if (op.weight != nullptr) op.weight[i] = rounded<T>(double(op.master[i]));
  }
}

template <class T>
void sum_of_squares(const SumOfSquares<T>& op) {
  double sum = 0;
  for (std::int64_t i = 0; i < op.count; ++i) sum += double(widen(op.x[i])) * double(widen(op.x[i]));
  *op.result = sum;
}

template <class T>
void narrow_elements(const Narrow<T>& op) {
  for (std::int64_t i = 0; i < op.count; ++i) op.out[i] = rounded<T>(double(op.scale) * double(op.x[i]));
}

template <class T>
void widen_elements(const Widen<T>& op) {
  for (std::int64_t i = 0; i < op.count; ++i) op.out[i] = widen(op.x[i]);
}

}  // namespace

RECKON_PAIR_REFERENCE(Sgd, sgd)
RECKON_PAIR_REFERENCE(LambMoments, lamb_moments)
RECKON_REFERENCE(LambApply, lamb_apply)
RECKON_REFERENCE(SumOfSquares, sum_of_squares)
RECKON_REFERENCE(Narrow, narrow_elements)
RECKON_REFERENCE(Widen, widen_elements)

}  // namespace reckon
