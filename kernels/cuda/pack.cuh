// Several neighbouring elements as one memory access, and sums over a block: what all memory-bound kernels are made of.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/element.hpp"

namespace reckon {

/// N neighbours.  16 bytes of them are what one thread can load at once.
template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T value[N];
};

/// Elements of T in 16 bytes.
template <class T>
inline constexpr int widest = 16 / sizeof(T);

namespace detail {
template <int bytes>
struct Raw;
template <>
struct Raw<16> {
  using Type = uint4;
};
template <>
struct Raw<8> {
  using Type = uint2;
};
template <>
struct Raw<4> {
  using Type = unsigned;
};
template <>
struct Raw<2> {
  using Type = unsigned short;
};
}  // namespace detail

/// One access of sizeof(Pack) bytes; the address must lie on that boundary.
template <int N, class T>
__device__ inline Pack<T, N> load_pack(const T* address) {
  using Raw = typename detail::Raw<sizeof(Pack<T, N>)>::Type;
  const Raw raw = *reinterpret_cast<const Raw*>(address);
  Pack<T, N> pack;
  memcpy(&pack, &raw, sizeof pack);
  return pack;
}

template <int N, class T>
__device__ inline void store_pack(T* address, const Pack<T, N>& pack) {
  using Raw = typename detail::Raw<sizeof(Pack<T, N>)>::Type;
  Raw raw;
  memcpy(&raw, &pack, sizeof pack);
  *reinterpret_cast<Raw*>(address) = raw;
}

inline constexpr unsigned lanes = 32, all_lanes = 0xffffffffu;

/// The sum of `value` over the block, the same in every thread, in a fixed order.  blockDim.x is a multiple of 32; `shared` holds 32 floats.
/// Every thread of the block calls it.
__device__ inline float block_sum(float value, float* shared) {
  for (unsigned distance = lanes / 2; distance > 0; distance /= 2) value += __shfl_xor_sync(all_lanes, value, distance);
  if (blockDim.x == lanes) return value;
  const unsigned lane = threadIdx.x % lanes, warp = threadIdx.x / lanes, warps = blockDim.x / lanes;
  __syncthreads();  // the last sum has been read
  if (lane == 0) shared[warp] = value;
  __syncthreads();
  value = lane < warps ? shared[lane] : 0.0f;
  for (unsigned distance = lanes / 2; distance > 0; distance /= 2) value += __shfl_xor_sync(all_lanes, value, distance);
  return value;
}

}  // namespace reckon
