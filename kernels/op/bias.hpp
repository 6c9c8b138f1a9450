// What follows a product: its bias with the residual sum, and the bias's gradient.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/backend.hpp"

namespace reckon {

/// out = x + bias, + residual where there is one.  x, residual, out: (rows, columns); out may be x or residual.
template <class T>
struct BiasAdd {
  using Element = T;
  std::int64_t rows = 0, columns = 0;
  const T* x = nullptr;
  const T* bias = nullptr;
  const T* residual = nullptr;
  T* out = nullptr;

  Work work() const { return elementwise_work(double(rows) * double(columns), residual == nullptr ? 1 : 2, 1, 0, sizeof(T)); }
  void check() const { require(rows >= 0 && columns >= 0, "a bias over a negative size"); }
};

/// dbias = sum over rows of dout; `accumulate` adds to what it held before.  Sums by fixed chunks of rows (row_chunks), in `workspace`.
template <class T>
struct BiasBackward {
  using Element = T;
  std::int64_t rows = 0, columns = 0;
  const T* dout = nullptr;
  Accumulator<T>* dbias = nullptr;
  bool accumulate = false;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;

  std::size_t workspace_size() const { return std::size_t(row_chunks(rows)) * std::size_t(columns) * sizeof(Accumulator<T>); }
  Work work() const { return column_sum_work(double(rows), double(columns), sizeof(T)); }
  void check() const {
    require(rows >= 0 && columns >= 0, "a bias over a negative size");
    require(workspace_bytes >= workspace_size(), "the workspace of a bias gradient is too small");
  }
};

RECKON_OP(BiasAdd);
RECKON_OP(BiasBackward);

}  // namespace reckon
