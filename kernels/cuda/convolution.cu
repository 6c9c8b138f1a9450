// Convolution on CUDA: patches gathered 16 bytes at a time, products through cuBLASLt, gradients gathered back by the pixel: no atomics.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/convolution_products.hpp"

#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/pack.cuh"

namespace reckon {

inline constexpr int convolution_threads = 256;

/// A thread a pack of N channels of one place of one patch.  N divides in_channels.
template <int N, class T>
__global__ void gather_patches_kernel(ConvolutionShape s, const T* x, T* patches) {
  const std::int64_t packs = s.in_channels / N, places = s.kernel_height * s.kernel_width, count = s.batch * s.out_pixels() * places * packs;
  for (std::int64_t at = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x; at < count; at += std::int64_t(gridDim.x) * blockDim.x) {
    const std::int64_t c = at % packs * N, place = at / packs % places, pixel = at / packs / places;
    const std::int64_t b = pixel / s.out_pixels(), i = pixel % s.out_pixels() / s.out_width(), j = pixel % s.out_width();
    const std::int64_t row = i * s.stride + place / s.kernel_width - s.padding, column = j * s.stride + place % s.kernel_width - s.padding;
    Pack<T, N> value;
    if (row >= 0 && row < s.in_height && column >= 0 && column < s.in_width) {
      value = load_pack<N>(x + ((b * s.in_height + row) * s.in_width + column) * s.in_channels + c);
    } else {
      for (int n = 0; n < N; ++n) value.value[n] = narrow<T>(0.0f);
    }
    store_pack(patches + at * N, value);
  }
}

/// A thread N channels of one input pixel: it sums what the patches over the pixel hold for it, in the order of the kernel's places.
template <int N, class T>
__global__ void scatter_patches_kernel(ConvolutionShape s, const float* patches, T* dx) {
  const std::int64_t packs = s.in_channels / N, count = s.batch * s.in_pixels() * packs;
  for (std::int64_t at = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x; at < count; at += std::int64_t(gridDim.x) * blockDim.x) {
    const std::int64_t c = at % packs * N, pixel = at / packs, b = pixel / s.in_pixels(), row = pixel % s.in_pixels() / s.in_width,
                       column = pixel % s.in_width;
    float sum[N];
    for (int n = 0; n < N; ++n) sum[n] = 0.0f;
    for (std::int64_t u = 0; u < s.kernel_height; ++u) {
      const std::int64_t down = row + s.padding - u;
      if (down < 0 || down % s.stride != 0 || down / s.stride >= s.out_height()) continue;
      for (std::int64_t v = 0; v < s.kernel_width; ++v) {
        const std::int64_t across = column + s.padding - v;
        if (across < 0 || across % s.stride != 0 || across / s.stride >= s.out_width()) continue;
        const std::int64_t from = b * s.out_pixels() + down / s.stride * s.out_width() + across / s.stride;
        const auto part = load_pack<N>(patches + from * s.patch() + (u * s.kernel_width + v) * s.in_channels + c);
        for (int n = 0; n < N; ++n) sum[n] += part.value[n];
      }
    }
    Pack<T, N> result;
    for (int n = 0; n < N; ++n) result.value[n] = narrow<T>(sum[n]);
    store_pack(dx + pixel * s.in_channels + c, result);
  }
}

namespace {

constexpr std::int64_t most_convolution_blocks = std::int64_t(1) << 30;

unsigned convolution_grid(std::int64_t packs) {
  return grid_for((packs + convolution_threads - 1) / convolution_threads, most_convolution_blocks);
}

template <class T>
auto gathering(Stream stream) {
  return [stream](const ConvolutionShape& s, const T* x, T* patches) {
    const auto queue = static_cast<cudaStream_t>(stream.handle);
    const std::int64_t values = s.batch * s.out_pixels() * s.patch();
    if (s.in_channels % widest<T> == 0 && all_aligned(16, x, patches)) {
      RECKON_LAUNCH((gather_patches_kernel<widest<T>, T>), convolution_grid(values / widest<T>), convolution_threads, queue, s, x, patches);
    } else {
      RECKON_LAUNCH((gather_patches_kernel<1, T>), convolution_grid(values), convolution_threads, queue, s, x, patches);
    }
    check_launch("convolution_gather");
  };
}

template <class T>
void convolution_forward(const ConvolutionForward<T>& op, Stream stream) {
  convolution_forward_by_products<Backend::cuda>(op, stream, gathering<T>(stream));
}

template <class T>
void convolution_input_gradient(const ConvolutionInputGradient<T>& op, Stream stream) {
  convolution_input_gradient_by_products<Backend::cuda>(op, stream, [stream](const ConvolutionShape& s, const float* patches, T* dx) {
    const auto queue = static_cast<cudaStream_t>(stream.handle);
    const std::int64_t values = s.batch * s.in_pixels() * s.in_channels;
    if (s.in_channels % 4 == 0 && all_aligned(16, patches, dx)) {
      RECKON_LAUNCH((scatter_patches_kernel<4, T>), convolution_grid(values / 4), convolution_threads, queue, s, patches, dx);
    } else {
      RECKON_LAUNCH((scatter_patches_kernel<1, T>), convolution_grid(values), convolution_threads, queue, s, patches, dx);
    }
    check_launch("convolution_scatter");
  });
}

template <class T>
void convolution_weight_gradient(const ConvolutionWeightGradient<T>& op, Stream stream) {
  convolution_weight_gradient_by_products<Backend::cuda>(op, stream, gathering<T>(stream));
}

}  // namespace

RECKON_LAUNCHERS(cuda, ConvolutionForward, convolution_forward)
RECKON_LAUNCHERS(cuda, ConvolutionInputGradient, convolution_input_gradient)
RECKON_LAUNCHERS(cuda, ConvolutionWeightGradient, convolution_weight_gradient)

}  // namespace reckon
