// Mixture of experts: routing, all-to-all between the ranks that share the experts, the experts' products.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/experts.hpp"

#include <numeric>

#include "kernels/op/memory.hpp"
#include "train/mlp.hpp"

namespace reckon::train {
namespace {

/// Rows in the order of their experts, tokens in order within each; then by local expert, ranks in order within each.
Routes make_routes(const Communicator& group, const Experts& e, const std::vector<std::int32_t>& choice) {
  Routes r;
  const auto ranks = std::size_t(group.size()), local = std::size_t(e.local), rows = choice.size();
  std::vector<std::int64_t> counts(std::size_t(e.experts), 0), first(counts.size() + 1, 0), theirs(ranks * local);
  for (const std::int32_t c : choice) ++counts[std::size_t(c)];
  std::partial_sum(counts.begin(), counts.end(), first.begin() + 1);
  r.slot.resize(rows);
  r.source.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    r.slot[i] = std::int32_t(first[std::size_t(choice[i])]++);
    r.source[std::size_t(r.slot[i])] = std::int32_t(std::int64_t(i) / e.top_k);
  }
  const std::vector<std::int64_t> table(ranks, std::int64_t(local * sizeof(std::int64_t)));
  group.all_to_all(counts.data(), table, theirs.data(), table);
  r.sent.assign(ranks, 0);
  r.received.assign(ranks, 0);
  r.expert_rows.assign(local, 0);
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    for (std::size_t l = 0; l < local; ++l) {
      r.sent[rank] += counts[rank * local + l];
      r.received[rank] += theirs[rank * local + l];
      r.expert_rows[l] += theirs[rank * local + l];
    }
  }
  r.rows_sent = std::int64_t(rows);
  r.rows_received = std::accumulate(r.received.begin(), r.received.end(), std::int64_t{0});
  for (std::size_t l = 0; l < local; ++l) {
    std::int64_t from = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      for (std::size_t other = 0; other < local; ++other) {
        const std::int64_t count = theirs[rank * local + other];
        for (std::int64_t i = 0; other == l && i < count; ++i) r.arrange.push_back(std::int32_t(from + i));
        from += count;
      }
    }
  }
  r.restore.resize(r.arrange.size());
  for (std::size_t i = 0; i < r.arrange.size(); ++i) r.restore[std::size_t(r.arrange[i])] = std::int32_t(i);
  return r;
}

template <class T>
Buffer<T> gathered(const std::vector<std::int32_t>& source, const T* x, std::int64_t columns) {
  Buffer<T> out(std::int64_t(source.size()) * columns);
  const Buffer<std::int32_t> from = uploaded(source);
  run(GatherRows<T>{.rows = std::int64_t(source.size()), .columns = columns, .source = from.data(), .x = x, .out = out.data()});
  return out;
}

std::vector<std::int64_t> in_bytes(const std::vector<std::int64_t>& rows, std::int64_t row) {
  std::vector<std::int64_t> out = rows;
  for (std::int64_t& count : out) count *= row;
  return out;
}

/// Sent rows -> rows by local expert, and back.
template <class T>
Buffer<T> to_experts(const Communicator& group, const Routes& r, Buffer<T> sent, std::int64_t columns) {
  if (group.size() == 1) return sent;
  Buffer<T> received(r.rows_received * columns);
  const std::int64_t row = columns * std::int64_t(sizeof(T));
  settle();
  group.all_to_all(sent.data(), in_bytes(r.sent, row), received.data(), in_bytes(r.received, row));
  return gathered(r.arrange, received.data(), columns);
}
template <class T>
Buffer<T> from_experts(const Communicator& group, const Routes& r, Buffer<T> rows, std::int64_t columns) {
  if (group.size() == 1) return rows;
  const Buffer<T> restored = gathered(r.restore, rows.data(), columns);
  Buffer<T> out(r.rows_sent * columns);
  const std::int64_t row = columns * std::int64_t(sizeof(T));
  settle();
  group.all_to_all(restored.data(), in_bytes(r.received, row), out.data(), in_bytes(r.sent, row));
  return out;
}

template <class T>
void into(Buffer<T>& whole, std::int64_t at, const Buffer<T>& part) {
  copy_bytes(whole.data() + at, part.data(), part.bytes());
}

}  // namespace

template <class T>
Buffer<T> experts_forward(const Scene<T>& s, const Experts& e, Unit<T>& dense, Unit<T>& experts, const T* x, ExpertsKept<T>& kept) {
  const std::int64_t chosen = s.tokens * e.top_k, inner = e.gated ? 2 * e.width : e.width;
  const Buffer<T> logits = linear_forward(e.router, dense, x, s.tokens);
  kept.p = Buffer<Accumulator<T>>(s.tokens * e.experts);
  kept.weight = Buffer<Accumulator<T>>(chosen);
  kept.choice = Buffer<std::int32_t>(chosen);
  run(RouterForward<T>{.tokens = s.tokens,
                       .experts = e.experts,
                       .top_k = e.top_k,
                       .x = logits.data(),
                       .p = kept.p.data(),
                       .choice = kept.choice.data(),
                       .weight = kept.weight.data()});
  settle();
  kept.routes = make_routes(s.grid->expert, e, std::vector<std::int32_t>(kept.choice.data(), kept.choice.data() + chosen));
  const Routes& r = kept.routes;
  kept.x = to_experts(s.grid->expert, r, gathered(r.source, x, s.hidden), s.hidden);
  kept.hidden = Buffer<T>(r.rows_received * inner);
  kept.active = Buffer<T>(r.rows_received * e.width);
  Buffer<T> y(r.rows_received * s.hidden);
  for (std::int64_t l = 0, row = 0; l < e.local; row += r.expert_rows[std::size_t(l++)]) {
    const std::int64_t rows = r.expert_rows[std::size_t(l)];
    if (rows == 0) continue;
    into(kept.hidden, row * inner, linear_forward(e.up[std::size_t(l)], experts, kept.x.data() + row * s.hidden, rows));
    into(kept.active, row * e.width, activation_forward(e.gated, kept.hidden.data() + row * inner, rows, e.width));
    into(y, row * s.hidden, linear_forward(e.down[std::size_t(l)], experts, kept.active.data() + row * e.width, rows));
  }
  kept.returned = from_experts(s.grid->expert, r, std::move(y), s.hidden);
  Buffer<T> out(s.tokens * s.hidden);
  const Buffer<std::int32_t> slot = uploaded(r.slot);
  run(CombineRows<T>{.tokens = s.tokens,
                     .top_k = e.top_k,
                     .columns = s.hidden,
                     .slot = slot.data(),
                     .weight = kept.weight.data(),
                     .x = kept.returned.data(),
                     .out = out.data()});
  return out;
}

template <class T>
Buffer<T> experts_backward(const Scene<T>& s, const Experts& e, Unit<T>& dense, Unit<T>& experts, const T* x, const ExpertsKept<T>& kept,
                           const T* dout) {
  const Routes& r = kept.routes;
  const std::int64_t inner = e.gated ? 2 * e.width : e.width;
  Buffer<T> dreturned(r.rows_sent * s.hidden);
  const Buffer<Accumulator<T>> dweight(r.rows_sent);
  const Buffer<std::int32_t> slot = uploaded(r.slot);
  run(CombineRowsBackward<T>{.tokens = s.tokens,
                             .top_k = e.top_k,
                             .columns = s.hidden,
                             .slot = slot.data(),
                             .weight = kept.weight.data(),
                             .x = kept.returned.data(),
                             .dout = dout,
                             .dx = dreturned.data(),
                             .dweight = dweight.data()});
  const Buffer<T> dy = to_experts(s.grid->expert, r, std::move(dreturned), s.hidden);
  Buffer<T> dx_rows(r.rows_received * s.hidden);
  for (std::int64_t l = 0, row = 0; l < e.local; row += r.expert_rows[std::size_t(l++)]) {
    const std::int64_t rows = r.expert_rows[std::size_t(l)];
    if (rows == 0) continue;
    const Linear &up = e.up[std::size_t(l)], &down = e.down[std::size_t(l)];
    const T* dy_rows = dy.data() + row * s.hidden;
    weight_backward(down, experts, kept.active.data() + row * e.width, dy_rows, rows);
    const Buffer<T> dactive = input_backward(down, experts, dy_rows, rows);
    const Buffer<T> dhidden = activation_backward(e.gated, kept.hidden.data() + row * inner, dactive.data(), rows, e.width);
    weight_backward(up, experts, kept.x.data() + row * s.hidden, dhidden.data(), rows);
    into(dx_rows, row * s.hidden, input_backward(up, experts, dhidden.data(), rows));
  }
  const Buffer<T> dsent = from_experts(s.grid->expert, r, std::move(dx_rows), s.hidden);
  Buffer<T> dx(s.tokens * s.hidden);
  run(CombineRows<T>{.tokens = s.tokens, .top_k = e.top_k, .columns = s.hidden, .slot = slot.data(), .x = dsent.data(), .out = dx.data()});
  const Buffer<T> dlogits(s.tokens * e.experts);
  run(RouterBackward<T>{.tokens = s.tokens,
                        .experts = e.experts,
                        .top_k = e.top_k,
                        .p = kept.p.data(),
                        .choice = kept.choice.data(),
                        .weight = kept.weight.data(),
                        .dweight = dweight.data(),
                        .dx = dlogits.data()});
  weight_backward(e.router, dense, x, dlogits.data(), s.tokens);
  const Buffer<T> through_router = input_backward(e.router, dense, dlogits.data(), s.tokens);
  run(ResidualAdd<T>{.count = dx.size(), .a = dx.data(), .b = through_router.data(), .out = dx.data()});
  return dx;
}

template Buffer<double> experts_forward(const Scene<double>&, const Experts&, Unit<double>&, Unit<double>&, const double*,
                                        ExpertsKept<double>&);
template Buffer<float> experts_forward(const Scene<float>&, const Experts&, Unit<float>&, Unit<float>&, const float*, ExpertsKept<float>&);
template Buffer<Bf16> experts_forward(const Scene<Bf16>&, const Experts&, Unit<Bf16>&, Unit<Bf16>&, const Bf16*, ExpertsKept<Bf16>&);
template Buffer<double> experts_backward(const Scene<double>&, const Experts&, Unit<double>&, Unit<double>&, const double*,
                                         const ExpertsKept<double>&, const double*);
template Buffer<float> experts_backward(const Scene<float>&, const Experts&, Unit<float>&, Unit<float>&, const float*,
                                        const ExpertsKept<float>&, const float*);
template Buffer<Bf16> experts_backward(const Scene<Bf16>&, const Experts&, Unit<Bf16>&, Unit<Bf16>&, const Bf16*, const ExpertsKept<Bf16>&,
                                       const Bf16*);

}  // namespace reckon::train
