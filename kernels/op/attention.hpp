// Scaled dot-product attention with grouped heads, flash style (no score matrix in memory), and the masked softmax of an unfused one.
//
// q, out: (batch, seq_q, heads, head_dim); k, v: (batch, seq_kv, kv_heads, head_dim), each with its own distance between tokens and between
// members of the batch, so that all three may lie side by side in one product's output.  Head h reads key head h / (heads / kv_heads).
// Sources: Vaswani et al. 2017 (arXiv 1706.03762); Dao 2023 (arXiv 2307.08691); Ainslie et al. 2023 (arXiv 2305.13245) for grouped heads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "kernels/op/backend.hpp"

namespace reckon {

/// The shape that forward and backward pass share.  Under a causal mask query i sees key j when kv_position + j <= q_position + i: blocks
/// of a sequence that is split over ranks say where they start.  A query that sees no key has out = 0 and lse = -infinity.
struct AttentionShape {
  std::int64_t batch = 1, heads = 1, kv_heads = 1, seq_q = 0, seq_kv = 0, head_dim = 0;
  bool causal = true;
  std::int64_t q_position = 0, kv_position = 0;
  double scale = 0;                                       ///< of the scores; 0 = 1 / sqrt(head_dim)
  std::int64_t q_token = 0, kv_token = 0, out_token = 0;  ///< elements from a token to the next; 0 = without gaps
  std::int64_t q_batch = 0, kv_batch = 0, out_batch = 0;  ///< elements from a member of the batch to the next; 0 = without gaps

  RECKON_HOST_DEVICE std::int64_t group() const { return heads / kv_heads; }
  double score_scale() const { return scale > 0 ? scale : 1 / std::sqrt(double(head_dim)); }
  RECKON_HOST_DEVICE std::int64_t step_q() const { return q_token > 0 ? q_token : heads * head_dim; }
  RECKON_HOST_DEVICE std::int64_t step_kv() const { return kv_token > 0 ? kv_token : kv_heads * head_dim; }
  RECKON_HOST_DEVICE std::int64_t step_out() const { return out_token > 0 ? out_token : heads * head_dim; }
  RECKON_HOST_DEVICE std::int64_t q_at(std::int64_t b, std::int64_t i, std::int64_t h) const {
    return b * (q_batch > 0 ? q_batch : seq_q * step_q()) + i * step_q() + h * head_dim;
  }
  RECKON_HOST_DEVICE std::int64_t kv_at(std::int64_t b, std::int64_t j, std::int64_t h) const {
    return b * (kv_batch > 0 ? kv_batch : seq_kv * step_kv()) + j * step_kv() + h * head_dim;
  }
  RECKON_HOST_DEVICE std::int64_t out_at(std::int64_t b, std::int64_t i, std::int64_t h) const {
    return b * (out_batch > 0 ? out_batch : seq_q * step_out()) + i * step_out() + h * head_dim;
  }
  RECKON_HOST_DEVICE std::int64_t lse_at(std::int64_t b, std::int64_t i, std::int64_t h) const { return (b * heads + h) * seq_q + i; }

  /// How many keys query i sees: the first so many.
  RECKON_HOST_DEVICE std::int64_t visible(std::int64_t i) const {
    if (!causal) return seq_kv;
    const std::int64_t last = q_position + i - kv_position + 1;
    return last < 0 ? 0 : last < seq_kv ? last : seq_kv;
  }
  void check_shape() const {
    require(batch >= 0 && seq_q >= 0 && seq_kv >= 0 && head_dim >= 1, "attention over a negative size");
    require(heads >= 1 && kv_heads >= 1 && heads % kv_heads == 0, "attention whose heads are no multiple of the key heads");
    require(step_q() >= heads * head_dim && step_kv() >= kv_heads * head_dim && step_out() >= heads * head_dim,
            "tokens of attention that overlap");
  }
};

/// s_ij = scale q_i k_j;  lse_i = log sum over j of e^s_ij;  out_i = sum over j of e^(s_ij - lse_i) v_j.  lse: (batch, heads, seq_q).
template <class T>
struct AttentionForward : AttentionShape {
  using Element = T;
  const T* q = nullptr;
  const T* k = nullptr;
  const T* v = nullptr;
  T* out = nullptr;
  Accumulator<T>* lse = nullptr;

  Work work() const {
    return flash_attention_work(double(batch), double(heads), double(kv_heads), double(seq_q), double(seq_kv), double(head_dim),
                                double(head_dim), causal, sizeof(T));
  }
  void check() const { check_shape(); }
};

/// With p_ij = e^(s_ij - lse_i), dp_ij = dout_i v_j and delta_i = dout_i out_i:  ds = p (dp - delta);  dq = scale ds k;  dk = scale ds^T q;
/// dv = p^T dout.  lse and out may belong to more keys than are given here: the parts of a sequence that is split over ranks add up.
/// dq lies as q does, dk and dv as k, dout as out.  `accumulate` adds to what dq, dk and dv held before.
template <class T>
struct AttentionBackward : AttentionShape {
  using Element = T;
  const T* q = nullptr;
  const T* k = nullptr;
  const T* v = nullptr;
  const T* out = nullptr;
  const T* dout = nullptr;
  const Accumulator<T>* lse = nullptr;
  T* dq = nullptr;
  T* dk = nullptr;
  T* dv = nullptr;
  bool accumulate = false;

  Work work() const {
    return flash_attention_backward_work(double(batch), double(heads), double(kv_heads), double(seq_q), double(seq_kv), double(head_dim),
                                         double(head_dim), causal, sizeof(T));
  }
  void check() const { check_shape(); }
};

/// Rows of scores of an unfused attention, in place or not: out = softmax(scale x) over the first columns of each row that the mask leaves;
/// the others become 0.  Row r is query r % seq_q.
template <class T>
struct SoftmaxForward {
  using Element = T;
  std::int64_t rows = 0, columns = 0, seq_q = 1;
  bool causal = true;
  double scale = 1;
  const T* x = nullptr;
  T* out = nullptr;

  RECKON_HOST_DEVICE std::int64_t visible(std::int64_t row) const {
    const std::int64_t last = row % seq_q + 1 + columns - seq_q;  // the last query sees every key
    return !causal || last > columns ? columns : last < 0 ? 0 : last;
  }
  Work work() const { return softmax_work(double(rows), double(columns), sizeof(T)); }
  void check() const { require(rows >= 0 && columns >= 0 && seq_q >= 1, "a softmax over a negative size"); }
};

/// dx = scale p (dout - sum of p dout), with p the result of the forward pass.  dx may be dout.
template <class T>
struct SoftmaxBackward {
  using Element = T;
  std::int64_t rows = 0, columns = 0;
  double scale = 1;
  const T* p = nullptr;
  const T* dout = nullptr;
  T* dx = nullptr;

  Work work() const { return elementwise_work(double(rows) * double(columns), 2, 1, 0, sizeof(T)); }
  void check() const { require(rows >= 0 && columns >= 0, "a softmax over a negative size"); }
};

RECKON_OP(AttentionForward);
RECKON_OP(AttentionBackward);
RECKON_OP(SoftmaxForward);
RECKON_OP(SoftmaxBackward);

}  // namespace reckon
