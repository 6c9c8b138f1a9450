// Kernels of SGD, LAMB, the sum of squares and casts.
//
// Work: see kernels/op/update.hpp.  Reference: kernels/reference/update.cpp.  Idea: a thread an element; sums in double by fixed chunks, a
// block each, added in their order by one thread: the same bits every time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/cuda/pack.cuh"
#include "kernels/op/update.hpp"

namespace reckon {

inline constexpr int update_threads = 256;

/// The sum of `value` over a block of update_threads, in a fixed order; valid in thread 0.
__device__ inline double block_sum_double(double value, double* shared) {
  __syncthreads();
  shared[threadIdx.x] = value;
  __syncthreads();
  for (unsigned half = update_threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    __syncthreads();
  }
  return shared[0];
}

template <class Body>
__global__ void update_kernel(std::int64_t count, Body body) {
  const std::int64_t stride = std::int64_t(gridDim.x) * blockDim.x;
  for (std::int64_t i = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) body(i);
}

template <class T, class G>
struct SgdBody {
  Sgd<T, G> op;
  float rate, factor, decay, scale;
  __device__ void operator()(std::int64_t i) const {
    const float momentum = factor * op.momentum[i] + scale * widen(op.gradient[i]) + decay * op.master[i],
                master = op.master[i] - rate * momentum;
    op.momentum[i] = momentum;
    op.master[i] = master;
    if (op.weight != nullptr) op.weight[i] = narrow<T>(master);
  }
};

struct LambFactors {
  float beta1, one_minus_beta1, beta2, one_minus_beta2, correction1, rsqrt_correction2, epsilon, decay, scale;
};

/// A block a chunk: moments, updates and the chunk's two sums.
template <class T, class G>
__global__ void lamb_moments_kernel(LambMoments<T, G> op, LambFactors k, std::int64_t chunks, double* partial) {
  __shared__ double shared[update_threads];
  for (std::int64_t chunk = blockIdx.x; chunk < chunks; chunk += gridDim.x) {
    double weights = 0, updates = 0;
    for (std::int64_t i = chunk * op.count / chunks + threadIdx.x; i < (chunk + 1) * op.count / chunks; i += blockDim.x) {
      const float g = k.scale * widen(op.gradient[i]), master = op.master[i];
      const float m = k.beta1 * op.first_moment[i] + k.one_minus_beta1 * g, v = k.beta2 * op.second_moment[i] + k.one_minus_beta2 * g * g;
      const float update = k.correction1 * m / (sqrtf(v) * k.rsqrt_correction2 + k.epsilon) + k.decay * master;
      op.first_moment[i] = m;
      op.second_moment[i] = v;
      op.update[i] = update;
      weights += double(master) * double(master);
      updates += double(update) * double(update);
    }
    const double all_weights = block_sum_double(weights, shared), all_updates = block_sum_double(updates, shared);
    if (threadIdx.x == 0) {
      partial[2 * chunk] = all_weights;
      partial[2 * chunk + 1] = all_updates;
    }
  }
}

template <class T>
__global__ void squares_kernel(SumOfSquares<T> op, std::int64_t chunks, double* partial) {
  __shared__ double shared[update_threads];
  for (std::int64_t chunk = blockIdx.x; chunk < chunks; chunk += gridDim.x) {
    double sum = 0;
    for (std::int64_t i = chunk * op.count / chunks + threadIdx.x; i < (chunk + 1) * op.count / chunks; i += blockDim.x)
      sum += double(widen(op.x[i])) * double(widen(op.x[i]));
    const double all = block_sum_double(sum, shared);
    if (threadIdx.x == 0) partial[chunk] = all;
  }
}

/// result[j] = sum over chunks of partial[chunk width + j], j < width.
struct ChunkSumBody {
  std::int64_t chunks, width;
  const double* partial;
  double* result;
  __device__ void operator()(std::int64_t j) const {
    double sum = 0;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) sum += partial[chunk * width + j];
    result[j] = sum;
  }
};

template <class T>
struct LambApplyBody {
  LambApply<T> op;
  __device__ void operator()(std::int64_t i) const {
    const double ratio = op.norms[0] > 0 && op.norms[1] > 0 ? sqrt(op.norms[0] / op.norms[1]) : 1.0;
    const float master = op.master[i] - float(op.learning_rate * ratio) * op.update[i];
    op.master[i] = master;
    if (op.weight != nullptr) op.weight[i] = narrow<T>(master);
  }
};

template <class T>
struct NarrowBody {
  Narrow<T> op;
  __device__ void operator()(std::int64_t i) const { op.out[i] = narrow<T>(op.scale * op.x[i]); }
};
template <class T>
struct WidenBody {
  Widen<T> op;
  __device__ void operator()(std::int64_t i) const { op.out[i] = widen(op.x[i]); }
};

}  // namespace reckon
