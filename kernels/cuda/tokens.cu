// Launchers of the ops around the products on CUDA.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/tokens.cuh"

namespace reckon {
namespace {

constexpr std::int64_t most_token_blocks = std::int64_t(1) << 30;

cudaStream_t queue_of(Stream stream) { return static_cast<cudaStream_t>(stream.handle); }

template <class Body>
void launch_each(const char* name, std::int64_t count, const Body& body, Stream stream) {
  if (count == 0) return;
  RECKON_LAUNCH((each_kernel), grid_for((count + token_threads - 1) / token_threads, most_token_blocks), token_threads, queue_of(stream),
                count, body);
  check_launch(name);
}

template <class T>
void softmax_forward(const SoftmaxForward<T>& op, Stream stream) {
  if (op.rows == 0 || op.columns == 0) return;
  RECKON_LAUNCH((softmax_forward_kernel<T>), grid_for(op.rows, most_token_blocks), token_threads, queue_of(stream), op, float(op.scale));
  check_launch("softmax_forward");
}

template <class T>
void softmax_backward(const SoftmaxBackward<T>& op, Stream stream) {
  if (op.rows == 0 || op.columns == 0) return;
  RECKON_LAUNCH((softmax_backward_kernel<T>), grid_for(op.rows, most_token_blocks), token_threads, queue_of(stream), op, float(op.scale));
  check_launch("softmax_backward");
}

template <class T>
void cross_entropy_forward(const CrossEntropyForward<T>& op, Stream stream) {
  if (op.rows == 0) return;
  RECKON_LAUNCH((cross_entropy_forward_kernel<T>), grid_for(op.rows, most_token_blocks), token_threads, queue_of(stream), op);
  check_launch("cross_entropy_forward");
}

template <class T>
void cross_entropy_backward(const CrossEntropyBackward<T>& op, Stream stream) {
  launch_each("cross_entropy_backward", op.rows * op.columns, CrossEntropyBackwardBody<T>{op, float(op.scale)}, stream);
}

template <class T>
void embedding_forward(const EmbeddingForward<T>& op, Stream stream) {
  launch_each("embedding_forward", op.tokens * op.columns, EmbeddingForwardBody<T>{op}, stream);
}

template <class T>
void embedding_backward(const EmbeddingBackward<T>& op, Stream stream) {
  if (op.tokens == 0 || op.table_rows == 0) return;
  RECKON_LAUNCH((embedding_backward_kernel<T>), grid_for(op.table_rows, most_token_blocks), token_threads, queue_of(stream), op);
  check_launch("embedding_backward");
}

template <class T>
void rotary(const Rotary<T>& op, Stream stream) {
  launch_each("rotary", op.tokens * op.heads * (op.head_dim / 2), RotaryBody<T>{op}, stream);
}

template <class T>
void router_forward(const RouterForward<T>& op, Stream stream) {
  launch_each("router_forward", op.tokens, RouterForwardBody<T>{op}, stream);
}

template <class T>
void router_backward(const RouterBackward<T>& op, Stream stream) {
  launch_each("router_backward", op.tokens, RouterBackwardBody<T>{op}, stream);
}

template <class T>
void gather_rows(const GatherRows<T>& op, Stream stream) {
  launch_each("gather_rows", op.rows * op.columns, GatherBody<T>{op}, stream);
}

template <class T>
void combine_rows(const CombineRows<T>& op, Stream stream) {
  launch_each("combine_rows", op.tokens * op.columns, CombineBody<T>{op}, stream);
}

template <class T>
void combine_rows_backward(const CombineRowsBackward<T>& op, Stream stream) {
  if (op.tokens == 0) return;
  RECKON_LAUNCH((combine_backward_kernel<T>), grid_for(op.tokens * op.top_k, most_token_blocks), token_threads, queue_of(stream), op);
  check_launch("combine_rows_backward");
}

template <class T>
void bias_add(const BiasAdd<T>& op, Stream stream) {
  launch_each("bias_add", op.rows * op.columns, BiasBody<T>{op}, stream);
}

template <class T>
void bias_backward(const BiasBackward<T>& op, Stream stream) {
  const std::int64_t chunks = row_chunks(op.rows);
  float* partial = static_cast<float*>(op.workspace);
  launch_each("bias_backward", chunks * op.columns, BiasChunkBody<T>{op, chunks, partial}, stream);
  launch_each("bias_backward", op.columns, BiasSumBody<T>{op, chunks, partial}, stream);
}

}  // namespace

RECKON_LAUNCHERS(cuda, SoftmaxForward, softmax_forward)
RECKON_LAUNCHERS(cuda, SoftmaxBackward, softmax_backward)
RECKON_LAUNCHERS(cuda, CrossEntropyForward, cross_entropy_forward)
RECKON_LAUNCHERS(cuda, CrossEntropyBackward, cross_entropy_backward)
RECKON_LAUNCHERS(cuda, EmbeddingForward, embedding_forward)
RECKON_LAUNCHERS(cuda, EmbeddingBackward, embedding_backward)
RECKON_LAUNCHERS(cuda, Rotary, rotary)
RECKON_LAUNCHERS(cuda, RouterForward, router_forward)
RECKON_LAUNCHERS(cuda, RouterBackward, router_backward)
RECKON_LAUNCHERS(cuda, GatherRows, gather_rows)
RECKON_LAUNCHERS(cuda, CombineRows, combine_rows)
RECKON_LAUNCHERS(cuda, CombineRowsBackward, combine_rows_backward)
RECKON_LAUNCHERS(cuda, BiasAdd, bias_add)
RECKON_LAUNCHERS(cuda, BiasBackward, bias_backward)

}  // namespace reckon
