// FLOPs, device-memory traffic and saved activations of every op of a training step, as functions of its shape.
//
// Stated once: a measurement divides this work by its time to get a rate, a prediction divides it by the rate to get
// the time back.  A multiply-add counts two FLOP.  Bytes are what an ideal kernel must move through device memory
// (every operand read once, every result written once).  `saved` is what the backward pass needs from the forward.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/quantity.hpp"

namespace reckon {

struct Work {
  Flops flops;
  Bytes bytes;
  Bytes saved;
  constexpr Work operator+(const Work& b) const { return {flops + b.flops, bytes + b.bytes, saved + b.saved}; }
};

/// C[m, n] = A[m, k] B[k, n], `batch` times.  FLOP: 2 m n k.  `element` bytes an operand value, `result` bytes a result value.
/// Saves A (the input of a linear layer).
constexpr Work matmul_work(double batch, double m, double n, double k, double element, double result) {
  return {Flops{2.0 * batch * m * n * k}, Bytes{batch * ((m * k + k * n) * element + m * n * result)}, Bytes{batch * m * k * element}};
}

/// Scores and weighted sum of attention: 4 seq_q seq_kv head_dim FLOP a head, halved by a causal mask.
/// Flash style: q, k, v read and the output written once; saves q, k, v, the output and one fp32 a row.
constexpr Work flash_attention_work(double batch, double heads, double kv_heads, double seq_q, double seq_kv, double head_dim,
                                    double v_head_dim, bool causal, double element) {
  const double pairs = seq_q * seq_kv * (causal ? 0.5 : 1.0);
  const double q = batch * heads * seq_q * head_dim, out = batch * heads * seq_q * v_head_dim;
  const double kv = batch * kv_heads * seq_kv * (head_dim + v_head_dim);
  return {Flops{2.0 * batch * heads * pairs * (head_dim + v_head_dim)}, Bytes{(q + kv + out) * element},
          Bytes{(q + kv + out) * element + batch * heads * seq_q * 4.0}};
}

/// Its backward pass: five products of that size where the forward pass has two (scores again, dv, dp, dq, dk).  Reads q, k, v, the output and
/// its gradient, writes dq, dk and dv.  Source: Dao 2023 (arXiv 2307.08691), section 3.1.
constexpr Work flash_attention_backward_work(double batch, double heads, double kv_heads, double seq_q, double seq_kv, double head_dim,
                                             double v_head_dim, bool causal, double element) {
  const double pairs = seq_q * seq_kv * (causal ? 0.5 : 1.0);
  const double q = batch * heads * seq_q * head_dim, out = batch * heads * seq_q * v_head_dim;
  const double kv = batch * kv_heads * seq_kv * (head_dim + v_head_dim);
  return {Flops{2.0 * batch * heads * pairs * (3.0 * head_dim + 2.0 * v_head_dim)}, Bytes{2.0 * (q + kv + out) * element}, Bytes{}};
}

/// Softmax over a score matrix held in memory: one read, one write; saves its result.
constexpr Work softmax_work(double rows, double columns, double element) {
  return {Flops{5.0 * rows * columns}, Bytes{2.0 * rows * columns * element}, Bytes{rows * columns * element}};
}

/// Dropout on its own: read, write, and a one-byte mask.
constexpr Work dropout_work(double values, double element) {
  return {Flops{values}, Bytes{values * (2.0 * element + 1.0)}, Bytes{values}};
}

/// Layer norm or RMS norm over `rows` vectors of `columns`: read and write; saves its input (mean and rstd are small).
constexpr Work norm_work(double rows, double columns, double element) {
  return {Flops{8.0 * rows * columns}, Bytes{2.0 * rows * columns * element}, Bytes{rows * columns * element}};
}

/// Element-wise chain that reads `reads` and writes `writes` values for each of `values`; saves `saves` of them.
constexpr Work elementwise_work(double values, double reads, double writes, double saves, double element) {
  return {Flops{values * (reads + writes)}, Bytes{values * (reads + writes) * element}, Bytes{values * saves * element}};
}

/// GELU / SwiGLU between the two MLP products.  Gated: two inputs, one output.  Saves its inputs.
constexpr Work activation_work(double tokens, double ffn, bool gated, double element) {
  return elementwise_work(tokens * ffn, gated ? 2.0 : 1.0, 1.0, gated ? 2.0 : 1.0, element);
}

/// Rotary embedding on queries and keys: read, write.
constexpr Work rotary_work(double tokens, double width, double element) { return elementwise_work(tokens * width, 1.0, 1.0, 0.0, element); }

/// Sum of the columns of a matrix (a bias gradient): one read.
constexpr Work column_sum_work(double rows, double columns, double element) {
  return {Flops{rows * columns}, Bytes{rows * columns * element}, Bytes{}};
}

/// Softmax over `experts` and the choice of the top_k: logits read; weights and choices written; saves the probabilities in fp32.
constexpr Work router_work(double tokens, double experts, double top_k, double element) {
  return {Flops{tokens * experts * (5.0 + top_k)}, Bytes{tokens * (experts * (element + 4.0) + 8.0 * top_k)}, Bytes{tokens * experts * 4.0}};
}

/// Table lookup: one row read and written a token.
constexpr Work embedding_work(double tokens, double hidden, double element) { return elementwise_work(tokens * hidden, 1.0, 1.0, 0.0, element); }

/// Softmax cross-entropy over logits in memory, fused (one read; the gradient overwrites in the backward pass).
constexpr Work cross_entropy_work(double tokens, double vocabulary, double element) {
  return {Flops{5.0 * tokens * vocabulary}, Bytes{tokens * vocabulary * element}, Bytes{tokens * vocabulary * element}};
}

/// Convolution as an implicit matrix product: out_h out_w batch x out_channels x (in_channels kernel^2).
constexpr Work convolution_work(double batch, double out_pixels, double in_pixels, double in_channels, double out_channels, double kernel,
                                double element) {
  return {Flops{2.0 * batch * out_pixels * in_channels * out_channels * kernel * kernel},
          Bytes{element * (batch * (in_pixels * in_channels + out_pixels * out_channels) + in_channels * out_channels * kernel * kernel)},
          Bytes{element * batch * in_pixels * in_channels}};
}

/// Scatter of tokens to their experts (and, the other way, the weighted sum): each token row read or written once, each of its top_k
/// copies written or read once.
constexpr Work permute_work(double tokens, double top_k, double hidden, double element) {
  return {Flops{tokens * top_k * hidden}, Bytes{tokens * (1.0 + top_k) * hidden * element}, Bytes{}};
}

/// Adam / AdamW: reads gradient, master weight and two moments, writes master, moments and the working weight.
constexpr Work adam_work(double parameters, double gradient_bytes, double master_bytes, double state_bytes, double weight_bytes) {
  return {Flops{12.0 * parameters}, Bytes{parameters * (gradient_bytes + 2.0 * master_bytes + 2.0 * state_bytes + weight_bytes)}, Bytes{}};
}

/// LAMB: Adam plus two norms of the update and the weight: one more read and write of both.
constexpr Work lamb_work(double parameters, double gradient_bytes, double master_bytes, double state_bytes, double weight_bytes) {
  return adam_work(parameters, gradient_bytes, master_bytes, state_bytes, weight_bytes) + Work{Flops{6.0 * parameters}, Bytes{parameters * 12.0}, Bytes{}};
}

/// SGD with momentum: gradient and momentum read, momentum and weights written.
constexpr Work sgd_work(double parameters, double gradient_bytes, double master_bytes, double weight_bytes) {
  return {Flops{4.0 * parameters}, Bytes{parameters * (gradient_bytes + 2.0 * master_bytes + 8.0 + weight_bytes)}, Bytes{}};
}

/// Global gradient norm: one read.
constexpr Work gradient_norm_work(double parameters, double gradient_bytes) {
  return {Flops{2.0 * parameters}, Bytes{parameters * gradient_bytes}, Bytes{}};
}

}  // namespace reckon
