// Attention on one rank: flash, or unfused with its probabilities kept or computed again.
// SPDX-License-Identifier: Apache-2.0
#include "train/attention_core.hpp"

#include "kernels/op/attention.hpp"
#include "kernels/op/matmul.hpp"

namespace reckon::train {
namespace {

template <class T>
struct Layout {
  std::int64_t width, q = 0, k, v, out;  ///< of a token, and where the three begin in it
  explicit Layout(const Scene<T>& s)
      : width((s.heads + 2 * s.kv_heads) * s.head_dim),
        k(s.heads * s.head_dim),
        v((s.heads + s.kv_heads) * s.head_dim),
        out(s.heads * s.head_dim) {}
};

template <class T>
AttentionShape flash_shape(const Scene<T>& s, const Layout<T>& at) {
  AttentionShape shape;
  shape.batch = s.micro_batch, shape.heads = s.heads, shape.kv_heads = s.kv_heads, shape.seq_q = shape.seq_kv = s.local_seq,
  shape.head_dim = s.head_dim;
  shape.q_token = shape.kv_token = at.width;
  return shape;
}

/// Calls each(first row of the sequence, head, its key head, place of its scores).
template <class T, class Each>
void for_heads(const Scene<T>& s, const Each& each) {
  for (std::int64_t b = 0; b < s.micro_batch; ++b) {
    for (std::int64_t h = 0; h < s.heads; ++h)
      each(b * s.local_seq, h, h / (s.heads / s.kv_heads), (b * s.heads + h) * s.local_seq * s.local_seq);
  }
}

template <class T>
Buffer<T> probabilities(const Scene<T>& s, const T* qkv) {
  const Layout<T> at(s);
  const std::int64_t seq = s.local_seq, rows = s.micro_batch * s.heads * seq;
  Buffer<T> p(rows * seq);
  for_heads(s, [&](std::int64_t row, std::int64_t h, std::int64_t kv, std::int64_t scores) {
    run(Matmul<T>{.m = seq,
                  .n = seq,
                  .k = s.head_dim,
                  .transpose_b = true,
                  .a = qkv + row * at.width + at.q + h * s.head_dim,
                  .b = qkv + row * at.width + at.k + kv * s.head_dim,
                  .c = p.data() + scores,
                  .lda = at.width,
                  .ldb = at.width});
  });
  run(SoftmaxForward<T>{
      .rows = rows, .columns = seq, .seq_q = seq, .scale = 1 / std::sqrt(double(s.head_dim)), .x = p.data(), .out = p.data()});
  return p;
}

template <class T>
void unfused_backward(const Scene<T>& s, const T* qkv, const T* p, const T* dout, T* dqkv) {
  const Layout<T> at(s);
  const std::int64_t seq = s.local_seq, rows = s.micro_batch * s.heads * seq, group = s.heads / s.kv_heads;
  Buffer<T> ds(rows * seq);
  for_heads(s, [&](std::int64_t row, std::int64_t h, std::int64_t kv, std::int64_t scores) {
    const T* dout_head = dout + row * at.out + h * s.head_dim;
    const double beta = h % group == 0 ? 0.0 : 1.0;  // the heads of a group add to one key head
    run(Matmul<T>{.m = seq,
                  .n = seq,
                  .k = s.head_dim,
                  .transpose_b = true,
                  .a = dout_head,
                  .b = qkv + row * at.width + at.v + kv * s.head_dim,
                  .c = ds.data() + scores,
                  .lda = at.out,
                  .ldb = at.width});
    run(Matmul<T>{.m = seq,
                  .n = s.head_dim,
                  .k = seq,
                  .transpose_a = true,
                  .beta = beta,
                  .a = p + scores,
                  .b = dout_head,
                  .c = dqkv + row * at.width + at.v + kv * s.head_dim,
                  .ldb = at.out,
                  .ldc = at.width});
  });
  run(SoftmaxBackward<T>{
      .rows = rows, .columns = seq, .scale = 1 / std::sqrt(double(s.head_dim)), .p = p, .dout = ds.data(), .dx = ds.data()});
  for_heads(s, [&](std::int64_t row, std::int64_t h, std::int64_t kv, std::int64_t scores) {
    const double beta = h % group == 0 ? 0.0 : 1.0;
    run(Matmul<T>{.m = seq,
                  .n = s.head_dim,
                  .k = seq,
                  .a = ds.data() + scores,
                  .b = qkv + row * at.width + at.k + kv * s.head_dim,
                  .c = dqkv + row * at.width + at.q + h * s.head_dim,
                  .ldb = at.width,
                  .ldc = at.width});
    run(Matmul<T>{.m = seq,
                  .n = s.head_dim,
                  .k = seq,
                  .transpose_a = true,
                  .beta = beta,
                  .a = ds.data() + scores,
                  .b = qkv + row * at.width + at.q + h * s.head_dim,
                  .c = dqkv + row * at.width + at.k + kv * s.head_dim,
                  .ldb = at.width,
                  .ldc = at.width});
  });
}

}  // namespace

template <class T>
void attention_forward(const Scene<T>& s, const T* qkv, AttentionKept<T>& kept) {
  const Layout<T> at(s);
  kept.out = Buffer<T>(s.tokens * at.out);
  if (s.job->strategy.attention == AttentionKind::unfused) {
    kept.probabilities = probabilities(s, qkv);
    for_heads(s, [&](std::int64_t row, std::int64_t h, std::int64_t kv, std::int64_t scores) {
      run(Matmul<T>{.m = s.local_seq,
                    .n = s.head_dim,
                    .k = s.local_seq,
                    .a = kept.probabilities.data() + scores,
                    .b = qkv + row * at.width + at.v + kv * s.head_dim,
                    .c = kept.out.data() + row * at.out + h * s.head_dim,
                    .ldb = at.width,
                    .ldc = at.out});
    });
    if (s.job->strategy.recompute == Recompute::selective) kept.probabilities = Buffer<T>();
    return;
  }
  kept.lse = Buffer<Accumulator<T>>(s.tokens * s.heads);
  if (s.grid->context.size() > 1) return ring_forward(s, qkv, kept);
  AttentionForward<T> op;
  static_cast<AttentionShape&>(op) = flash_shape(s, at);
  op.q = qkv + at.q, op.k = qkv + at.k, op.v = qkv + at.v, op.out = kept.out.data(), op.lse = kept.lse.data();
  run(op);
}

template <class T>
Buffer<T> attention_backward(const Scene<T>& s, const T* qkv, AttentionKept<T>& kept, const T* dout) {
  const Layout<T> at(s);
  Buffer<T> dqkv(s.tokens * at.width);
  if (s.job->strategy.attention == AttentionKind::unfused) {
    if (!kept.probabilities) kept.probabilities = probabilities(s, qkv);
    unfused_backward(s, qkv, kept.probabilities.data(), dout, dqkv.data());
    return dqkv;
  }
  if (s.grid->context.size() > 1) {
    ring_backward(s, qkv, kept, dout, dqkv.data());
    return dqkv;
  }
  AttentionBackward<T> op;
  static_cast<AttentionShape&>(op) = flash_shape(s, at);
  op.q = qkv + at.q, op.k = qkv + at.k, op.v = qkv + at.v, op.out = kept.out.data(), op.dout = dout, op.lse = kept.lse.data();
  op.dq = dqkv.data() + at.q, op.dk = dqkv.data() + at.k, op.dv = dqkv.data() + at.v;
  run(op);
  return dqkv;
}

template void attention_forward(const Scene<double>&, const double*, AttentionKept<double>&);
template void attention_forward(const Scene<float>&, const float*, AttentionKept<float>&);
template void attention_forward(const Scene<Bf16>&, const Bf16*, AttentionKept<Bf16>&);
template Buffer<double> attention_backward(const Scene<double>&, const double*, AttentionKept<double>&, const double*);
template Buffer<float> attention_backward(const Scene<float>&, const float*, AttentionKept<float>&, const float*);
template Buffer<Bf16> attention_backward(const Scene<Bf16>&, const Bf16*, AttentionKept<Bf16>&, const Bf16*);

}  // namespace reckon::train
