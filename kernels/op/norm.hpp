// RMSNorm and LayerNorm over the last dimension, forward and backward.
//
// x, out, dx, dout: (rows, columns) row-major; weight, bias: (columns); rstd, mean: (rows), kept for the backward pass.
// No two operands may overlap.  Sources: Ba, Kiros, Hinton 2016 (arXiv 1607.06450); Zhang, Sennrich 2019 (arXiv 1910.07467).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/backend.hpp"

namespace reckon {

/// rstd = 1 / sqrt(mean(x^2) + epsilon);  out = x rstd weight.
template <class T>
struct RmsNormForward {
  using Element = T;
  std::int64_t rows = 0, columns = 0;
  Accumulator<T> epsilon = Accumulator<T>(1e-5);
  const T* x = nullptr;
  const T* weight = nullptr;
  T* out = nullptr;
  Accumulator<T>* rstd = nullptr;

  Work work() const { return norm_work(double(rows), double(columns), sizeof(T)); }
  void check() const { require(rows >= 0 && columns >= 0, "a norm over a negative number of rows or columns"); }
};

/// mean = mean(x);  rstd = 1 / sqrt(mean((x - mean)^2) + epsilon);  out = (x - mean) rstd weight + bias.
template <class T>
struct LayerNormForward {
  using Element = T;
  std::int64_t rows = 0, columns = 0;
  Accumulator<T> epsilon = Accumulator<T>(1e-5);
  const T* x = nullptr;
  const T* weight = nullptr;
  const T* bias = nullptr;
  T* out = nullptr;
  Accumulator<T>* mean = nullptr;
  Accumulator<T>* rstd = nullptr;

  Work work() const { return norm_work(double(rows), double(columns), sizeof(T)); }
  void check() const { require(rows >= 0 && columns >= 0, "a norm over a negative number of rows or columns"); }
};

/// With n = x rstd and g = dout weight:  dx = rstd (g - n mean(g n));  dweight = sum over rows of dout n.
/// `accumulate` adds to dweight what it held before.  Reads two arrays and writes one.
template <class T>
struct RmsNormBackward {
  using Element = T;
  std::int64_t rows = 0, columns = 0;
  const T* x = nullptr;
  const T* weight = nullptr;
  const Accumulator<T>* rstd = nullptr;
  const T* dout = nullptr;
  T* dx = nullptr;
  Accumulator<T>* dweight = nullptr;
  bool accumulate = false;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;

  std::size_t workspace_size() const { return std::size_t(row_chunks(rows)) * std::size_t(columns) * sizeof(Accumulator<T>); }
  Work work() const { return elementwise_work(double(rows) * double(columns), 2, 1, 0, sizeof(T)); }
  void check() const {
    require(rows >= 0 && columns >= 0, "a norm over a negative number of rows or columns");
    require(workspace_bytes >= workspace_size(), "the workspace of a norm's backward pass is too small");
  }
};

/// With n = (x - mean) rstd and g = dout weight:  dx = rstd (g - mean(g) - n mean(g n));
/// dweight = sum over rows of dout n;  dbias = sum over rows of dout.
template <class T>
struct LayerNormBackward {
  using Element = T;
  std::int64_t rows = 0, columns = 0;
  const T* x = nullptr;
  const T* weight = nullptr;
  const Accumulator<T>* mean = nullptr;
  const Accumulator<T>* rstd = nullptr;
  const T* dout = nullptr;
  T* dx = nullptr;
  Accumulator<T>* dweight = nullptr;
  Accumulator<T>* dbias = nullptr;
  bool accumulate = false;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;

  std::size_t workspace_size() const { return 2 * std::size_t(row_chunks(rows)) * std::size_t(columns) * sizeof(Accumulator<T>); }
  Work work() const { return elementwise_work(double(rows) * double(columns), 2, 1, 0, sizeof(T)); }
  void check() const {
    require(rows >= 0 && columns >= 0, "a norm over a negative number of rows or columns");
    require(workspace_bytes >= workspace_size(), "the workspace of a norm's backward pass is too small");
  }
};

RECKON_OP(RmsNormForward);
RECKON_OP(LayerNormForward);
RECKON_OP(RmsNormBackward);
RECKON_OP(LayerNormBackward);

}  // namespace reckon
