// Router and permutations as their formulas read (kernels/op/experts.hpp).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/experts.hpp"

#include <cmath>
#include <vector>

#include "kernels/reference/rounding.hpp"

namespace reckon {
namespace {

template <class T>
void router_forward(const RouterForward<T>& op) {
  for (std::int64_t t = 0; t < op.tokens; ++t) {
    const T* x = op.x + t * op.experts;
    double maximum = double(widen(x[0])), sum = 0, chosen = 0;
    for (std::int64_t e = 1; e < op.experts; ++e) maximum = std::max(maximum, double(widen(x[e])));
    for (std::int64_t e = 0; e < op.experts; ++e) sum += std::exp(double(widen(x[e])) - maximum);
    std::vector<double> p(static_cast<std::size_t>(op.experts));
    for (std::int64_t e = 0; e < op.experts; ++e) p[std::size_t(e)] = std::exp(double(widen(x[e])) - maximum) / sum;
    std::vector<bool> taken(p.size(), false);
    for (std::int64_t k = 0; k < op.top_k; ++k) {
      std::int64_t best = -1;
      for (std::int64_t e = 0; e < op.experts; ++e) {
        if (!taken[std::size_t(e)] && (best < 0 || widen(x[e]) > widen(x[best]))) best = e;
      }
      taken[std::size_t(best)] = true;
      chosen += p[std::size_t(best)];
      op.choice[t * op.top_k + k] = static_cast<std::int32_t>(best);
    }
    for (std::int64_t e = 0; e < op.experts; ++e) op.p[t * op.experts + e] = Accumulator<T>(p[std::size_t(e)]);
    for (std::int64_t k = 0; k < op.top_k; ++k) {
      op.weight[t * op.top_k + k] = Accumulator<T>(p[std::size_t(op.choice[t * op.top_k + k])] / (op.renormalise ? chosen : 1.0));
    }
  }
}

template <class T>
void router_backward(const RouterBackward<T>& op) {
  for (std::int64_t t = 0; t < op.tokens; ++t) {
    const auto* p = op.p + t * op.experts;
    const auto* choice = op.choice + t * op.top_k;
    double chosen = 0, weighted = 0;
    for (std::int64_t k = 0; k < op.top_k; ++k) {
      chosen += double(p[choice[k]]);
      weighted += double(op.dweight[t * op.top_k + k]) * double(op.weight[t * op.top_k + k]);
    }
    std::vector<double> dp(static_cast<std::size_t>(op.experts), 0.0);
    for (std::int64_t k = 0; k < op.top_k; ++k) {
      const double g = double(op.dweight[t * op.top_k + k]);
      dp[std::size_t(choice[k])] = op.renormalise ? (g - weighted) / chosen : g;
    }
    double sum = 0;
    for (std::int64_t e = 0; e < op.experts; ++e) sum += double(p[e]) * dp[std::size_t(e)];
    for (std::int64_t e = 0; e < op.experts; ++e) op.dx[t * op.experts + e] = rounded<T>(double(p[e]) * (dp[std::size_t(e)] - sum));
  }
}

template <class T>
void gather_rows(const GatherRows<T>& op) {
  for (std::int64_t r = 0; r < op.rows; ++r) {
    for (std::int64_t c = 0; c < op.columns; ++c) op.out[r * op.columns + c] = op.x[op.source[r] * op.columns + c];
  }
}

template <class T>
void combine_rows(const CombineRows<T>& op) {
  for (std::int64_t t = 0; t < op.tokens; ++t) {
    for (std::int64_t c = 0; c < op.columns; ++c) {
      double sum = 0;
      for (std::int64_t k = 0; k < op.top_k; ++k) {
        const std::int64_t at = t * op.top_k + k;
        sum += (op.weight == nullptr ? 1.0 : double(op.weight[at])) * double(widen(op.x[op.slot[at] * op.columns + c]));
      }
      op.out[t * op.columns + c] = rounded<T>(sum);
    }
  }
}

template <class T>
void combine_rows_backward(const CombineRowsBackward<T>& op) {
  for (std::int64_t at = 0; at < op.tokens * op.top_k; ++at) {
    const T* dout = op.dout + at / op.top_k * op.columns;
    double sum = 0;
    for (std::int64_t c = 0; c < op.columns; ++c) {
      sum += double(widen(dout[c])) * double(widen(op.x[op.slot[at] * op.columns + c]));
      op.dx[op.slot[at] * op.columns + c] = rounded<T>(double(op.weight[at]) * double(widen(dout[c])));
    }
    op.dweight[at] = Accumulator<T>(sum);
  }
}

}  // namespace

RECKON_REFERENCE(RouterForward, router_forward)
RECKON_REFERENCE(RouterBackward, router_backward)
RECKON_REFERENCE(GatherRows, gather_rows)
RECKON_REFERENCE(CombineRows, combine_rows)
RECKON_REFERENCE(CombineRowsBackward, combine_rows_backward)

}  // namespace reckon
