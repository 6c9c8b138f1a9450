// Checks of attention and of the masked softmax.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/attention.hpp"
#include "tests/kernels/check/report.hpp"

namespace reckon::check {

/// An input in the type under check and the same values in double.
template <class T>
struct Input {
  std::vector<T> values;
  std::vector<double> wide;
  Operand<T> operand;

  Input(Place& place, std::vector<T> drawn, std::size_t offset)
      : values(std::move(drawn)), wide(widened(values)), operand(place, values, offset) {}
  Input(Place& place, std::int64_t count, Setting setting, std::uint64_t stream, double scale = 1)
      : Input(place, random_elements<T>(std::size_t(count), setting.seed + 100 * stream, scale), setting.offset) {}
  const T* data() const { return operand.data(); }
};

/// `gap` elements behind every token, so that strides are not the width.
struct AttentionCase {
  std::int64_t batch, heads, kv_heads, seq_q, seq_kv, head_dim;
  bool causal = true;
  std::int64_t q_position = 0, kv_position = 0, gap = 0;

  AttentionShape shape() const {
    AttentionShape s;
    s.batch = batch, s.heads = heads, s.kv_heads = kv_heads, s.seq_q = seq_q, s.seq_kv = seq_kv, s.head_dim = head_dim;
    s.causal = causal, s.q_position = q_position, s.kv_position = kv_position;
    s.q_token = heads * head_dim + gap, s.kv_token = kv_heads * head_dim + gap, s.out_token = heads * head_dim + gap;
    return s;
  }
  std::int64_t q_size() const { return batch * seq_q * (heads * head_dim + gap); }
  std::int64_t kv_size() const { return batch * seq_kv * (kv_heads * head_dim + gap); }
  std::int64_t rows() const { return batch * heads * seq_q; }
};

namespace detail {

/// Elements lie in [-1, 1): out is an average of v, and exponents of at most a few carry the error of a sum over head_dim.
template <class T>
double attention_tolerance(const AttentionCase& c) {
  return 4 * accumulated<T>(double(c.head_dim + c.seq_kv));
}

/// In bf16, probabilities and their gradients may be rounded to bf16 between two products: relative to their sums, which are at most 1.
template <class T>
double between_products() {
  return std::is_same_v<T, Bf16> ? roundoff<Bf16>() : 0.0;
}

template <template <class> class Op, class T>
Op<T> shaped(const AttentionCase& c) {
  Op<T> op;
  static_cast<AttentionShape&>(op) = c.shape();
  return op;
}

}  // namespace detail

template <class T, class Launch>
Report check_attention_forward(Place& place, const AttentionCase& c, Setting setting, const Launch& launch) {
  const Input<T> q(place, c.q_size(), setting, 1), k(place, c.kv_size(), setting, 2), v(place, c.kv_size(), setting, 3);
  Operand<T> out(place, std::size_t(c.q_size()), setting.offset);
  Operand<Accumulator<T>> lse(place, std::size_t(c.rows()), setting.offset);
  std::vector<double> out_ref = out.values(), lse_ref(std::size_t(c.rows()));
  auto op = detail::shaped<AttentionForward, T>(c);
  op.q = q.data(), op.k = k.data(), op.v = v.data(), op.out = out.data(), op.lse = lse.data();
  launch(op);
  auto wide = detail::shaped<AttentionForward, double>(c);
  wide.q = q.wide.data(), wide.k = k.wide.data(), wide.v = v.wide.data(), wide.out = out_ref.data(), wide.lse = lse_ref.data();
  reckon::launch<Backend::reference>(wide, {});
  const double tolerance = detail::attention_tolerance<T>(c);
  Report report;
  report.compare("out", out, out_ref, std::vector<double>(out_ref.size(), tolerance + detail::between_products<T>()));
  std::vector<double> got = lse.values(), lse_tolerance(lse_ref.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isinf(lse_ref[i]) && lse_ref[i] == got[i]) got[i] = lse_ref[i] = 0;  // a row that sees no key
    lse_tolerance[i] = tolerance + 8 * roundoff<float>() * (1 + std::abs(lse_ref[i]));
  }
  report.compare("lse", got, lse_ref, lse_tolerance);
  if (!lse.guarded()) report.failure = "memory beside lse was written";
  return report;
}

template <class T, class Launch>
Report check_attention_backward(Place& place, const AttentionCase& c, bool accumulate, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  const Input<T> q(place, c.q_size(), setting, 1), k(place, c.kv_size(), setting, 2), v(place, c.kv_size(), setting, 3),
      dout(place, c.q_size(), setting, 4);
  std::vector<double> out_ref(std::size_t(c.q_size())), lse_ref(std::size_t(c.rows()));
  auto forward = detail::shaped<AttentionForward, double>(c);
  forward.q = q.wide.data(), forward.k = k.wide.data(), forward.v = v.wide.data(), forward.out = out_ref.data(),
  forward.lse = lse_ref.data();
  reckon::launch<Backend::reference>(forward, {});
  std::vector<T> out_values(out_ref.size());
  std::vector<A> lse_values(lse_ref.size());
  for (std::size_t i = 0; i < out_ref.size(); ++i) out_values[i] = element<T>(out_ref[i]);
  for (std::size_t i = 0; i < lse_ref.size(); ++i) lse_values[i] = A(lse_ref[i]);
  const Input<T> out(place, out_values, setting.offset);
  const Input<A> lse(place, lse_values, setting.offset);
  const Input<T> old_q(place, c.q_size(), setting, 5), old_kv(place, c.kv_size(), setting, 6);
  const auto target = [&](const Input<T>& old) {
    return accumulate ? Operand<T>(place, old.values, setting.offset) : Operand<T>(place, old.values.size(), setting.offset);
  };
  Operand<T> dq = target(old_q), dk = target(old_kv), dv = target(old_kv);
  std::vector<double> dq_ref = dq.values(), dk_ref = dk.values(), dv_ref = dv.values();
  auto op = detail::shaped<AttentionBackward, T>(c);
  op.q = q.data(), op.k = k.data(), op.v = v.data(), op.out = out.data(), op.dout = dout.data(), op.lse = lse.data();
  op.dq = dq.data(), op.dk = dk.data(), op.dv = dv.data(), op.accumulate = accumulate;
  launch(op);
  auto wide = detail::shaped<AttentionBackward, double>(c);
  wide.q = q.wide.data(), wide.k = k.wide.data(), wide.v = v.wide.data(), wide.out = out.wide.data(), wide.dout = dout.wide.data(),
  wide.lse = lse.wide.data();
  wide.dq = dq_ref.data(), wide.dk = dk_ref.data(), wide.dv = dv_ref.data(), wide.accumulate = accumulate;
  reckon::launch<Backend::reference>(wide, {});
  // |dp| stays below a few standard deviations of a sum of head_dim products; a key of the first tokens gathers log(seq) shares of p.
  const double size = 1 + 1.4 * std::sqrt(double(c.head_dim)),
               tolerance = detail::attention_tolerance<T>(c) + detail::between_products<T>();
  const double shares =
      double(c.heads / c.kv_heads) * (2 + std::log2(1.0 + double(c.seq_q)) + double(c.seq_q) / double(std::max<std::int64_t>(1, c.seq_kv)));
  const auto bound = [&](std::size_t n, double x) { return std::vector<double>(n, x); };
  Report report;
  report.compare("dq", dq, dq_ref, bound(dq_ref.size(), tolerance * size * c.shape().score_scale() + 4 * roundoff<float>()));
  report.compare("dk", dk, dk_ref, bound(dk_ref.size(), tolerance * size * c.shape().score_scale() * shares + 4 * roundoff<float>()));
  report.compare("dv", dv, dv_ref, bound(dv_ref.size(), tolerance * shares + 4 * roundoff<float>()));
  return report;
}

struct SoftmaxCase {
  std::int64_t rows, columns, seq_q;
  bool causal;
  double scale;
};

template <class T, class Launch>
Report check_softmax(Place& place, const SoftmaxCase& c, Setting setting, const Launch& launch) {
  const std::int64_t count = c.rows * c.columns;
  const Input<T> x(place, count, setting, 1, 6.0), dout(place, count, setting, 2);
  Operand<T> out(place, std::size_t(count), setting.offset), dx(place, std::size_t(count), setting.offset);
  std::vector<double> out_ref(std::size_t(count), 0.0), dx_ref(std::size_t(count), 0.0), tolerance(std::size_t(count), 0.0);
  launch(SoftmaxForward<T>{
      .rows = c.rows, .columns = c.columns, .seq_q = c.seq_q, .causal = c.causal, .scale = c.scale, .x = x.data(), .out = out.data()});
  reckon::launch<Backend::reference>(SoftmaxForward<double>{.rows = c.rows,
                                                            .columns = c.columns,
                                                            .seq_q = c.seq_q,
                                                            .causal = c.causal,
                                                            .scale = c.scale,
                                                            .x = x.wide.data(),
                                                            .out = out_ref.data()},
                                     {});
  for (std::size_t i = 0; i < tolerance.size(); ++i)
    tolerance[i] = out_ref[i] * (accumulated<T>(double(c.columns)) + 32 * roundoff<float>() * 12 * c.scale);
  Report report;
  report.compare("out", out, out_ref, tolerance);
  // The backward pass from the reference's own result, rounded to the type.
  std::vector<T> p_values(out_ref.size());
  for (std::size_t i = 0; i < p_values.size(); ++i) p_values[i] = element<T>(out_ref[i]);
  const Input<T> p(place, p_values, setting.offset);
  launch(SoftmaxBackward<T>{.rows = c.rows, .columns = c.columns, .scale = c.scale, .p = p.data(), .dout = dout.data(), .dx = dx.data()});
  reckon::launch<Backend::reference>(
      SoftmaxBackward<double>{
          .rows = c.rows, .columns = c.columns, .scale = c.scale, .p = p.wide.data(), .dout = dout.wide.data(), .dx = dx_ref.data()},
      {});
  for (std::size_t i = 0; i < tolerance.size(); ++i) tolerance[i] = 2 * accumulated<T>(double(c.columns)) * c.scale * p.wide[i];
  report.compare("dx", dx, dx_ref, tolerance);
  return report;
}

inline const std::vector<AttentionCase>& attention_cases() {
  static const std::vector<AttentionCase> cases{{0, 1, 1, 3, 3, 8},
                                                {1, 1, 1, 1, 1, 1},
                                                {1, 2, 1, 3, 3, 5, true, 0, 0, 3},
                                                {2, 3, 3, 7, 7, 16},
                                                {2, 4, 2, 33, 33, 64, true, 0, 0, 7},
                                                {1, 2, 2, 5, 9, 8, false},
                                                {1, 6, 2, 113, 113, 32},
                                                {1, 2, 1, 127, 129, 24, false, 0, 0, 1},
                                                {2, 2, 2, 64, 64, 64},
                                                {1, 1, 1, 300, 300, 80},
                                                {1, 2, 2, 16, 64, 40, true, 48, 0},
                                                {1, 2, 1, 40, 40, 16, true, 0, 40},   // every key lies in the future
                                                {1, 2, 1, 40, 40, 16, true, 20, 37},  // some queries see none, the others a few
                                                {1, 2, 2, 140, 140, 16, true, 140, 0}};
  return cases;
}

/// What the tensor cores take in bf16: head_dim 64 and 128, every row of a head on 16 bytes.
inline const std::vector<AttentionCase>& tensor_attention_cases() {
  static const std::vector<AttentionCase> cases{{1, 1, 1, 1, 1, 64},
                                                {1, 2, 1, 37, 37, 64, true, 0, 0, 8},
                                                {2, 2, 2, 64, 64, 64, false},
                                                {1, 4, 2, 70, 70, 128},
                                                {1, 1, 1, 5, 131, 128, false},
                                                {1, 1, 1, 130, 3, 64, false},
                                                {1, 2, 1, 33, 100, 64, true, 67, 0},
                                                {1, 1, 1, 40, 40, 64, true, 0, 40},    // every key lies in the future
                                                {1, 2, 2, 70, 66, 128, true, 20, 51},  // some queries see none, the others a few
                                                {1, 1, 1, 66, 66, 64, true, 66, 0}};
  return cases;
}

/// `visit(name, report)` after each; cases of more than `most_pairs` pairs of query and key are left out.
template <class T, class Launch, class Visit>
void check_attentions(Place& place, std::uint64_t seed, const Launch& launch, const Visit& visit,
                      std::int64_t most_pairs = std::int64_t(1) << 40) {
  std::vector<AttentionCase> cases = attention_cases();
  if (std::is_same_v<T, Bf16>) cases.insert(cases.end(), tensor_attention_cases().begin(), tensor_attention_cases().end());
  for (const AttentionCase& c : cases) {
    if (c.batch * c.heads * c.seq_q * c.seq_kv > most_pairs) continue;
    for (const std::size_t offset : {0, 1}) {
      if (offset > 0 && c.seq_q > 40) continue;
      std::string name = std::string(sizeof(T) == 2 ? "bf16" : "fp32") + (c.causal ? " causal" : "") + " +" + std::to_string(offset);
      for (const std::int64_t size : {c.batch, c.heads, c.kv_heads, c.seq_q, c.seq_kv, c.head_dim, c.q_position, c.kv_position})
        name += " " + std::to_string(size);
      visit("attention_forward " + name, check_attention_forward<T>(place, c, {seed, offset}, launch));
      visit("attention_backward " + name, check_attention_backward<T>(place, c, false, {seed, offset}, launch));
      visit("attention_backward added " + name, check_attention_backward<T>(place, c, true, {seed, offset}, launch));
    }
  }
  const SoftmaxCase softmaxes[] = {{0, 4, 4, true, 1},    {1, 1, 1, true, 1},        {6, 3, 3, true, 0.5}, {14, 33, 7, true, 0.25},
                                   {5, 129, 1, false, 1}, {66, 33, 33, true, 0.125}, {2, 5000, 2, true, 1}};
  for (const SoftmaxCase& c : softmaxes) {
    visit("softmax " + std::to_string(sizeof(T)) + " " + std::to_string(c.rows) + " " + std::to_string(c.columns),
          check_softmax<T>(place, c, {seed, 1}, launch));
  }
}

}  // namespace reckon::check
