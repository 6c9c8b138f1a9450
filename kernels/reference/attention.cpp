// Attention and masked softmax as their formulas read (kernels/op/attention.hpp).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/attention.hpp"

#include <limits>
#include <vector>

#include "kernels/reference/rounding.hpp"

namespace reckon {
namespace {

template <class T>
double dot(const T* a, const T* b, std::int64_t count) {
  double sum = 0;
  for (std::int64_t d = 0; d < count; ++d) sum += double(widen(a[d])) * double(widen(b[d]));
  return sum;
}

template <class T>
void attention_forward(const AttentionForward<T>& op) {
  const double scale = op.score_scale();
  for (std::int64_t b = 0; b < op.batch; ++b) {
    for (std::int64_t h = 0; h < op.heads; ++h) {
      for (std::int64_t i = 0; i < op.seq_q; ++i) {
        const std::int64_t keys = op.visible(i);
        std::vector<double> scores(static_cast<std::size_t>(keys)), out(static_cast<std::size_t>(op.head_dim), 0.0);
        double maximum = -std::numeric_limits<double>::infinity(), sum = 0;
        for (std::int64_t j = 0; j < keys; ++j) {
          scores[std::size_t(j)] = scale * dot(op.q + op.q_at(b, i, h), op.k + op.kv_at(b, j, h / op.group()), op.head_dim);
          maximum = std::max(maximum, scores[std::size_t(j)]);
        }
        for (std::int64_t j = 0; j < keys; ++j) {
          const double p = std::exp(scores[std::size_t(j)] - maximum);
          sum += p;
          for (std::int64_t d = 0; d < op.head_dim; ++d) out[std::size_t(d)] += p * double(widen(op.v[op.kv_at(b, j, h / op.group()) + d]));
        }
        for (std::int64_t d = 0; d < op.head_dim; ++d)
          op.out[op.out_at(b, i, h) + d] = rounded<T>(keys > 0 ? out[std::size_t(d)] / sum : 0.0);
        op.lse[op.lse_at(b, i, h)] = Accumulator<T>(keys > 0 ? maximum + std::log(sum) : maximum);
      }
    }
  }
}

/// Gradients summed in double, in the layout of the operands they belong to.
template <class T>
struct Sums {
  std::vector<double> dq, dk, dv;
};

template <class T>
void backward_row(const AttentionBackward<T>& op, std::int64_t b, std::int64_t h, std::int64_t i, Sums<T>& sums) {
  const double scale = op.score_scale(), lse = double(op.lse[op.lse_at(b, i, h)]);
  const std::int64_t q = op.q_at(b, i, h), out = op.out_at(b, i, h);
  const double delta = dot(op.dout + out, op.out + out, op.head_dim);
  for (std::int64_t j = 0; j < op.visible(i); ++j) {
    const std::int64_t kv = op.kv_at(b, j, h / op.group());
    const double p = std::exp(scale * dot(op.q + q, op.k + kv, op.head_dim) - lse);
    const double ds = p * (dot(op.dout + out, op.v + kv, op.head_dim) - delta);
    for (std::int64_t d = 0; d < op.head_dim; ++d) {
      sums.dq[std::size_t(q + d)] += scale * ds * double(widen(op.k[kv + d]));
      sums.dk[std::size_t(kv + d)] += scale * ds * double(widen(op.q[q + d]));
      sums.dv[std::size_t(kv + d)] += p * double(widen(op.dout[out + d]));
    }
  }
}

/// Writes the elements of every (token, head) from their sums, and none of the gaps.
template <class T, class At>
void store(const std::vector<double>& sums, bool accumulate, T* out, std::int64_t batch, std::int64_t tokens, std::int64_t heads,
           std::int64_t head_dim, const At& at) {
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t t = 0; t < tokens; ++t) {
      for (std::int64_t h = 0; h < heads; ++h) {
        for (std::int64_t x = at(b, t, h); x < at(b, t, h) + head_dim; ++x)
          out[x] = rounded<T>(sums[std::size_t(x)] + (accumulate ? double(widen(out[x])) : 0.0));
      }
    }
  }
}

template <class T>
void attention_backward(const AttentionBackward<T>& op) {
  if (op.batch == 0) return;
  Sums<T> sums;
  sums.dq.resize(static_cast<std::size_t>(op.q_at(op.batch, 0, 0) + op.seq_q * op.step_q()));
  sums.dk.resize(static_cast<std::size_t>(op.kv_at(op.batch, 0, 0) + op.seq_kv * op.step_kv()));
  sums.dv.resize(sums.dk.size());
  for (std::int64_t b = 0; b < op.batch; ++b) {
    for (std::int64_t h = 0; h < op.heads; ++h) {
      for (std::int64_t i = 0; i < op.seq_q; ++i) backward_row(op, b, h, i, sums);
    }
  }
  const auto q_at = [&](std::int64_t b, std::int64_t t, std::int64_t h) { return op.q_at(b, t, h); };
  const auto kv_at = [&](std::int64_t b, std::int64_t t, std::int64_t h) { return op.kv_at(b, t, h); };
  store(sums.dq, op.accumulate, op.dq, op.batch, op.seq_q, op.heads, op.head_dim, q_at);
  store(sums.dk, op.accumulate, op.dk, op.batch, op.seq_kv, op.kv_heads, op.head_dim, kv_at);
  store(sums.dv, op.accumulate, op.dv, op.batch, op.seq_kv, op.kv_heads, op.head_dim, kv_at);
}

template <class T>
void softmax_forward(const SoftmaxForward<T>& op) {
  for (std::int64_t row = 0; row < op.rows; ++row) {
    const T* x = op.x + row * op.columns;
    const std::int64_t visible = op.visible(row);
    double maximum = -std::numeric_limits<double>::infinity(), sum = 0;
    for (std::int64_t c = 0; c < visible; ++c) maximum = std::max(maximum, op.scale * double(widen(x[c])));
    for (std::int64_t c = 0; c < visible; ++c) sum += std::exp(op.scale * double(widen(x[c])) - maximum);
    for (std::int64_t c = 0; c < op.columns; ++c) {
      op.out[row * op.columns + c] = rounded<T>(c < visible ? std::exp(op.scale * double(widen(x[c])) - maximum) / sum : 0.0);
    }
  }
}

template <class T>
void softmax_backward(const SoftmaxBackward<T>& op) {
  for (std::int64_t row = 0; row < op.rows; ++row) {
    const T* p = op.p + row * op.columns;
    const T* dout = op.dout + row * op.columns;
    const double sum = dot(p, dout, op.columns);
    for (std::int64_t c = 0; c < op.columns; ++c)
      op.dx[row * op.columns + c] = rounded<T>(op.scale * double(widen(p[c])) * (double(widen(dout[c])) - sum));
  }
}

}  // namespace

RECKON_REFERENCE(AttentionForward, attention_forward)
RECKON_REFERENCE(AttentionBackward, attention_backward)
RECKON_REFERENCE(SoftmaxForward, softmax_forward)
RECKON_REFERENCE(SoftmaxBackward, softmax_backward)

}  // namespace reckon
