// The non-linear function between the two products of an MLP: GELU (GPT) and SwiGLU (Llama), forward and backward.
//
// Outputs may be the same array as an input of the same place, and must not overlap otherwise.
// Sources: Hendrycks, Gimpel 2016 (arXiv 1606.08415), the tanh form that GPT-2 trains with; Shazeer 2020 (arXiv 2002.05202).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/backend.hpp"

namespace reckon {

/// The two constants of the tanh form: sqrt(2 / pi) and 0.044715.
inline constexpr double gelu_scale = 0.79788456080286535588, gelu_cubic = 0.044715;

/// out = x / 2 (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x^3); the same as x sigmoid(2 u), which loses no digits at large -x.
template <class T>
struct GeluForward {
  using Element = T;
  std::int64_t count = 0;
  const T* x = nullptr;
  T* out = nullptr;

  Work work() const { return activation_work(double(count), 1, false, sizeof(T)); }
  void check() const { require(count >= 0, "a negative number of elements"); }
};

/// dx = dout (s + 2 x s (1 - s) du/dx) with s = sigmoid(2 u).  Reads two arrays and writes one.
template <class T>
struct GeluBackward {
  using Element = T;
  std::int64_t count = 0;
  const T* x = nullptr;
  const T* dout = nullptr;
  T* dx = nullptr;

  Work work() const { return elementwise_work(double(count), 2, 1, 0, sizeof(T)); }
  void check() const { require(count >= 0, "a negative number of elements"); }
};

/// out = gate sigmoid(gate) up.  gate and up lie `stride` elements a row apart (2 columns when one product writes both side by side);
/// out: (rows, columns) without gaps.
template <class T>
struct SwigluForward {
  using Element = T;
  std::int64_t rows = 0, columns = 0, stride = 0;
  const T* gate = nullptr;
  const T* up = nullptr;
  T* out = nullptr;

  Work work() const { return activation_work(double(rows), double(columns), true, sizeof(T)); }
  void check() const { require(rows >= 0 && columns >= 0 && stride >= columns, "rows of a SwiGLU that overlap or have a negative size"); }
};

/// With s = sigmoid(gate):  dgate = dout up s (1 + gate (1 - s));  dup = dout gate s.  dgate and dup have the stride of gate and up.
/// Reads three arrays and writes two.
template <class T>
struct SwigluBackward {
  using Element = T;
  std::int64_t rows = 0, columns = 0, stride = 0;
  const T* gate = nullptr;
  const T* up = nullptr;
  const T* dout = nullptr;
  T* dgate = nullptr;
  T* dup = nullptr;

  Work work() const { return elementwise_work(double(rows) * double(columns), 3, 2, 0, sizeof(T)); }
  void check() const { require(rows >= 0 && columns >= 0 && stride >= columns, "rows of a SwiGLU that overlap or have a negative size"); }
};

RECKON_OP(GeluForward);
RECKON_OP(GeluBackward);
RECKON_OP(SwigluForward);
RECKON_OP(SwigluBackward);

}  // namespace reckon
