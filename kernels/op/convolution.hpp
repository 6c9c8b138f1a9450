// Two-dimensional convolution (cross-correlation, as networks use it), forward and both gradients.
//
// Channels last: x: (batch, in_height, in_width, in_channels); weight: (out_channels, kernel_height, kernel_width, in_channels);
// y: (batch, out_height, out_width, out_channels).  Without gaps, dilation or groups.
// Source: Dumoulin, Visin 2016 (arXiv 1603.07285) for the sizes; Chellapilla, Puri, Simard 2006 for the product over gathered patches.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/backend.hpp"

namespace reckon {

struct ConvolutionShape {
  std::int64_t batch = 1, in_channels = 1, out_channels = 1, in_height = 0, in_width = 0, kernel_height = 1, kernel_width = 1, stride = 1,
               padding = 0;

  RECKON_HOST_DEVICE std::int64_t out_height() const { return places(in_height, kernel_height); }
  RECKON_HOST_DEVICE std::int64_t out_width() const { return places(in_width, kernel_width); }
  RECKON_HOST_DEVICE std::int64_t out_pixels() const { return out_height() * out_width(); }  ///< of one image
  RECKON_HOST_DEVICE std::int64_t in_pixels() const { return in_height * in_width; }
  RECKON_HOST_DEVICE std::int64_t patch() const { return kernel_height * kernel_width * in_channels; }  ///< values below one output pixel
  /// Whether patches are the pixels of x themselves.
  bool pointwise() const { return kernel_height == 1 && kernel_width == 1 && stride == 1 && padding == 0; }

  /// Images whose patches are gathered at a time: as many as take 64 MiB, so that the room does not grow with the batch.
  std::int64_t images_at_once(std::size_t element) const {
    const std::int64_t image = out_pixels() * patch() * std::int64_t(element), most = std::int64_t(64) << 20;
    const std::int64_t images = image > 0 ? most / image : batch;
    return images < 1 ? 1 : images < batch ? images : batch;
  }
  std::size_t patches_size(std::size_t element) const {
    return pointwise() ? 0 : std::size_t(images_at_once(element) * out_pixels() * patch()) * element;
  }
  Work shape_work(std::size_t element) const {
    return convolution_work(double(batch), double(out_pixels()), double(in_pixels()), double(in_channels), double(out_channels),
                            kernel_side(), double(element));
  }
  void check_shape(std::size_t workspace, std::size_t needed) const {
    require(batch >= 0 && in_height >= 0 && in_width >= 0 && in_channels >= 1 && out_channels >= 1, "a convolution over a negative size");
    require(kernel_height >= 1 && kernel_width >= 1 && stride >= 1 && padding >= 0, "a convolution without a kernel or a stride");
    require(workspace >= needed, "the workspace of a convolution is too small");
  }

 private:
  RECKON_HOST_DEVICE std::int64_t places(std::int64_t in, std::int64_t kernel) const {
    return in + 2 * padding < kernel ? 0 : (in + 2 * padding - kernel) / stride + 1;
  }
  /// The side of a square kernel of the same area: what the shared formula asks for.
  double kernel_side() const {
    return kernel_height == kernel_width ? double(kernel_height) : __builtin_sqrt(double(kernel_height * kernel_width));
  }
};

/// y[b, i, j, o] = sum over (u, v, c) of x[b, i stride + u - padding, j stride + v - padding, c] weight[o, u, v, c]; x is 0 outside.
template <class T>
struct ConvolutionForward : ConvolutionShape {
  using Element = T;
  const T* x = nullptr;
  const T* weight = nullptr;
  T* y = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;

  std::size_t workspace_size() const { return patches_size(sizeof(T)); }
  Work work() const { return shape_work(sizeof(T)); }
  void check() const { check_shape(workspace_bytes, workspace_size()); }
};

/// dx = the transposed convolution of dy.
template <class T>
struct ConvolutionInputGradient : ConvolutionShape {
  using Element = T;
  const T* dy = nullptr;
  const T* weight = nullptr;
  T* dx = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;

  std::size_t workspace_size() const { return patches_size(sizeof(Accumulator<T>)); }
  Work work() const { return shape_work(sizeof(T)); }
  void check() const { check_shape(workspace_bytes, workspace_size()); }
};

/// dweight[o, u, v, c] = sum over (b, i, j) of dy[b, i, j, o] x[b, i stride + u - padding, ...]; `accumulate` adds to what it held before.
template <class T>
struct ConvolutionWeightGradient : ConvolutionShape {
  using Element = T;
  const T* x = nullptr;
  const T* dy = nullptr;
  Accumulator<T>* dweight = nullptr;
  bool accumulate = false;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;

  std::size_t workspace_size() const { return patches_size(sizeof(T)); }
  Work work() const { return shape_work(sizeof(T)); }
  void check() const { check_shape(workspace_bytes, workspace_size()); }
};

RECKON_OP(ConvolutionForward);
RECKON_OP(ConvolutionInputGradient);
RECKON_OP(ConvolutionWeightGradient);

}  // namespace reckon
