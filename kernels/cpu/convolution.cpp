// Convolution on the CPU: patches are gathered by runs of channels, the products do the rest.
// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "kernels/cpu/vector.hpp"
#include "kernels/op/convolution_products.hpp"

namespace reckon {
namespace {

/// The row of patches below one output pixel: for each place of the kernel a run of channels, or zeros outside the image.
template <class T>
void gather_patch(const ConvolutionShape& s, const T* image, std::int64_t i, std::int64_t j, T* patch) {
  for (std::int64_t u = 0; u < s.kernel_height; ++u) {
    const std::int64_t row = i * s.stride + u - s.padding;
    for (std::int64_t v = 0; v < s.kernel_width; ++v, patch += s.in_channels) {
      const std::int64_t column = j * s.stride + v - s.padding;
      const bool inside = row >= 0 && row < s.in_height && column >= 0 && column < s.in_width;
      const std::size_t size = std::size_t(s.in_channels) * sizeof(T);
      if (inside) {
        std::memcpy(patch, image + (row * s.in_width + column) * s.in_channels, size);
      } else {
        std::memset(static_cast<void*>(patch), 0, size);
      }
    }
  }
}

template <class T>
void gather(const ConvolutionShape& s, const T* x, T* patches) {
  const std::int64_t width = s.out_width(), pixels = s.out_pixels();
  for_each_piece(s.batch * pixels, rows_in_piece(s.patch()), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t at = first; at < last; ++at) {
      const T* image = x + at / pixels * s.in_pixels() * s.in_channels;
      gather_patch(s, image, at % pixels / width, at % width, patches + at * s.patch());
    }
  });
}

RECKON_CLONES void add_run(const float* from, float* to, std::int64_t count) {
#pragma omp simd
  for (std::int64_t c = 0; c < count; ++c) to[c] += from[c];
}
template <class T>
RECKON_CLONES void round_run(const float* from, T* to, std::int64_t count) {
#pragma omp simd
  for (std::int64_t c = 0; c < count; ++c) to[c] = narrow<T>(from[c]);
}

/// Each input pixel sums what the patches over it hold for it, in the order of the kernel's places.
template <class T>
void scatter(const ConvolutionShape& s, const float* patches, T* dx) {
  const std::int64_t channels = s.in_channels;
  for_each_piece(s.batch * s.in_height, 1, [&](std::int64_t line, std::int64_t) {
    const std::int64_t b = line / s.in_height, row = line % s.in_height;
    std::unique_ptr<float[]> sum(new float[std::size_t(channels)]);
    for (std::int64_t column = 0; column < s.in_width; ++column) {
      std::fill_n(sum.get(), channels, 0.0f);
      for (std::int64_t u = 0; u < s.kernel_height; ++u) {
        const std::int64_t down = row + s.padding - u;
        if (down < 0 || down % s.stride != 0 || down / s.stride >= s.out_height()) continue;
        for (std::int64_t v = 0; v < s.kernel_width; ++v) {
          const std::int64_t across = column + s.padding - v;
          if (across < 0 || across % s.stride != 0 || across / s.stride >= s.out_width()) continue;
          const std::int64_t pixel = b * s.out_pixels() + down / s.stride * s.out_width() + across / s.stride;
          add_run(patches + pixel * s.patch() + (u * s.kernel_width + v) * channels, sum.get(), channels);
        }
      }
      round_run(sum.get(), dx + (line * s.in_width + column) * channels, channels);
    }
  });
}

template <class T>
void convolution_forward(const ConvolutionForward<T>& op, Stream stream) {
  convolution_forward_by_products<Backend::cpu>(op, stream, gather<T>);
}
template <class T>
void convolution_input_gradient(const ConvolutionInputGradient<T>& op, Stream stream) {
  convolution_input_gradient_by_products<Backend::cpu>(op, stream, scatter<T>);
}
template <class T>
void convolution_weight_gradient(const ConvolutionWeightGradient<T>& op, Stream stream) {
  convolution_weight_gradient_by_products<Backend::cpu>(op, stream, gather<T>);
}

}  // namespace

RECKON_LAUNCHERS(cpu, ConvolutionForward, convolution_forward)
RECKON_LAUNCHERS(cpu, ConvolutionInputGradient, convolution_input_gradient)
RECKON_LAUNCHERS(cpu, ConvolutionWeightGradient, convolution_weight_gradient)

}  // namespace reckon
