// A linear layer with what follows it in one op: bias and the non-linear function of an MLP; and its gradient on the way back.
//
// Sources: as kernels/op/activation.hpp; the fused forms are cuBLASLt's GELU_AUX_BIAS and DGELU epilogues (cuBLAS library documentation).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/activation.hpp"
#include "kernels/op/matmul.hpp"

namespace reckon {

enum class Activation { none, gelu, swiglu };

constexpr const char* name_of(Activation activation) {
  return activation == Activation::none ? "none" : activation == Activation::gelu ? "gelu" : "swiglu";
}

/// hidden = x W^T + bias;  active = GELU(hidden), or with hidden = [gate | up]: active = gate sigmoid(gate) up.
/// x: (rows, in); weight: (out, in); bias: (out), or null; hidden: (rows, out), kept for the backward pass; active: (rows, out), for SwiGLU
/// (rows, out / 2), null without an activation.  active may be computed from hidden before or after its rounding to T.
template <class T>
struct LinearForward {
  using Element = T;
  std::int64_t rows = 0, in = 0, out = 0;
  Activation activation = Activation::none;
  const T* x = nullptr;
  const T* weight = nullptr;
  const T* bias = nullptr;
  T* hidden = nullptr;
  T* active = nullptr;

  RECKON_HOST_DEVICE std::int64_t width() const { return activation == Activation::swiglu ? out / 2 : out; }
  Matmul<T> product() const { return {.m = rows, .n = out, .k = in, .transpose_b = true, .a = x, .b = weight, .c = hidden}; }
  Work work() const {
    Work sum = product().work();
    if (activation != Activation::none) {
      sum = sum + Work{Flops{double(rows) * double(out)}, Bytes{double(rows) * double(width()) * sizeof(T)},
                       Bytes{double(rows) * double(out) * sizeof(T)}};
    }
    return sum;
  }
  void check() const {
    require(rows >= 0 && in >= 0 && out >= 0, "a linear layer with a negative size");
    require(activation != Activation::swiglu || out % 2 == 0, "a SwiGLU whose product has an odd number of columns");
  }
};

/// From the gradient behind the next product to the gradient before the activation, (rows, in) or for SwiGLU (rows, 2 in):
/// dactive = dy W;  dhidden = dactive GELU'(hidden), or [dgate | dup].  dy: (rows, out); weight of that product: (out, in);
/// hidden: as the forward pass kept it, laid out as dhidden; null without an activation.
template <class T>
struct LinearBackward {
  using Element = T;
  std::int64_t rows = 0, in = 0, out = 0;
  Activation activation = Activation::none;
  const T* dy = nullptr;
  const T* weight = nullptr;
  const T* hidden = nullptr;
  T* dhidden = nullptr;

  RECKON_HOST_DEVICE std::int64_t stride() const { return activation == Activation::swiglu ? 2 * in : in; }
  /// Leaves dactive where dhidden belongs; for SwiGLU in the half of dup.
  Matmul<T> product() const {
    return {.m = rows, .n = in, .k = out, .a = dy, .b = weight, .c = dhidden + (stride() - in), .ldc = stride() > 0 ? stride() : 1};
  }
  Work work() const {
    Work sum = product().work();
    if (activation != Activation::none)
      sum = sum + elementwise_work(double(rows) * double(stride()), 1, activation == Activation::swiglu ? 0.5 : 0, 0, sizeof(T));
    return sum;
  }
  void check() const { require(rows >= 0 && in >= 0 && out >= 0, "a linear layer with a negative size"); }
};

RECKON_OP(LinearForward);
RECKON_OP(LinearBackward);

}  // namespace reckon
