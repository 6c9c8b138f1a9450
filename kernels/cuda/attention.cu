// Launchers of attention on CUDA.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/attention.cuh"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/tensor_attention.cuh"

namespace reckon {
namespace {

constexpr std::int64_t rows_in_block = attention_threads / 32, most_warp_blocks = std::int64_t(1) << 30;

unsigned row_blocks(std::int64_t rows) { return grid_for((rows + rows_in_block - 1) / rows_in_block, most_warp_blocks); }

/// Whether the tensor cores take it: bf16, head_dim 64 or 128, every row of a head on 16 bytes.
template <class T, class... Pointers>
bool for_tensor_cores(const AttentionShape& op, const Pointers*... pointers) {
  if (!std::is_same_v<T, Bf16> || (op.head_dim != 64 && op.head_dim != 128)) return false;
  for (const std::int64_t step : {op.step_q(), op.step_kv(), op.step_out(), op.q_batch, op.kv_batch, op.out_batch}) {
    if (step % widest<Bf16> != 0) return false;
  }
  const std::int64_t most_rows = std::int64_t(65535);  // of a grid's second dimension
  return op.batch * op.heads <= most_rows && all_aligned(16, pointers...);
}

dim3 tensor_grid(std::int64_t rows, std::int64_t heads) {
  return {static_cast<unsigned>((rows + rows_in_tile - 1) / rows_in_tile), static_cast<unsigned>(heads), 1};
}

template <int D>
void tensor_forward(const AttentionForward<Bf16>& op, Stream stream) {
  const auto queue = static_cast<cudaStream_t>(stream.handle);
  RECKON_LAUNCH((tensor_attention_forward_kernel<D>), tensor_grid(op.seq_q, op.batch * op.heads), tensor_threads, queue, op, float(op.score_scale()));
  check_launch("attention_forward");
}

template <int D>
void tensor_backward(const AttentionBackward<Bf16>& op, Stream stream) {
  const auto queue = static_cast<cudaStream_t>(stream.handle);
  if (op.seq_q > 0) {
    RECKON_LAUNCH((tensor_query_gradient_kernel<D>), tensor_grid(op.seq_q, op.batch * op.heads), tensor_threads, queue, op, float(op.score_scale()));
    check_launch("attention_backward");
  }
  if (op.seq_kv > 0) {
    RECKON_LAUNCH((tensor_key_gradient_kernel<D>), tensor_grid(op.seq_kv, op.batch * op.kv_heads), tensor_threads, queue, op, float(op.score_scale()));
    check_launch("attention_backward");
  }
}

template <class T>
void attention_forward(const AttentionForward<T>& op, Stream stream) {
  const std::int64_t rows = op.batch * op.heads * op.seq_q;
  if (rows == 0) return;
  if constexpr (std::is_same_v<T, Bf16>) {
    if (for_tensor_cores<T>(op, op.q, op.k, op.v, op.out)) return op.head_dim == 64 ? tensor_forward<64>(op, stream) : tensor_forward<128>(op, stream);
  }
  require(op.head_dim <= largest_head_dim, "attention on CUDA over a head_dim above 256");
  const auto queue = static_cast<cudaStream_t>(stream.handle);
  RECKON_LAUNCH((attention_forward_kernel<T>), row_blocks(rows), attention_threads, queue, op, float(op.score_scale()));
  check_launch("attention_forward");
}

template <class T>
void attention_backward(const AttentionBackward<T>& op, Stream stream) {
  if constexpr (std::is_same_v<T, Bf16>) {
    if (op.batch > 0 && for_tensor_cores<T>(op, op.q, op.k, op.v, op.out, op.dout, op.dq, op.dk, op.dv)) {
      return op.head_dim == 64 ? tensor_backward<64>(op, stream) : tensor_backward<128>(op, stream);
    }
  }
  require(op.head_dim <= largest_head_dim, "attention on CUDA over a head_dim above 256");
  const auto queue = static_cast<cudaStream_t>(stream.handle);
  const std::int64_t queries = op.batch * op.heads * op.seq_q, keys = op.batch * op.kv_heads * op.seq_kv;
  if (queries > 0) {
    RECKON_LAUNCH((attention_query_gradient_kernel<T>), row_blocks(queries), attention_threads, queue, op, float(op.score_scale()));
    check_launch("attention_backward");
  }
  if (keys > 0) {
    RECKON_LAUNCH((attention_key_gradient_kernel<T>), row_blocks(keys), attention_threads, queue, op, float(op.score_scale()));
    check_launch("attention_backward");
  }
}

}  // namespace

RECKON_LAUNCHERS(cuda, AttentionForward, attention_forward)
RECKON_LAUNCHERS(cuda, AttentionBackward, attention_backward)

}  // namespace reckon
