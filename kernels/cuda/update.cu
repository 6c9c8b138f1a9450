// Launchers of SGD, LAMB, the sum of squares and casts on CUDA.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/update.cuh"

namespace reckon {
namespace {

template <class Body>
void launch_update(const char* name, std::int64_t count, const Body& body, Stream stream) {
  if (count == 0) return;
  const auto queue = static_cast<cudaStream_t>(stream.handle);
  RECKON_LAUNCH((update_kernel), grid_for((count + update_threads - 1) / update_threads, std::int64_t(1) << 30), update_threads, queue,
                count, body);
  check_launch(name);
}

template <class T, class G>
void sgd(const Sgd<T, G>& op, Stream stream) {
  launch_update("sgd", op.count,
                SgdBody<T, G>{op, float(op.learning_rate), float(op.momentum_factor), float(op.weight_decay), float(op.gradient_scale)},
                stream);
}

template <class T, class G>
void lamb_moments(const LambMoments<T, G>& op, Stream stream) {
  const double step = double(op.step);
  const LambFactors k{float(op.beta1),
                      float(1 - op.beta1),
                      float(op.beta2),
                      float(1 - op.beta2),
                      float(1 / (1 - std::pow(op.beta1, step))),
                      float(1 / std::sqrt(1 - std::pow(op.beta2, step))),
                      float(op.epsilon),
                      float(op.weight_decay),
                      float(op.gradient_scale)};
  const std::int64_t chunks = row_chunks(op.count);
  double* partial = static_cast<double*>(op.workspace);
  if (chunks > 0) {
    RECKON_LAUNCH((lamb_moments_kernel<T, G>), grid_for(chunks, 1 << 20), update_threads, static_cast<cudaStream_t>(stream.handle), op, k,
                  chunks, partial);
    check_launch("lamb_moments");
  }
  launch_update("lamb_moments", 2, ChunkSumBody{chunks, 2, partial, op.norms}, stream);
}

template <class T>
void lamb_apply(const LambApply<T>& op, Stream stream) {
  launch_update("lamb_apply", op.count, LambApplyBody<T>{op}, stream);
}

template <class T>
void sum_of_squares(const SumOfSquares<T>& op, Stream stream) {
  const std::int64_t chunks = row_chunks(op.count);
  double* partial = static_cast<double*>(op.workspace);
  if (chunks > 0) {
    RECKON_LAUNCH((squares_kernel<T>), grid_for(chunks, 1 << 20), update_threads, static_cast<cudaStream_t>(stream.handle), op, chunks,
                  partial);
    check_launch("sum_of_squares");
  }
  launch_update("sum_of_squares", 1, ChunkSumBody{chunks, 1, partial, op.result}, stream);
}

template <class T>
void narrow_elements(const Narrow<T>& op, Stream stream) {
  launch_update("narrow", op.count, NarrowBody<T>{op}, stream);
}

template <class T>
void widen_elements(const Widen<T>& op, Stream stream) {
  launch_update("widen", op.count, WidenBody<T>{op}, stream);
}

}  // namespace

RECKON_PAIR_LAUNCHERS(cuda, Sgd, sgd)
RECKON_PAIR_LAUNCHERS(cuda, LambMoments, lamb_moments)
RECKON_LAUNCHERS(cuda, LambApply, lamb_apply)
RECKON_LAUNCHERS(cuda, SumOfSquares, sum_of_squares)
RECKON_LAUNCHERS(cuda, Narrow, narrow_elements)
RECKON_LAUNCHERS(cuda, Widen, widen_elements)

}  // namespace reckon
