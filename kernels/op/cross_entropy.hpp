// Softmax cross-entropy without a probability matrix, over a vocabulary that may be split over ranks.
//
// Forward: three numbers a row over the columns at hand.  The ranks that share the vocabulary merge them; the loss of a
// row is log(sum) + maximum - target_logit.  Backward: the gradient replaces the logits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/backend.hpp"

namespace reckon {

/// For each row over the columns [first_column, first_column + columns) of the vocabulary:
///   maximum = max x;  sum = sum of e^(x - maximum);  target_logit = x[target], 0 when the target is elsewhere.
/// Rows of x lie `stride` elements apart.  A negative target is no target.
template <class T>
struct CrossEntropyForward {
  using Element = T;
  std::int64_t rows = 0, columns = 0, stride = 0, first_column = 0;
  const T* x = nullptr;
  const std::int32_t* target = nullptr;
  Accumulator<T>* maximum = nullptr;
  Accumulator<T>* sum = nullptr;
  Accumulator<T>* target_logit = nullptr;

  Work work() const { return cross_entropy_work(double(rows), double(columns), sizeof(T)); }
  void check() const { require(rows >= 0 && columns >= 1 && stride >= columns, "a cross-entropy over rows that overlap or are empty"); }
};

/// dx = scale (e^(x - maximum) / sum - [column is the target]); 0 in rows without a target.  dx may be x.
template <class T>
struct CrossEntropyBackward {
  using Element = T;
  std::int64_t rows = 0, columns = 0, stride = 0, first_column = 0;
  double scale = 1;
  const T* x = nullptr;
  const std::int32_t* target = nullptr;
  const Accumulator<T>* maximum = nullptr;
  const Accumulator<T>* sum = nullptr;
  T* dx = nullptr;

  Work work() const { return elementwise_work(double(rows) * double(columns), 1, 1, 0, sizeof(T)); }
  void check() const { require(rows >= 0 && columns >= 1 && stride >= columns, "a cross-entropy over rows that overlap or are empty"); }
};

RECKON_OP(CrossEntropyForward);
RECKON_OP(CrossEntropyBackward);

}  // namespace reckon
