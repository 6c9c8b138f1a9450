// Checks of linear layers with their epilogues, and of convolution.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/convolution.hpp"
#include "kernels/op/linear.hpp"
#include "tests/kernels/check/check_attention.hpp"

namespace reckon::check {

struct LinearShape {
  std::int64_t rows, in, out;
  Activation activation = Activation::none;
  bool biased = true;
};

/// What a sum of n products of elements in [-1, 1) may lose: see check_matmul.
template <class T>
double product_tolerance(double n) {
  return accumulated<T>(n) * (n / 4 + 3 * std::sqrt(n) * 0.22 + 1);
}

inline double silu(double x) { return x / (1 + std::exp(-x)); }

template <class T, class Launch>
Report check_linear_forward(Place& place, LinearShape s, Setting setting, const Launch& launch) {
  const Input<T> x(place, s.rows * s.in, setting, 1), weight(place, s.out * s.in, setting, 2), bias(place, s.out, setting, 3);
  LinearForward<T> op{.rows = s.rows, .in = s.in, .out = s.out, .activation = s.activation};
  const std::int64_t width = op.width();
  Operand<T> hidden(place, std::size_t(s.rows * s.out), setting.offset), active(place, std::size_t(s.rows * width), setting.offset);
  op.x = x.data(), op.weight = weight.data(), op.bias = s.biased ? bias.data() : nullptr, op.hidden = hidden.data();
  op.active = s.activation == Activation::none ? nullptr : active.data();
  launch(op);
  std::vector<double> hidden_ref(hidden.size()), active_ref = active.values();
  LinearForward<double> wide{.rows = s.rows, .in = s.in, .out = s.out, .activation = s.activation};
  wide.x = x.wide.data(), wide.weight = weight.wide.data(), wide.bias = s.biased ? bias.wide.data() : nullptr;
  wide.hidden = hidden_ref.data(), wide.active = active_ref.data();
  reckon::launch<Backend::reference>(wide, {});
  const double lost = product_tolerance<T>(double(s.in));
  std::vector<double> hidden_tolerance(hidden_ref.size()), active_tolerance(active_ref.size(), 0.0);
  const auto bound = [&](double h) { return lost + 2 * roundoff<T>() * (std::abs(h) + 1); };
  for (std::size_t i = 0; i < hidden_ref.size(); ++i) hidden_tolerance[i] = bound(hidden_ref[i]);
  for (std::int64_t i = 0; op.active != nullptr && i < s.rows * width; ++i) {
    const double first = hidden_ref[std::size_t(i / width * s.out + i % width)], own = 16 * roundoff<float>() * std::abs(active_ref[std::size_t(i)]);
    double& tolerance = active_tolerance[std::size_t(i)];
    tolerance = 1.2 * bound(first) + own;
    if (s.activation == Activation::swiglu) {
      const double up = hidden_ref[std::size_t(i / width * s.out + width + i % width)];
      tolerance = 1.2 * bound(first) * (std::abs(up) + bound(up)) + std::abs(silu(first)) * bound(up) + own;
    }
  }
  Report report;
  report.compare("hidden", hidden, hidden_ref, hidden_tolerance);
  report.compare("active", active, active_ref, active_tolerance);
  return report;
}

template <class T, class Launch>
Report check_linear_backward(Place& place, LinearShape s, Setting setting, const Launch& launch) {
  LinearBackward<T> op{.rows = s.rows, .in = s.in, .out = s.out, .activation = s.activation};
  const std::int64_t count = s.rows * op.stride();
  const Input<T> dy(place, s.rows * s.out, setting, 1), weight(place, s.out * s.in, setting, 2), hidden(place, count, setting, 3, 3.0);
  Operand<T> dhidden(place, std::size_t(count), setting.offset);
  op.dy = dy.data(), op.weight = weight.data(), op.hidden = hidden.data(), op.dhidden = dhidden.data();
  launch(op);
  std::vector<double> expected(static_cast<std::size_t>(count)), dactive(std::size_t(s.rows * s.in));
  LinearBackward<double> wide{.rows = s.rows, .in = s.in, .out = s.out, .activation = s.activation};
  wide.dy = dy.wide.data(), wide.weight = weight.wide.data(), wide.hidden = hidden.wide.data(), wide.dhidden = expected.data();
  reckon::launch<Backend::reference>(wide, {});
  wide.activation = Activation::none;
  wide.dhidden = dactive.data();
  reckon::launch<Backend::reference>(wide, {});
  const double lost = product_tolerance<T>(double(s.out));
  std::vector<double> tolerance(expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::int64_t row = std::int64_t(i) / op.stride(), column = std::int64_t(i) % op.stride();
    const double d = dactive[std::size_t(row * s.in + column % s.in)], error = lost + roundoff<T>() * std::abs(d);
    tolerance[i] = error * (s.activation == Activation::swiglu ? 3.6 : 1.2) + 32 * roundoff<float>() * std::abs(expected[i]);
  }
  Report report;
  report.compare("dhidden", dhidden, expected, tolerance);
  return report;
}

inline ConvolutionShape convolution(std::int64_t batch, std::int64_t in, std::int64_t out, std::int64_t height, std::int64_t width,
                                    std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  ConvolutionShape s;
  s.batch = batch, s.in_channels = in, s.out_channels = out, s.in_height = height, s.in_width = width;
  s.kernel_height = s.kernel_width = kernel, s.stride = stride, s.padding = padding;
  return s;
}

template <template <class> class Op, class T>
Op<T> convolved(const ConvolutionShape& s) {
  Op<T> op;
  static_cast<ConvolutionShape&>(op) = s;
  return op;
}

template <class T, class Launch>
Report check_convolution_forward(Place& place, const ConvolutionShape& s, Setting setting, const Launch& launch) {
  const Input<T> x(place, s.batch * s.in_pixels() * s.in_channels, setting, 1), weight(place, s.out_channels * s.patch(), setting, 2);
  Operand<T> y(place, std::size_t(s.batch * s.out_pixels() * s.out_channels), setting.offset);
  auto op = convolved<ConvolutionForward, T>(s);
  Operand<unsigned char> room(place, op.workspace_size(), 0);
  op.x = x.data(), op.weight = weight.data(), op.y = y.data(), op.workspace = room.data(), op.workspace_bytes = op.workspace_size();
  launch(op);
  std::vector<double> expected(y.size());
  auto wide = convolved<ConvolutionForward, double>(s);
  wide.x = x.wide.data(), wide.weight = weight.wide.data(), wide.y = expected.data(), wide.workspace_bytes = wide.workspace_size();
  reckon::launch<Backend::reference>(wide, {});
  Report report;
  report.compare("y", y, expected, std::vector<double>(expected.size(), product_tolerance<T>(double(s.patch()))));
  if (!room.guarded()) report.failure = "memory beside the workspace was written";
  return report;
}

template <class T, class Launch>
Report check_convolution_input_gradient(Place& place, const ConvolutionShape& s, Setting setting, const Launch& launch) {
  const Input<T> dy(place, s.batch * s.out_pixels() * s.out_channels, setting, 1), weight(place, s.out_channels * s.patch(), setting, 2);
  Operand<T> dx(place, std::size_t(s.batch * s.in_pixels() * s.in_channels), setting.offset);
  auto op = convolved<ConvolutionInputGradient, T>(s);
  Operand<unsigned char> room(place, op.workspace_size(), 0);
  op.dy = dy.data(), op.weight = weight.data(), op.dx = dx.data(), op.workspace = room.data(), op.workspace_bytes = op.workspace_size();
  launch(op);
  std::vector<double> expected(dx.size());
  auto wide = convolved<ConvolutionInputGradient, double>(s);
  wide.dy = dy.wide.data(), wide.weight = weight.wide.data(), wide.dx = expected.data(), wide.workspace_bytes = wide.workspace_size();
  reckon::launch<Backend::reference>(wide, {});
  const double terms = double(s.out_channels * s.kernel_height * s.kernel_width);
  Report report;
  report.compare("dx", dx, expected, std::vector<double>(expected.size(), product_tolerance<T>(terms)));
  if (!room.guarded()) report.failure = "memory beside the workspace was written";
  return report;
}

template <class T, class Launch>
Report check_convolution_weight_gradient(Place& place, const ConvolutionShape& s, bool accumulate, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  const Input<T> x(place, s.batch * s.in_pixels() * s.in_channels, setting, 1), dy(place, s.batch * s.out_pixels() * s.out_channels, setting, 2);
  const Input<A> old(place, s.out_channels * s.patch(), setting, 3);
  const Operand<A> dweight = accumulate ? Operand<A>(place, old.values, setting.offset) : Operand<A>(place, old.values.size(), setting.offset);
  auto op = convolved<ConvolutionWeightGradient, T>(s);
  Operand<unsigned char> room(place, op.workspace_size(), 0);
  op.x = x.data(), op.dy = dy.data(), op.dweight = dweight.data(), op.accumulate = accumulate;
  op.workspace = room.data(), op.workspace_bytes = op.workspace_size();
  launch(op);
  std::vector<double> expected = old.wide;
  auto wide = convolved<ConvolutionWeightGradient, double>(s);
  wide.x = x.wide.data(), wide.dy = dy.wide.data(), wide.dweight = expected.data(), wide.accumulate = accumulate;
  wide.workspace_bytes = wide.workspace_size();
  reckon::launch<Backend::reference>(wide, {});
  Report report;
  report.compare("dweight", dweight, expected, std::vector<double>(expected.size(), product_tolerance<T>(double(s.batch * s.out_pixels())) + 4 * roundoff<A>()));
  if (!room.guarded()) report.failure = "memory beside the workspace was written";
  return report;
}

/// Linear layers and convolutions of awkward shapes.
template <class T, class Launch, class Visit>
void check_layers(Place& place, std::uint64_t seed, const Launch& launch, const Visit& visit) {
  const auto name = [](const char* op, std::initializer_list<std::int64_t> sizes, std::size_t offset) {
    std::string text = std::string(op) + (std::is_same_v<T, Bf16> ? " bf16" : " fp32");
    for (const std::int64_t size : sizes) text += " " + std::to_string(size);
    return offset == 0 ? text : text + " +" + std::to_string(offset);
  };
  for (const Activation activation : {Activation::none, Activation::gelu, Activation::swiglu}) {
    const std::string kind = name_of(activation);
    for (const LinearShape shape : {LinearShape{0, 3, 4}, {3, 0, 4}, {1, 1, 2}, {3, 5, 14}, {17, 31, 66}, {40, 64, 96}, {5, 7, 16, Activation::none, false}, {130, 33, 1040}}) {
      for (const std::size_t offset : {0, 1}) {
        LinearShape s = shape;
        s.activation = activation;
        visit(name(("linear_forward " + kind).c_str(), {s.rows, s.in, s.out}, offset), check_linear_forward<T>(place, s, {seed, offset}, launch));
        if (s.in > 0) visit(name(("linear_backward " + kind).c_str(), {s.rows, s.in, s.out}, offset), check_linear_backward<T>(place, s, {seed, offset}, launch));
      }
    }
  }
  const ConvolutionShape shapes[] = {convolution(0, 3, 4, 5, 5, 3, 1, 1), convolution(1, 1, 1, 1, 1, 1, 1, 0), convolution(2, 3, 5, 7, 6, 3, 1, 1), convolution(1, 8, 16, 9, 9, 3, 2, 1),
                                     convolution(2, 16, 8, 5, 7, 1, 1, 0), convolution(1, 16, 9, 8, 8, 1, 2, 0), convolution(1, 3, 8, 15, 13, 7, 2, 3), convolution(1, 4, 4, 2, 2, 5, 1, 0),
                                     convolution(3, 8, 7, 4, 4, 2, 3, 2)};
  for (const ConvolutionShape& s : shapes) {
    for (const std::size_t offset : {0, 1}) {
      const auto called = [&](const char* op) { return name(op, {s.batch, s.in_channels, s.out_channels, s.in_height, s.in_width, s.kernel_height, s.stride, s.padding}, offset); };
      visit(called("convolution_forward"), check_convolution_forward<T>(place, s, {seed, offset}, launch));
      visit(called("convolution_input_gradient"), check_convolution_input_gradient<T>(place, s, {seed, offset}, launch));
      visit(called("convolution_weight_gradient"), check_convolution_weight_gradient<T>(place, s, offset == 1, {seed, offset}, launch));
    }
  }
}

}  // namespace reckon::check
