// Ring attention over the context ranks (Liu et al. 2023, arXiv 2310.01889): keys and values travel round the ring while each rank attends
// from its queries to those at hand; partial results merge by their log-sum-exp.  In the backward pass the gradients of keys and values
// travel with them and come home after a full round. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "kernels/op/attention.hpp"
#include "train/attention_core.hpp"

namespace reckon::train {
namespace {

constexpr int ring_tag = 40;

/// Keys and values of this rank, packed: (2, tokens, kv_heads head_dim).
template <class T>
Buffer<T> packed_keys(const Scene<T>& s, const T* qkv) {
  const std::int64_t width = (s.heads + 2 * s.kv_heads) * s.head_dim, part = s.kv_heads * s.head_dim;
  Buffer<T> out(2 * s.tokens * part);
  settle();
  for (std::int64_t t = 0; t < s.tokens; ++t) {
    for (const std::int64_t which : {0, 1})
      std::copy_n(qkv + t * width + s.heads * s.head_dim + which * part, part, out.data() + (which * s.tokens + t) * part);
  }
  return out;
}

/// The shape of attention from a run of this rank's queries to a run of another's keys; `first` moves operands to their runs.
template <class T>
AttentionShape part_shape(const Scene<T>& s, const Segment& q, const Segment& kv) {
  AttentionShape shape;
  shape.batch = s.micro_batch, shape.heads = s.heads, shape.kv_heads = s.kv_heads, shape.head_dim = s.head_dim;
  shape.seq_q = q.length, shape.seq_kv = kv.length, shape.q_position = q.position, shape.kv_position = kv.position;
  shape.q_token = (s.heads + 2 * s.kv_heads) * s.head_dim;
  shape.q_batch = s.local_seq * shape.q_token;
  shape.kv_batch = s.local_seq * shape.step_kv();
  return shape;
}

/// Sends `out` to the next rank of the ring while `in` arrives from the one before.
template <class B>
struct Shift {
  PendingMessage sent, received;
  Shift(const Communicator& ring, const B& out, B& in, int tag)
      : sent(ring.send(out.data(), out.bytes(), (ring.rank() + 1) % ring.size(), tag)),
        received(ring.receive(in.data(), in.bytes(), (ring.rank() + ring.size() - 1) % ring.size(), tag)) {}
  void wait() {
    received.wait();
    sent.wait();
  }
};

/// Adds a part's rows to the sums so far: both weighted by what their lse says of the whole.
template <class T>
void merge(const Scene<T>& s, const AttentionShape& part, const Segment& q, const Buffer<T>& part_out,
           const Buffer<Accumulator<T>>& part_lse, Buffer<Accumulator<T>>& out, Buffer<Accumulator<T>>& lse) {
  using A = Accumulator<T>;
  constexpr A none = -std::numeric_limits<A>::infinity();
#pragma omp parallel for schedule(static)
  for (std::int64_t bh = 0; bh < part.batch * part.heads; ++bh) {
    for (std::int64_t i = 0; i < q.length; ++i) {
      const std::int64_t b = bh / part.heads, h = bh % part.heads;
      const A now = part_lse.data()[part.lse_at(b, i, h)];
      A& before = lse.data()[bh * s.local_seq + q.first + i];
      if (now == none) continue;
      const A larger = std::max(now, before), total = larger + std::log(std::exp(now - larger) + std::exp(before - larger));
      const A keep = std::exp(before - total), take = std::exp(now - total);
      A* row = out.data() + ((b * s.local_seq + q.first + i) * part.heads + h) * part.head_dim;
      const T* add = part_out.data() + part.out_at(b, i, h);
      for (std::int64_t d = 0; d < part.head_dim; ++d) row[d] = keep * row[d] + take * A(widen(add[d]));
      before = total;
    }
  }
}

}  // namespace

template <class T>
void ring_forward(const Scene<T>& s, const T* qkv, AttentionKept<T>& kept) {
  using A = Accumulator<T>;
  const Communicator& ring = s.grid->context;
  const std::int64_t seq_len = s.local_seq * ring.size();
  const auto mine = context_segments(seq_len, ring.size(), ring.rank());
  Buffer<T> keys = packed_keys(s, qkv), next(keys.size());
  Buffer<A> out(kept.out.size());
  out.zero();
  settle();
  std::fill_n(kept.lse.data(), kept.lse.size(), -std::numeric_limits<A>::infinity());
  for (int step = 0; step < ring.size(); ++step) {
    const int owner = (ring.rank() - step + ring.size()) % ring.size();
    std::unique_ptr<Shift<Buffer<T>>> shift;
    if (step + 1 < ring.size()) shift = std::make_unique<Shift<Buffer<T>>>(ring, keys, next, ring_tag);
    for (const Segment& kv : context_segments(seq_len, ring.size(), owner)) {
      for (const Segment& q : mine) {
        if (kv.position > q.position + q.length - 1) continue;  // all in the future
        AttentionForward<T> op;
        static_cast<AttentionShape&>(op) = part_shape(s, q, kv);
        const Buffer<T> part(op.batch * op.seq_q * op.step_out());
        const Buffer<A> lse(op.batch * op.heads * op.seq_q);
        op.q = qkv + q.first * op.step_q(), op.k = keys.data() + kv.first * op.step_kv(), op.v = op.k + s.tokens * op.step_kv(),
        op.out = part.data(), op.lse = lse.data();
        run(op);
        settle();
        merge(s, op, q, part, lse, out, kept.lse);
      }
    }
    if (shift) {
      shift->wait();
      std::swap(keys, next);
    }
  }
  for (std::int64_t i = 0; i < out.size(); ++i) kept.out.data()[i] = narrow<T>(out.data()[i]);
}

template <class T>
void ring_backward(const Scene<T>& s, const T* qkv, AttentionKept<T>& kept, const T* dout, T* dqkv) {
  using A = Accumulator<T>;
  const Communicator& ring = s.grid->context;
  const std::int64_t seq_len = s.local_seq * ring.size(), part = s.kv_heads * s.head_dim, width = (s.heads + 2 * s.kv_heads) * s.head_dim;
  const auto mine = context_segments(seq_len, ring.size(), ring.rank());
  Buffer<T> keys = packed_keys(s, qkv), next(keys.size()), dq(s.tokens * width), dk(s.tokens * part), dv(s.tokens * part);
  Buffer<A> dkeys(keys.size()), dnext(keys.size()), dq_sum(s.tokens * width);
  dkeys.zero();
  dq_sum.zero();
  for (int step = 0; step < ring.size(); ++step) {
    const int owner = (ring.rank() - step + ring.size()) % ring.size();
    std::unique_ptr<Shift<Buffer<T>>> shift;
    if (step + 1 < ring.size()) shift = std::make_unique<Shift<Buffer<T>>>(ring, keys, next, ring_tag);
    for (const Segment& kv : context_segments(seq_len, ring.size(), owner)) {
      for (const Segment& q : mine) {
        if (kv.position > q.position + q.length - 1) continue;
        AttentionBackward<T> op;
        static_cast<AttentionShape&>(op) = part_shape(s, q, kv);
        op.out_batch = s.local_seq * op.step_out();
        Buffer<A> lse(op.batch * op.heads * op.seq_q);
        settle();
        for (std::int64_t bh = 0; bh < op.batch * op.heads; ++bh)
          std::copy_n(kept.lse.data() + bh * s.local_seq + q.first, q.length, lse.data() + bh * q.length);
        dq.zero(), dk.zero(), dv.zero();
        const std::int64_t q_first = q.first * op.step_q(), kv_first = kv.first * op.step_kv(), out_first = q.first * op.step_out();
        op.q = qkv + q_first, op.k = keys.data() + kv_first, op.v = op.k + s.tokens * part, op.out = kept.out.data() + out_first,
        op.dout = dout + out_first, op.lse = lse.data();
        op.dq = dq.data() + q_first, op.dk = dk.data() + kv_first, op.dv = dv.data() + kv_first;
        run(op);
        settle();
        for (std::int64_t i = 0; i < dq.size(); ++i) dq_sum.data()[i] += A(widen(dq.data()[i]));
        for (std::int64_t i = 0; i < dk.size(); ++i) {
          dkeys.data()[i] += A(widen(dk.data()[i]));
          dkeys.data()[dk.size() + i] += A(widen(dv.data()[i]));
        }
      }
    }
    if (shift) {
      shift->wait();
      std::swap(keys, next);
    }
    Shift<Buffer<A>> home(ring, dkeys, dnext, ring_tag + 1);  // after the last step they are back
    home.wait();
    std::swap(dkeys, dnext);
  }
  for (std::int64_t t = 0; t < s.tokens; ++t) {
    T* row = dqkv + t * width;
    for (std::int64_t i = 0; i < s.heads * s.head_dim; ++i) row[i] = narrow<T>(dq_sum.data()[t * width + i]);
    for (std::int64_t i = 0; i < part; ++i) {
      row[s.heads * s.head_dim + i] = narrow<T>(dkeys.data()[t * part + i]);
      row[s.heads * s.head_dim + part + i] = narrow<T>(dkeys.data()[(s.tokens + t) * part + i]);
    }
  }
}

template void ring_forward(const Scene<double>&, const double*, AttentionKept<double>&);
template void ring_forward(const Scene<float>&, const float*, AttentionKept<float>&);
template void ring_forward(const Scene<Bf16>&, const Bf16*, AttentionKept<Bf16>&);
template void ring_backward(const Scene<double>&, const double*, AttentionKept<double>&, const double*, double*);
template void ring_backward(const Scene<float>&, const float*, AttentionKept<float>&, const float*, float*);
template void ring_backward(const Scene<Bf16>&, const Bf16*, AttentionKept<Bf16>&, const Bf16*, Bf16*);

}  // namespace reckon::train
