// Time of a fused attention kernel on one device, forward and backward.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/quantity.hpp"

namespace reckon {

/// Which flash-attention generation the software uses; a fact of the stack, not a fit.
enum class AttentionKernel { flash1, flash2, flash3, cudnn };
enum class Pass { forward, backward };

struct AttentionShape {
  double batch = 1, heads = 1, kv_heads = 1;
  double seq_q = 0, seq_kv = 0;
  double head_dim = 0, v_head_dim = 0;  ///< v_head_dim 0 = head_dim
  bool causal = true;
  double window = 0;  ///< 0 = full
  bool operator==(const AttentionShape&) const = default;
};

/// Scores that the mask leaves, of one head of one sequence.  A causal mask is aligned at the last query and the last key, so that
/// a chunk of queries against a longer cache sees all earlier keys; `window` counts the keys that a query may see, itself included.
double visible_scores(const AttentionShape& shape);

/// Multiply-adds of visible scores as FLOP: 2 (head_dim + v_head_dim) a score forward, 2.5 times that backward (one product is
/// repeated because the scores are not kept; Dao et al. 2022, arXiv 2205.14135, appendix B).
Flops attention_flops(const AttentionShape& shape, Pass pass);

/// One pass of one kernel.
struct AttentionParameters {
  FlopsPerSecond rate;              ///< both products inside the loop over keys, forward FLOP per score in both passes
  FlopsPerSecond exponential_rate;  ///< one per score: exponentials and the rest of the softmax that is not hidden by products
  double wide_head_penalty = 0;     ///< slowdown for each 128 of head dimension past wide_head_from (registers, smaller tiles)
  double wide_head_from = 128;
  double key_overhead = 0;       ///< start and end of a tile of queries, in keys
  double wave_quantisation = 1;  ///< as in GemmParameters
  double query_tile = 128, key_tile = 128;
  double multiprocessors = 1;
  BytesPerSecond bandwidth;
  Seconds launch;
};

/// Closed form of one pass.
///
///   scores = those of the tiles that the mask touches: visible + seq_q (query_tile + key_tile) / 2 for a causal mask, at most all
///   t_score = F / rate + 1 / exponential_rate,  F = 2 (head_dim + v_head_dim), times the wide-head penalty
///   w       = batch heads ceil(seq_q / query_tile) / multiprocessors
///   t_tile  = (scores / seq_q + key_overhead) query_tile t_score multiprocessors
///   t       = t_tile (w + wave_quantisation (ceil(w) - w))
///
/// joined by fourth powers with the longest tile (a causal tile at the end of the sequence sees all keys while the mean sees half)
/// and with the traffic of q, k, v, o.  The backward pass has its own parameters in the same form: `rate` is then what makes
/// 2 (head_dim + v_head_dim) FLOP a score take the measured time, so it is about 2.5 times below the achieved rate.
class AttentionCost {
 public:
  AttentionCost() = default;
  /// Throws CalibrationError when a parameter is outside its physical range.
  AttentionCost(const AttentionParameters& forward, const AttentionParameters& backward);

  Seconds time(Pass pass, const AttentionShape& shape) const;
  const AttentionParameters& parameters(Pass pass) const { return pass == Pass::forward ? forward_ : backward_; }

 private:
  AttentionParameters forward_, backward_;
};

}  // namespace reckon
