// Element-wise kernels: each op is a body that computes N neighbours; one kernel walks them over the array.
//
// Work: see the ops' work().  Idea: one 16-byte access an operand and thread; enough blocks in flight hide the latency.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/cuda/pack.cuh"
#include "kernels/op/activation.hpp"
#include "kernels/op/adamw.hpp"
#include "kernels/op/memory.hpp"

namespace reckon {

inline constexpr int elementwise_threads = 256;

/// `body.template apply<N>(i)` computes elements [i, i + N).  The tail that does not fill N is done one by one by the first block.
template <int N, class Body>
__global__ void elementwise_kernel(std::int64_t count, Body body) {
  const std::int64_t stride = std::int64_t(gridDim.x) * blockDim.x * N;
  for (std::int64_t i = (std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x) * N; i + N <= count; i += stride) body.template apply<N>(i);
  if constexpr (N > 1) {
    if (blockIdx.x == 0 && threadIdx.x < count % N) body.template apply<1>(count - count % N + threadIdx.x);
  }
}

template <class T>
struct AddBody {
  const T* a;
  const T* b;
  T* out;
  template <int N>
  __device__ void apply(std::int64_t i) const {
    const auto left = load_pack<N>(a + i), right = load_pack<N>(b + i);
    Pack<T, N> sum;
    for (int j = 0; j < N; ++j) sum.value[j] = narrow<T>(widen(left.value[j]) + widen(right.value[j]));
    store_pack(out + i, sum);
  }
};

template <class T>
struct CopyBody {
  const T* x;
  T* out;
  template <int N>
  __device__ void apply(std::int64_t i) const {
    store_pack(out + i, load_pack<N>(x + i));
  }
};

/// c = beta c: what is left of a product over nothing.
template <class T>
struct ScaleBody {
  T* c;
  float beta;
  template <int N>
  __device__ void apply(std::int64_t i) const {
    Pack<T, N> result;
    if (beta == 0.0f) {
      for (int j = 0; j < N; ++j) result.value[j] = narrow<T>(0.0f);
    } else {
      result = load_pack<N>(c + i);
      for (int j = 0; j < N; ++j) result.value[j] = narrow<T>(beta * widen(result.value[j]));
    }
    store_pack(c + i, result);
  }
};

__device__ inline float device_sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

/// 2 u of GELU's tanh form: out = x sigmoid(2 u).
__device__ inline float device_gelu_logit(float x) { return 2.0f * float(gelu_scale) * (x + float(gelu_cubic) * x * x * x); }

template <class T>
struct GeluForwardBody {
  const T* x;
  T* out;
  template <int N>
  __device__ void apply(std::int64_t i) const {
    const auto in = load_pack<N>(x + i);
    Pack<T, N> result;
    for (int j = 0; j < N; ++j) {
      const float value = widen(in.value[j]);
      result.value[j] = narrow<T>(value * device_sigmoid(device_gelu_logit(value)));
    }
    store_pack(out + i, result);
  }
};

template <class T>
struct GeluBackwardBody {
  const T* x;
  const T* dout;
  T* dx;
  template <int N>
  __device__ void apply(std::int64_t i) const {
    const auto in = load_pack<N>(x + i), gradient = load_pack<N>(dout + i);
    Pack<T, N> result;
    for (int j = 0; j < N; ++j) {
      const float value = widen(in.value[j]), logit = device_gelu_logit(value);
      const float s = device_sigmoid(logit), rest = device_sigmoid(-logit);
      const float slope = float(gelu_scale) * (1.0f + 3.0f * float(gelu_cubic) * value * value);
      result.value[j] = narrow<T>(widen(gradient.value[j]) * (s + 2.0f * value * s * rest * slope));
    }
    store_pack(dx + i, result);
  }
};

template <class T, class G>
struct AdamWBody {
  AdamWCoefficients<float> k;
  const G* gradient;
  float* master;
  float* first;
  float* second;
  T* weight;  // may be null
  template <int N>
  __device__ void apply(std::int64_t i) const {
    const auto g_pack = load_pack<N>(gradient + i);
    auto w = load_pack<N>(master + i), m = load_pack<N>(first + i), v = load_pack<N>(second + i);
    for (int j = 0; j < N; ++j) {
      const float g = k.gradient_scale * widen(g_pack.value[j]);
      m.value[j] = k.beta1 * m.value[j] + k.one_minus_beta1 * g;
      v.value[j] = k.beta2 * v.value[j] + k.one_minus_beta2 * g * g;
      w.value[j] = k.decay * w.value[j] - k.step_size * m.value[j] / (sqrtf(v.value[j]) * k.rsqrt_correction2 + k.epsilon);
    }
    store_pack(first + i, m);
    store_pack(second + i, v);
    store_pack(master + i, w);
    if (weight != nullptr) {
      Pack<T, N> rounded;
      for (int j = 0; j < N; ++j) rounded.value[j] = narrow<T>(w.value[j]);
      store_pack(weight + i, rounded);
    }
  }
};

/// out, (rows, columns): blockIdx.y walks rows, blockIdx.x the row's packs.  N divides columns and stride, or is 1.
template <int N, class T>
__global__ void swiglu_forward_kernel(SwigluForward<T> op) {
  for (std::int64_t row = blockIdx.y; row < op.rows; row += gridDim.y) {
    for (std::int64_t c = (std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x) * N; c < op.columns; c += std::int64_t(gridDim.x) * blockDim.x * N) {
      const auto gate = load_pack<N>(op.gate + row * op.stride + c), up = load_pack<N>(op.up + row * op.stride + c);
      Pack<T, N> result;
      for (int j = 0; j < N; ++j) {
        const float g = widen(gate.value[j]);
        result.value[j] = narrow<T>(g * device_sigmoid(g) * widen(up.value[j]));
      }
      store_pack(op.out + row * op.columns + c, result);
    }
  }
}

template <int N, class T>
__global__ void swiglu_backward_kernel(SwigluBackward<T> op) {
  for (std::int64_t row = blockIdx.y; row < op.rows; row += gridDim.y) {
    for (std::int64_t c = (std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x) * N; c < op.columns; c += std::int64_t(gridDim.x) * blockDim.x * N) {
      const std::int64_t in = row * op.stride + c;
      const auto gate = load_pack<N>(op.gate + in), up = load_pack<N>(op.up + in), dout = load_pack<N>(op.dout + row * op.columns + c);
      Pack<T, N> dgate, dup;
      for (int j = 0; j < N; ++j) {
        const float g = widen(gate.value[j]), d = widen(dout.value[j]), s = device_sigmoid(g);
        dgate.value[j] = narrow<T>(d * widen(up.value[j]) * s * (1.0f + g * device_sigmoid(-g)));
        dup.value[j] = narrow<T>(d * g * s);
      }
      store_pack(op.dgate + in, dgate);
      store_pack(op.dup + in, dup);
    }
  }
}

}  // namespace reckon
