// Router and permutations on the CPU.  The router's few values a token are computed plainly; rows are moved by vectors.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/experts.hpp"

#include <cmath>

#include "kernels/cpu/vector.hpp"

namespace reckon {
namespace {

template <class T>
void route_token(const RouterForward<T>& op, std::int64_t t) {
  const T* x = op.x + t * op.experts;
  float* p = op.p + t * op.experts;
  std::int32_t* choice = op.choice + t * op.top_k;
  float maximum = widen(x[0]), sum = 0, chosen = 0;
  for (std::int64_t e = 1; e < op.experts; ++e) maximum = std::max(maximum, widen(x[e]));
  for (std::int64_t e = 0; e < op.experts; ++e) sum += p[e] = std::exp(widen(x[e]) - maximum);
  for (std::int64_t e = 0; e < op.experts; ++e) p[e] /= sum;
  for (std::int64_t k = 0; k < op.top_k; ++k) {
    std::int64_t best = -1;
    for (std::int64_t e = 0; e < op.experts; ++e) {
      const bool taken = std::find(choice, choice + k, std::int32_t(e)) != choice + k;
      if (!taken && (best < 0 || widen(x[e]) > widen(x[best]))) best = e;
    }
    choice[k] = static_cast<std::int32_t>(best);
    chosen += p[best];
  }
  for (std::int64_t k = 0; k < op.top_k; ++k) op.weight[t * op.top_k + k] = op.renormalise ? p[choice[k]] / chosen : p[choice[k]];
}

template <class T>
void router_forward(const RouterForward<T>& op, Stream) {
  for_each_piece(op.tokens, rows_in_piece(op.experts * op.top_k), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) route_token(op, t);
  });
}

template <class T>
void router_backward_token(const RouterBackward<T>& op, std::int64_t t) {
  const float* p = op.p + t * op.experts;
  const std::int32_t* choice = op.choice + t * op.top_k;
  const float* g = op.dweight + t * op.top_k;
  float chosen = 0, weighted = 0, sum = 0;
  for (std::int64_t k = 0; k < op.top_k; ++k) {
    chosen += p[choice[k]];
    weighted += g[k] * op.weight[t * op.top_k + k];
  }
  const auto dp = [&](std::int64_t k) { return op.renormalise ? (g[k] - weighted) / chosen : g[k]; };
  for (std::int64_t k = 0; k < op.top_k; ++k) sum += p[choice[k]] * dp(k);
  for (std::int64_t e = 0; e < op.experts; ++e) op.dx[t * op.experts + e] = narrow<T>(-p[e] * sum);
  for (std::int64_t k = 0; k < op.top_k; ++k) op.dx[t * op.experts + choice[k]] = narrow<T>(p[choice[k]] * (dp(k) - sum));
}

template <class T>
void router_backward(const RouterBackward<T>& op, Stream) {
  for_each_piece(op.tokens, rows_in_piece(op.experts), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) router_backward_token(op, t);
  });
}

template <class T>
void gather_rows(const GatherRows<T>& op, Stream) {
  for_each_piece(op.rows, rows_in_piece(op.columns), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) std::copy_n(op.x + op.source[r] * op.columns, op.columns, op.out + r * op.columns);
  });
}

template <class T>
RECKON_CLONES void add_weighted(const T* x, float weight, float* sum, std::int64_t count) {
#pragma omp simd
  for (std::int64_t c = 0; c < count; ++c) sum[c] += weight * widen(x[c]);
}

template <class T>
RECKON_CLONES void store(const float* sum, T* out, std::int64_t count) {
#pragma omp simd
  for (std::int64_t c = 0; c < count; ++c) out[c] = narrow<T>(sum[c]);
}

template <class T>
void combine_rows(const CombineRows<T>& op, Stream) {
  constexpr std::int64_t width = 1024;
  for_each_piece(op.tokens, rows_in_piece(op.columns * op.top_k), [&](std::int64_t first, std::int64_t last) {
    float sum[width];
    for (std::int64_t t = first; t < last; ++t) {
      for (std::int64_t c = 0; c < op.columns; c += width) {
        const std::int64_t count = std::min(width, op.columns - c);
        std::fill_n(sum, count, 0.0f);
        for (std::int64_t at = t * op.top_k; at < (t + 1) * op.top_k; ++at) {
          add_weighted(op.x + op.slot[at] * op.columns + c, op.weight == nullptr ? 1.0f : op.weight[at], sum, count);
        }
        store(sum, op.out + t * op.columns + c, count);
      }
    }
  });
}

template <class T>
RECKON_CLONES float combine_gradient_row(const T* x, const T* dout, float weight, T* dx, std::int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t c = 0; c < count; ++c) {
    sum += widen(dout[c]) * widen(x[c]);
    dx[c] = narrow<T>(weight * widen(dout[c]));
  }
  return sum;
}

template <class T>
void combine_rows_backward(const CombineRowsBackward<T>& op, Stream) {
  for_each_piece(op.tokens * op.top_k, rows_in_piece(op.columns), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t at = first; at < last; ++at) {
      const std::int64_t row = op.slot[at] * op.columns;
      op.dweight[at] = combine_gradient_row(op.x + row, op.dout + at / op.top_k * op.columns, op.weight[at], op.dx + row, op.columns);
    }
  });
}

}  // namespace

RECKON_LAUNCHERS(cpu, RouterForward, router_forward)
RECKON_LAUNCHERS(cpu, RouterBackward, router_backward)
RECKON_LAUNCHERS(cpu, GatherRows, gather_rows)
RECKON_LAUNCHERS(cpu, CombineRows, combine_rows)
RECKON_LAUNCHERS(cpu, CombineRowsBackward, combine_rows_backward)

}  // namespace reckon
