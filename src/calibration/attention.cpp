// Fused attention: the closed form of attention.hpp.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/attention.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"

namespace reckon {
namespace {

constexpr double half_precision_bytes = 2.0;

void validate(const AttentionParameters& p) {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw CalibrationError(std::string("attention calibration: ") + what);
  };
  require(p.rate.base() > 0 && p.exponential_rate.base() > 0, "rates must be positive");
  require(p.wide_head_penalty >= 0 && p.wide_head_from >= 0, "wide-head penalty must not be negative");
  require(p.key_overhead >= 0 && p.wave_quantisation >= 0 && p.wave_quantisation <= 1, "overhead or wave_quantisation out of range");
  require(p.query_tile >= 1 && p.key_tile >= 1 && p.multiprocessors >= 1, "tiles and multiprocessors must be at least 1");
  require(p.bandwidth.base() > 0 && p.launch.base() >= 0, "bandwidth must be positive, launch not negative");
}

double v_dim(const AttentionShape& s) { return s.v_head_dim > 0 ? s.v_head_dim : s.head_dim; }

/// Join of two bounds: the larger one when they differ, a little more when they are close.
double fourth_power_sum(double a, double b) {
  const double a2 = a * a, b2 = b * b;
  return std::sqrt(std::sqrt(a2 * a2 + b2 * b2));
}

/// Scores of the tiles that the mask touches: half a tile in each direction is lost along every edge of the mask.
double touched_scores(const AttentionShape& s, const AttentionParameters& p) {
  const double edges = (s.causal ? 1.0 : 0.0) + (s.window > 0 && s.window < s.seq_kv ? 1.0 : 0.0);
  return std::min(s.seq_q * s.seq_kv, visible_scores(s) + edges * s.seq_q * (p.query_tile + p.key_tile) / 2.0);
}

/// q, k, v read and o written once; backward reads q, k, v, o, do and writes dq, dk, dv, with dq accumulated in fp32.
double traffic(const AttentionShape& s, Pass pass) {
  const double q = s.heads * s.seq_q * s.head_dim, o = s.heads * s.seq_q * v_dim(s);
  const double kv = s.kv_heads * s.seq_kv * (s.head_dim + v_dim(s));
  const double values = pass == Pass::forward ? q + o + kv : 2.0 * q + 2.0 * o + 2.0 * kv + 4.0 * q;
  return s.batch * values * half_precision_bytes;
}

}  // namespace

double visible_scores(const AttentionShape& s) {
  if (!s.causal) return s.seq_q * (s.window > 0 ? std::min(s.window, s.seq_kv) : s.seq_kv);
  // Rows see ... , seq_kv - 1, seq_kv keys; those with none (more queries than keys) drop out.
  const double rows = std::min(s.seq_q, s.seq_kv);
  double scores = rows * (2.0 * s.seq_kv - rows + 1.0) / 2.0;
  if (s.window > 0 && s.window < s.seq_kv) {
    const double cut = s.seq_kv - s.window, cut_rows = std::min(cut, rows);
    scores -= cut_rows * (2.0 * cut - cut_rows + 1.0) / 2.0;
  }
  return scores;
}

Flops attention_flops(const AttentionShape& s, Pass pass) {
  const double forward = 2.0 * (s.head_dim + v_dim(s)) * visible_scores(s) * s.batch * s.heads;
  return Flops(pass == Pass::forward ? forward : 2.5 * forward);
}

AttentionCost::AttentionCost(const AttentionParameters& forward, const AttentionParameters& backward)
    : forward_(forward), backward_(backward) {
  validate(forward_);
  validate(backward_);
}

Seconds AttentionCost::time(Pass pass, const AttentionShape& s) const {
  const AttentionParameters& p = parameters(pass);
  const double sequences = s.batch * s.heads;
  if (!(sequences * s.seq_q * s.seq_kv * s.head_dim > 0)) return Seconds(0);
  const double dim = (s.head_dim + v_dim(s)) / 2.0;
  const double wide = 1.0 + p.wide_head_penalty * std::max(0.0, dim - p.wide_head_from) / 128.0;
  const double per_score = 4.0 * dim * wide / p.rate.base() + 1.0 / p.exponential_rate.base();
  const double tiles = std::ceil(s.seq_q / p.query_tile);
  const double waves = sequences * tiles / p.multiprocessors;
  const double row_time =
      p.query_tile * per_score * p.multiprocessors;  // a tile of queries against one key; a partial tile costs a whole one
  const double tile_time = (touched_scores(s, p) / s.seq_q + p.key_overhead) * row_time;
  double time = tile_time * (waves + p.wave_quantisation * (std::ceil(waves) - waves));
  const double keys = s.window > 0 ? std::min(s.seq_kv, s.window + p.key_tile) : s.seq_kv;
  time = fourth_power_sum(time, (keys + p.key_overhead) * row_time);
  return Seconds(fourth_power_sum(time, traffic(s, pass) / p.bandwidth.base()) + p.launch.base());
}

}  // namespace reckon
