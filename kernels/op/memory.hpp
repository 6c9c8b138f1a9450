// Ops that only move memory: the residual sum, and the copy whose rate is the bandwidth that other kernels are held against.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/backend.hpp"

namespace reckon {

/// out = a + b.  Also the backward pass of a fork: gradients of the two branches add.  out may be a or b.
template <class T>
struct ResidualAdd {
  using Element = T;
  std::int64_t count = 0;
  const T* a = nullptr;
  const T* b = nullptr;
  T* out = nullptr;

  Work work() const { return elementwise_work(double(count), 2, 1, 0, sizeof(T)); }
  void check() const { require(count >= 0, "a negative number of elements"); }
};

/// out = x, bit by bit.  The bytes of its work count both directions.
template <class T>
struct Copy {
  using Element = T;
  std::int64_t count = 0;
  const T* x = nullptr;
  T* out = nullptr;

  Work work() const { return elementwise_work(double(count), 1, 1, 0, sizeof(T)); }
  void check() const { require(count >= 0, "a negative number of elements"); }
};

RECKON_OP(ResidualAdd);
RECKON_OP(Copy);

}  // namespace reckon
