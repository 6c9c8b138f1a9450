// Convolution as products over gathered patches: what the fast backends share.  A backend gives the gathering of patches and its reverse.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/convolution.hpp"
#include "kernels/op/matmul.hpp"

namespace reckon {

/// Images [first, first + count) of a shape.
inline ConvolutionShape images_of(ConvolutionShape shape, std::int64_t count) {
  shape.batch = count;
  return shape;
}

/// Calls each(first, count) for runs of images whose patches fit in the room.
template <class Each>
void for_each_image_run(const ConvolutionShape& shape, std::size_t element, const Each& each) {
  const std::int64_t most = shape.pointwise() ? shape.batch : shape.images_at_once(element);
  for (std::int64_t first = 0; first < shape.batch; first += most) each(first, first + most < shape.batch ? most : shape.batch - first);
}

/// `gather(shape, x, patches)` writes the patches of all of a shape's images: (batch out_pixels, patch).
template <Backend B, class T, class Gather>
void convolution_forward_by_products(const ConvolutionForward<T>& op, Stream stream, const Gather& gather) {
  if (op.out_pixels() == 0) return;
  for_each_image_run(op, sizeof(T), [&](std::int64_t first, std::int64_t count) {
    const T* x = op.x + first * op.in_pixels() * op.in_channels;
    T* patches = static_cast<T*>(op.workspace);
    if (!op.pointwise()) gather(images_of(op, count), x, patches);
    launch<B>(Matmul<T>{.m = count * op.out_pixels(),
                        .n = op.out_channels,
                        .k = op.patch(),
                        .transpose_b = true,
                        .a = op.pointwise() ? x : patches,
                        .b = op.weight,
                        .c = op.y + first * op.out_pixels() * op.out_channels},
              stream);
  });
}

/// `scatter(shape, dpatches, dx)` sums what the patches give each pixel.  dpatches are fp32: they are rounded once, after the sum.
template <Backend B, class T, class Scatter>
void convolution_input_gradient_by_products(const ConvolutionInputGradient<T>& op, Stream stream, const Scatter& scatter) {
  if (op.in_pixels() == 0) return;
  for_each_image_run(op, sizeof(float), [&](std::int64_t first, std::int64_t count) {
    T* dx = op.dx + first * op.in_pixels() * op.in_channels;
    float* patches = static_cast<float*>(op.workspace);
    const T* dy = op.dy + first * op.out_pixels() * op.out_channels;
    if (op.pointwise()) {
      launch<B>(Matmul<T>{.m = count * op.out_pixels(), .n = op.patch(), .k = op.out_channels, .a = dy, .b = op.weight, .c = dx}, stream);
      return;
    }
    if (op.out_pixels() > 0) {
      launch<B>(
          Matmul<T, float>{.m = count * op.out_pixels(), .n = op.patch(), .k = op.out_channels, .a = dy, .b = op.weight, .c = patches},
          stream);
    }
    scatter(images_of(op, count), patches, dx);
  });
}

template <Backend B, class T, class Gather>
void convolution_weight_gradient_by_products(const ConvolutionWeightGradient<T>& op, Stream stream, const Gather& gather) {
  const auto product = [&](const T* dy, const T* patches, std::int64_t rows, bool add) {
    launch<B>(Matmul<T, float>{.m = op.out_channels,
                               .n = op.patch(),
                               .k = rows,
                               .transpose_a = true,
                               .beta = add ? 1.0 : 0.0,
                               .a = dy,
                               .b = patches,
                               .c = op.dweight},
              stream);
  };
  if (op.batch * op.out_pixels() == 0) return product(op.dy, op.x, 0, op.accumulate);
  for_each_image_run(op, sizeof(T), [&](std::int64_t first, std::int64_t count) {
    const T* x = op.x + first * op.in_pixels() * op.in_channels;
    T* patches = static_cast<T*>(op.workspace);
    if (!op.pointwise()) gather(images_of(op, count), x, patches);
    product(op.dy + first * op.out_pixels() * op.out_channels, op.pointwise() ? x : patches, count * op.out_pixels(),
            op.accumulate || first > 0);
  });
}

}  // namespace reckon
