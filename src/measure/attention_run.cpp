// SPDX-License-Identifier: Apache-2.0
#include "measure/attention_run.hpp"

#include <utility>

#include "kernels/op/attention.hpp"
#include "kernels/op/dispatch.hpp"

namespace reckon::measure {
namespace {

AttentionShape shape_of(const AttentionDimensions& d) {
  AttentionShape s;
  s.batch = d.batch, s.heads = s.kv_heads = d.heads, s.seq_q = d.seq_q, s.seq_kv = d.seq_kv, s.head_dim = d.head_dim, s.causal = d.causal;
  s.q_position = d.seq_kv - d.seq_q;                                           // the last query sees every key
  if (d.seq_q == d.seq_kv) s.q_token = s.kv_token = 3 * d.heads * d.head_dim;  // side by side, as one product leaves them
  return s;
}

/// Elements from the queries to the keys, and from the keys to the values.
std::pair<std::int64_t, std::int64_t> places_of(const AttentionDimensions& d) {
  const std::int64_t token = d.heads * d.head_dim;
  return d.seq_q == d.seq_kv ? std::pair{token, token} : std::pair{d.batch * d.seq_q * token, d.batch * d.seq_kv * token};
}

template <class T>
AttentionForward<T> forward_op(const AttentionDimensions& d, const T* in, T* out, Accumulator<T>* lse) {
  AttentionForward<T> op;
  static_cast<AttentionShape&>(op) = shape_of(d);
  const auto [keys, values] = places_of(d);
  op.q = in, op.k = in + keys, op.v = in + keys + values, op.out = out, op.lse = lse;
  return op;
}

template <class T>
AttentionBackward<T> backward_op(const AttentionDimensions& d, const T* in, const T* dout, const Accumulator<T>* lse, T* out) {
  AttentionBackward<T> op;
  static_cast<AttentionShape&>(op) = shape_of(d);
  const auto [keys, values] = places_of(d);
  op.q = in, op.k = in + keys, op.v = in + keys + values, op.lse = lse;
  op.dout = dout, op.out = dout + d.batch * d.seq_q * d.heads * d.head_dim;
  op.dq = out, op.dk = out + keys, op.dv = out + keys + values;
  return op;
}

std::int64_t values_of(const AttentionDimensions& d) { return d.batch * (d.seq_q + 2 * d.seq_kv) * d.heads * d.head_dim; }
std::int64_t rows_of(const AttentionDimensions& d) { return d.batch * d.heads * d.seq_q; }

template <class T>
Timed timed(const Bench& bench, const Arena& inputs, const Arena& outputs, const AttentionDimensions& d, bool backward) {
  const std::int64_t values = values_of(d), rows = rows_of(d);
  // the statistics of a real forward pass, or the exponentials of the backward one would overflow
  auto* lse = outputs.at<Accumulator<T>>(0, rows);
  launch(bench.backend(), forward_op<T>(d, inputs.at<T>(0, values), outputs.at<T>(1, values + rows * 4), lse), bench.stream());
  bench.wait();
  return bench.time([&](int turn) {
    const int place = 1 + turn % 7;  // place 0 holds the statistics
    const std::int64_t room = values + rows * 4;
    if (backward) {
      launch(bench.backend(), backward_op<T>(d, inputs.at<T>(0, values), inputs.at<T>(turn, values), lse, outputs.at<T>(place, room)),
             bench.stream());
    } else {
      T* out = outputs.at<T>(place, room);
      launch(bench.backend(), forward_op<T>(d, inputs.at<T>(0, values), out, reinterpret_cast<Accumulator<T>*>(out + values)),
             bench.stream());
    }
  });
}

template <class T>
void checked(const Bench& bench, const Arena& inputs, const Arena& outputs) {
  const AttentionDimensions d{.batch = 2, .heads = 3, .seq_q = 37, .seq_kv = 37, .head_dim = 16, .causal = true};
  const std::int64_t values = values_of(d), rows = rows_of(d), q = d.batch * d.seq_q * d.heads * d.head_dim;
  std::vector<T> out(static_cast<std::size_t>(values)), gradient(out);
  std::vector<Accumulator<T>> lse(static_cast<std::size_t>(rows));
  const T* host = inputs.on_host<T>(0, values);
  launch<Backend::reference>(forward_op<T>(d, host, out.data(), lse.data()), {});
  launch<Backend::reference>(backward_op<T>(d, host, host, lse.data(), gradient.data()), {});

  T* own = outputs.at<T>(1, values);
  auto* own_lse = outputs.at<Accumulator<T>>(0, rows);
  launch(bench.backend(), forward_op<T>(d, inputs.at<T>(0, values), own, own_lse), bench.stream());
  const double tolerance = sizeof(T) == 2 ? 0.03 : 1e-4;
  const auto widened = [](const std::vector<T>& v, std::int64_t count) {
    std::vector<double> wide;
    for (std::int64_t i = 0; i < count; ++i) wide.push_back(static_cast<double>(widen(v[static_cast<std::size_t>(i)])));
    return wide;
  };
  check_close(fetched(bench, own, q), widened(out, q), tolerance, "attention, forward");
  launch(bench.backend(), backward_op<T>(d, inputs.at<T>(0, values), inputs.at<T>(0, values), own_lse, own), bench.stream());
  check_close(fetched(bench, own, values), widened(gradient, values), tolerance, "attention, backward");
}

}  // namespace

std::size_t attention_room(const AttentionDimensions& d) {
  constexpr std::size_t places = 9, pages = 8192;  // of the statistics, of the seven results in turn, and the end of the last
  return places * (std::size_t(values_of(d) + rows_of(d) * 4) * sizeof(float) + pages);
}

Timed attention_time_of(const Bench& bench, const Arena& inputs, const Arena& outputs, const AttentionDimensions& size, bool bf16,
                        bool backward) {
  return bf16 ? timed<Bf16>(bench, inputs, outputs, size, backward) : timed<float>(bench, inputs, outputs, size, backward);
}

void check_attention(const Bench& bench, const Arena& inputs, const Arena& outputs, bool bf16) {
  bf16 ? checked<Bf16>(bench, inputs, outputs) : checked<float>(bench, inputs, outputs);
}

}  // namespace reckon::measure
