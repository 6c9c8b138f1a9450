// What a device really delivers: matrix products, attention, memory-bound kernels.  Fitted to published measurements.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/quantity.hpp"
#include "catalog/device.hpp"
#include "catalog/precision.hpp"

namespace reckon {

/// C[m, n] += A[m, k] B[k, n], `batch` times in one launch.  Doubles, because a sharded dimension may be fractional.
struct GemmShape {
  double m = 0, n = 0, k = 0, batch = 1;
};

/// Which flash-attention generation the software uses; a fact of the stack, not a fit.
enum class AttentionKernel { flash1, flash2, flash3, cudnn };
enum class Pass { forward, backward };

struct AttentionShape {
  double batch = 1, heads = 1, kv_heads = 1;
  double seq_q = 0, seq_kv = 0;
  double head_dim = 0, v_head_dim = 0;  ///< v_head_dim 0 = head_dim
  bool causal = true;
  double window = 0;                    ///< 0 = full
};

struct ComputeCalibration;  // parameters and residuals of one device, defined below by the fits

}  // namespace reckon
