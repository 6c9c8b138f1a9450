// Optimiser steps beside AdamW, the norm of gradients that clipping needs, and casts between precisions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "kernels/op/backend.hpp"

namespace reckon {

/// SGD with momentum.  With g = gradient_scale gradient + weight_decay master:
///   momentum = momentum_factor momentum + g;  master -= learning_rate momentum;  weight = master rounded to T, where there is one.
/// Source: Sutskever et al. 2013, in the form of PyTorch's SGD (dampening 0, no Nesterov).
template <class T, class G = T>
struct Sgd {
  using Element = T;
  using State = Accumulator<T>;
  std::int64_t count = 0;
  double learning_rate = 1e-2, momentum_factor = 0.9, weight_decay = 0, gradient_scale = 1;
  const G* gradient = nullptr;
  State* master = nullptr;
  State* momentum = nullptr;
  T* weight = nullptr;  ///< may be null

  Work work() const { return sgd_work(double(count), sizeof(G), sizeof(State), weight == nullptr ? 0.0 : double(sizeof(T))); }
  void check() const { require(count >= 0, "an optimiser step over a negative number of elements"); }
};

/// The first half of LAMB over one weight tensor (or a rank's part of it): moments as in AdamW,
///   update = m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + epsilon) + weight_decay master
///   norms[0] = sum of master^2;  norms[1] = sum of update^2      (in double; parts of a tensor add up)
/// Source: You et al. 2020 (arXiv 1904.00962), algorithm 2.
template <class T, class G = T>
struct LambMoments {
  using Element = T;
  using State = Accumulator<T>;
  std::int64_t count = 0, step = 1;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6, weight_decay = 0.01, gradient_scale = 1;
  const G* gradient = nullptr;
  const State* master = nullptr;
  State* first_moment = nullptr;
  State* second_moment = nullptr;
  State* update = nullptr;
  double* norms = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;

  std::size_t workspace_size() const { return 2 * std::size_t(row_chunks(count)) * sizeof(double); }
  Work work() const { return lamb_work(double(count), sizeof(G), sizeof(State), 2 * sizeof(State), 0); }
  void check() const {
    require(count >= 0 && step >= 1, "an optimiser step before the first, or over a negative number of elements");
    require(workspace_bytes >= workspace_size(), "the workspace of a LAMB step is too small");
  }
};

/// The second half: master -= learning_rate ratio update, with ratio = |master| / |update| from `norms`, 1 where either is 0;
/// weight = master rounded to T.
template <class T>
struct LambApply {
  using Element = T;
  using State = Accumulator<T>;
  std::int64_t count = 0;
  double learning_rate = 1e-3;
  const double* norms = nullptr;
  const State* update = nullptr;
  State* master = nullptr;
  T* weight = nullptr;  ///< may be null

  Work work() const { return elementwise_work(double(count), 2, 1, 0, sizeof(State)); }
  void check() const { require(count >= 0, "an optimiser step over a negative number of elements"); }
};

/// result = sum of x^2, in double; by fixed chunks (row_chunks of the count), so that the order of summation never depends on the machine.
/// The norm that clipping divides by; the clipping itself is the optimisers' gradient_scale.
template <class T>
struct SumOfSquares {
  using Element = T;
  std::int64_t count = 0;
  const T* x = nullptr;
  double* result = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;

  std::size_t workspace_size() const { return std::size_t(row_chunks(count)) * sizeof(double); }
  Work work() const { return gradient_norm_work(double(count), sizeof(T)); }
  void check() const {
    require(count >= 0, "a negative number of elements");
    require(workspace_bytes >= workspace_size(), "the workspace of a sum of squares is too small");
  }
};

/// out = scale x in fp32, rounded to T; and back: from bf16 to fp32.
template <class T>
struct Narrow {
  using Element = T;
  std::int64_t count = 0;
  Accumulator<T> scale = 1;
  const Accumulator<T>* x = nullptr;
  T* out = nullptr;

  Work work() const { return {Flops{double(count)}, Bytes{double(count) * double(sizeof(T) + sizeof(Accumulator<T>))}, Bytes{}}; }
  void check() const { require(count >= 0, "a negative number of elements"); }
};
template <class T>
struct Widen {
  using Element = T;
  std::int64_t count = 0;
  const T* x = nullptr;
  Accumulator<T>* out = nullptr;

  Work work() const { return {Flops{}, Bytes{double(count) * double(sizeof(T) + sizeof(Accumulator<T>))}, Bytes{}}; }
  void check() const { require(count >= 0, "a negative number of elements"); }
};

RECKON_PAIR_OP(Sgd);
RECKON_PAIR_OP(LambMoments);
RECKON_OP(LambApply);
RECKON_OP(SumOfSquares);
RECKON_OP(Narrow);
RECKON_OP(Widen);

}  // namespace reckon
