// Convolution and its gradients as the formulas read (kernels/op/convolution.hpp).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/convolution.hpp"

#include <vector>

#include "kernels/reference/rounding.hpp"

namespace reckon {
namespace {

/// Calls each(place of an input value, place of a weight, place of an output value) for every product of a convolution.
template <class Each>
void for_each_term(const ConvolutionShape& s, const Each& each) {
  for (std::int64_t b = 0; b < s.batch; ++b) {
    for (std::int64_t i = 0; i < s.out_height(); ++i) {
      for (std::int64_t j = 0; j < s.out_width(); ++j) {
        for (std::int64_t u = 0; u < s.kernel_height; ++u) {
          for (std::int64_t v = 0; v < s.kernel_width; ++v) {
            const std::int64_t row = i * s.stride + u - s.padding, column = j * s.stride + v - s.padding;
            if (row < 0 || row >= s.in_height || column < 0 || column >= s.in_width) continue;
            for (std::int64_t o = 0; o < s.out_channels; ++o) {
              for (std::int64_t c = 0; c < s.in_channels; ++c) {
                each(((b * s.in_height + row) * s.in_width + column) * s.in_channels + c,
                     ((o * s.kernel_height + u) * s.kernel_width + v) * s.in_channels + c,
                     ((b * s.out_height() + i) * s.out_width() + j) * s.out_channels + o);
              }
            }
          }
        }
      }
    }
  }
}

template <class T>
void convolution_forward(const ConvolutionForward<T>& op) {
  std::vector<double> y(std::size_t(op.batch * op.out_pixels() * op.out_channels), 0.0);
  for_each_term(op, [&](std::int64_t in, std::int64_t weight, std::int64_t out) {
    y[std::size_t(out)] += double(widen(op.x[in])) * double(widen(op.weight[weight]));
  });
  for (std::size_t i = 0; i < y.size(); ++i) op.y[i] = rounded<T>(y[i]);
}

template <class T>
void convolution_input_gradient(const ConvolutionInputGradient<T>& op) {
  std::vector<double> dx(std::size_t(op.batch * op.in_pixels() * op.in_channels), 0.0);
  for_each_term(op, [&](std::int64_t in, std::int64_t weight, std::int64_t out) {
    dx[std::size_t(in)] += double(widen(op.dy[out])) * double(widen(op.weight[weight]));
  });
  for (std::size_t i = 0; i < dx.size(); ++i) op.dx[i] = rounded<T>(dx[i]);
}

template <class T>
void convolution_weight_gradient(const ConvolutionWeightGradient<T>& op) {
  std::vector<double> dweight(std::size_t(op.out_channels * op.patch()), 0.0);
  for_each_term(op, [&](std::int64_t in, std::int64_t weight, std::int64_t out) {
    dweight[std::size_t(weight)] += double(widen(op.dy[out])) * double(widen(op.x[in]));
  });
  for (std::size_t i = 0; i < dweight.size(); ++i) {
    op.dweight[i] = Accumulator<T>(dweight[i] + (op.accumulate ? double(op.dweight[i]) : 0.0));
  }
}

}  // namespace

RECKON_REFERENCE(ConvolutionForward, convolution_forward)
RECKON_REFERENCE(ConvolutionInputGradient, convolution_input_gradient)
RECKON_REFERENCE(ConvolutionWeightGradient, convolution_weight_gradient)

}  // namespace reckon
