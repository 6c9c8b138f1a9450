// The AdamW update.  Source: Loshchilov, Hutter 2019 (arXiv 1711.05101), algorithm 2 with the schedule multiplier in the learning rate.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "kernels/op/backend.hpp"

namespace reckon {

/// T is the working weight's type, G the gradient's; master weight and moments are kept in Accumulator<T>.  With g = gradient_scale
/// gradient:
///
///   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
///   master -= learning_rate (m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + epsilon) + weight_decay master)
///   weight = master rounded to T, where there is a working weight
///
/// No operands overlap.  step counts from 1.
template <class T, class G = T>
struct AdamW {
  using Element = T;
  using State = Accumulator<T>;
  std::int64_t count = 0;
  std::int64_t step = 1;
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0.01;
  double gradient_scale = 1;  ///< clipping and the undoing of a loss scale
  const G* gradient = nullptr;
  State* master = nullptr;
  State* first_moment = nullptr;
  State* second_moment = nullptr;
  T* weight = nullptr;  ///< may be null

  Work work() const {
    return adam_work(double(count), sizeof(G), sizeof(State), 2 * sizeof(State), weight == nullptr ? 0.0 : double(sizeof(T)));
  }
  void check() const { require(count >= 0 && step >= 1, "an AdamW step before the first, or over a negative number of elements"); }
};

/// The numbers of one step that all elements share, computed in double once and used in type A.
template <class A>
struct AdamWCoefficients {
  A beta1, one_minus_beta1, beta2, one_minus_beta2, step_size, rsqrt_correction2, epsilon, decay, gradient_scale;
};

/// step_size = learning_rate / (1 - beta1^step);  rsqrt_correction2 = 1 / sqrt(1 - beta2^step);  decay = 1 - learning_rate weight_decay.
template <class A, class T, class G>
AdamWCoefficients<A> coefficients_of(const AdamW<T, G>& op) {
  const double step = static_cast<double>(op.step);
  return {A(op.beta1),
          A(1 - op.beta1),
          A(op.beta2),
          A(1 - op.beta2),
          A(op.learning_rate / (1 - std::pow(op.beta1, step))),
          A(1 / std::sqrt(1 - std::pow(op.beta2, step))),
          A(op.epsilon),
          A(1 - op.learning_rate * op.weight_decay),
          A(op.gradient_scale)};
}

RECKON_PAIR_OP(AdamW);

}  // namespace reckon
