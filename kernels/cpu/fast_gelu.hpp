// GELU and its slope in fp32, without branches.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/cpu/vector.hpp"
#include "kernels/op/activation.hpp"

namespace reckon {

/// 2 u of the tanh form: GELU(x) = x sigmoid(2 u).
RECKON_INLINE float fast_gelu_logit(float x) { return 2.0f * float(gelu_scale) * (x + float(gelu_cubic) * x * x * x); }

RECKON_INLINE float fast_gelu(float x) { return x * fast_sigmoid(fast_gelu_logit(x)); }

/// s (1 - s) is even in the logit: 1 - s is taken from the other side, where it keeps its digits.
RECKON_INLINE float fast_gelu_slope(float x) {
  const float logit = fast_gelu_logit(x), s = fast_sigmoid(logit), rest = fast_sigmoid(-logit);
  return s + 2.0f * x * s * rest * float(gelu_scale) * (1.0f + 3.0f * float(gelu_cubic) * x * x);
}

}  // namespace reckon
