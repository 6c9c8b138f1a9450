// AdamW as its formula reads (kernels/op/adamw.hpp).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/adamw.hpp"

#include "kernels/reference/rounding.hpp"

namespace reckon {
namespace {

template <class T, class G>
void adamw(const AdamW<T, G>& op) {
  using State = typename AdamW<T, G>::State;
  const double correction1 = 1 - std::pow(op.beta1, double(op.step)), correction2 = 1 - std::pow(op.beta2, double(op.step));
  for (std::int64_t i = 0; i < op.count; ++i) {
    const double g = op.gradient_scale * double(widen(op.gradient[i]));
    const double m = op.beta1 * double(op.first_moment[i]) + (1 - op.beta1) * g;
    const double v = op.beta2 * double(op.second_moment[i]) + (1 - op.beta2) * g * g;
    const double master = double(op.master[i]);
    const double update = m / correction1 / (std::sqrt(v / correction2) + op.epsilon) + op.weight_decay * master;
    op.first_moment[i] = State(m);
    op.second_moment[i] = State(v);
    op.master[i] = State(master - op.learning_rate * update);
    if (op.weight != nullptr) op.weight[i] = rounded<T>(double(op.master[i]));
  }
}

}  // namespace

RECKON_PAIR_REFERENCE(AdamW, adamw)

}  // namespace reckon
