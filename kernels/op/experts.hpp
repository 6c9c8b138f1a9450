// Mixture of experts: the choice of experts for a token, and the way of its rows to them and back.
// Sources: Shazeer et al. 2017 (arXiv 1701.06538); Jiang et al. 2024 (arXiv 2401.04088) for weights that are renormalised over the choice.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/backend.hpp"

namespace reckon {

/// p = softmax(x) over the experts; choice = the top_k largest, in descending order, the lower expert first where two are equal;
/// weight = p of the choice, divided by their sum when `renormalise`.  x: (tokens, experts); choice, weight: (tokens, top_k).
template <class T>
struct RouterForward {
  using Element = T;
  std::int64_t tokens = 0, experts = 0, top_k = 0;
  bool renormalise = true;
  const T* x = nullptr;
  Accumulator<T>* p = nullptr;
  std::int32_t* choice = nullptr;
  Accumulator<T>* weight = nullptr;

  Work work() const { return router_work(double(tokens), double(experts), double(top_k), sizeof(T)); }
  void check() const { require(tokens >= 0 && experts >= 1 && top_k >= 1 && top_k <= experts, "a choice of more experts than there are"); }
};

/// The gradient of x from that of the weights; the choice itself has none.  With w = weight, S = sum of the chosen p, g = dweight:
///   dp of a chosen expert = renormalise ? (g - sum of g w) / S : g;   dx = p (dp - sum of p dp).
template <class T>
struct RouterBackward {
  using Element = T;
  std::int64_t tokens = 0, experts = 0, top_k = 0;
  bool renormalise = true;
  const Accumulator<T>* p = nullptr;
  const std::int32_t* choice = nullptr;
  const Accumulator<T>* weight = nullptr;
  const Accumulator<T>* dweight = nullptr;
  T* dx = nullptr;

  Work work() const { return router_work(double(tokens), double(experts), double(top_k), sizeof(T)); }
  void check() const { require(tokens >= 0 && experts >= 1 && top_k >= 1 && top_k <= experts, "a choice of more experts than there are"); }
};

/// out[r] = x[source[r]]: rows in the order of their experts.  x: (any, columns), out: (rows, columns).
template <class T>
struct GatherRows {
  using Element = T;
  std::int64_t rows = 0, columns = 0;
  const std::int32_t* source = nullptr;
  const T* x = nullptr;
  T* out = nullptr;

  Work work() const { return permute_work(double(rows), 1, double(columns), sizeof(T)); }
  void check() const { require(rows >= 0 && columns >= 0, "a permutation of a negative size"); }
};

/// out[t] = sum over k of weight[t, k] x[slot[t, k]], or without weights when `weight` is null.  slot: (tokens, top_k).
/// The way back from the experts, and (without weights) the backward pass of the way to them.
template <class T>
struct CombineRows {
  using Element = T;
  std::int64_t tokens = 0, top_k = 0, columns = 0;
  const std::int32_t* slot = nullptr;
  const Accumulator<T>* weight = nullptr;
  const T* x = nullptr;
  T* out = nullptr;

  Work work() const { return permute_work(double(tokens), double(top_k), double(columns), sizeof(T)); }
  void check() const { require(tokens >= 0 && top_k >= 1 && columns >= 0, "a permutation of a negative size"); }
};

/// dx[slot[t, k]] = weight[t, k] dout[t];  dweight[t, k] = dout[t] . x[slot[t, k]].  No two slots are the same.
template <class T>
struct CombineRowsBackward {
  using Element = T;
  std::int64_t tokens = 0, top_k = 0, columns = 0;
  const std::int32_t* slot = nullptr;
  const Accumulator<T>* weight = nullptr;
  const T* x = nullptr;
  const T* dout = nullptr;
  T* dx = nullptr;
  Accumulator<T>* dweight = nullptr;

  Work work() const { return permute_work(double(tokens), 2 * double(top_k), double(columns), sizeof(T)); }
  void check() const { require(tokens >= 0 && top_k >= 1 && columns >= 0, "a permutation of a negative size"); }
};

RECKON_OP(RouterForward);
RECKON_OP(RouterBackward);
RECKON_OP(GatherRows);
RECKON_OP(CombineRows);
RECKON_OP(CombineRowsBackward);

}  // namespace reckon
