// Launchers of attention on CUDA.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/attention.cuh"
#include "kernels/cuda/launch.hpp"

namespace reckon {
namespace {

constexpr std::int64_t rows_in_block = attention_threads / 32, most_warp_blocks = std::int64_t(1) << 30;

unsigned row_blocks(std::int64_t rows) { return grid_for((rows + rows_in_block - 1) / rows_in_block, most_warp_blocks); }

template <class T>
void attention_forward(const AttentionForward<T>& op, Stream stream) {
  const std::int64_t rows = op.batch * op.heads * op.seq_q;
  if (rows == 0) return;
  require(op.head_dim <= largest_head_dim, "attention on CUDA over a head_dim above 256");
  const auto queue = static_cast<cudaStream_t>(stream.handle);
  RECKON_LAUNCH((attention_forward_kernel<T>), row_blocks(rows), attention_threads, queue, op, float(op.score_scale()));
  check_launch("attention_forward");
}

template <class T>
void attention_backward(const AttentionBackward<T>& op, Stream stream) {
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
