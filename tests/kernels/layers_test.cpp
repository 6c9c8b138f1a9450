// Linear layers with epilogues, and convolution: gradients by central differences, backends against the reference, planted errors.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/kernels/check/check_layers.hpp"
#include "tests/kernels/check/gradient.hpp"

namespace reckon::check {
namespace {

TEST(Gradient, LinearLayerThroughItsActivation) {
  // y = act(x W1^T + b) W2^T: the gradient before the activation, from the gradient of y.
  const std::int64_t rows = 5, in = 6, width = 7, out = 4;
  for (const Activation activation : {Activation::none, Activation::gelu, Activation::swiglu}) {
    const std::int64_t hidden_width = activation == Activation::swiglu ? 2 * width : width;
    const Vector x = random_elements<double>(rows * in, 1), first = random_elements<double>(std::size_t(hidden_width * in), 2);
    const Vector bias = random_elements<double>(std::size_t(hidden_width), 3), second = random_elements<double>(out * width, 4), dy = random_elements<double>(rows * out, 5);
    Vector hidden(std::size_t(rows * hidden_width)), active(rows * width), dhidden(hidden.size()), dx(x.size());
    const auto forward = [&](const Vector& x_now, const Vector& bias_now) {
      LinearForward<double> up{.rows = rows, .in = in, .out = hidden_width, .activation = activation};
      up.x = x_now.data(), up.weight = first.data(), up.bias = bias_now.data(), up.hidden = hidden.data(), up.active = active.data();
      run(up);
      Vector y(rows * out);
      LinearForward<double> down{.rows = rows, .in = width, .out = out};
      down.x = activation == Activation::none ? hidden.data() : active.data(), down.weight = second.data(), down.hidden = y.data();
      run(down);
      return y;
    };
    forward(x, bias);
    LinearBackward<double> back{.rows = rows, .in = width, .out = out, .activation = activation};
    back.dy = dy.data(), back.weight = second.data(), back.hidden = hidden.data(), back.dhidden = dhidden.data();
    run(back);
    LinearBackward<double> input{.rows = rows, .in = in, .out = hidden_width};
    input.dy = dhidden.data(), input.weight = first.data(), input.dhidden = dx.data();
    run(input);
    Vector dbias(bias.size(), 0.0);
    for (std::size_t i = 0; i < dhidden.size(); ++i) dbias[i % dbias.size()] += dhidden[i];

    expect_gradient("dx", [&](const Vector& now) { return forward(now, bias); }, x, dy, dx);
    expect_gradient("dbias", [&](const Vector& now) { return forward(x, now); }, bias, dy, dbias);
  }
}

TEST(Gradient, Convolution) {
  for (const ConvolutionShape& s : {convolution(2, 3, 4, 6, 5, 3, 1, 1), convolution(1, 2, 5, 7, 7, 3, 2, 1), convolution(2, 4, 3, 4, 4, 1, 1, 0)}) {
    const Vector x = random_elements<double>(std::size_t(s.batch * s.in_pixels() * s.in_channels), 1), weight = random_elements<double>(std::size_t(s.out_channels * s.patch()), 2),
                 dy = random_elements<double>(std::size_t(s.batch * s.out_pixels() * s.out_channels), 3);
    Vector dx(x.size()), dweight(weight.size());
    auto input = convolved<ConvolutionInputGradient, double>(s);
    input.dy = dy.data(), input.weight = weight.data(), input.dx = dx.data(), input.workspace_bytes = input.workspace_size();
    run(input);
    auto weights = convolved<ConvolutionWeightGradient, double>(s);
    weights.x = x.data(), weights.dy = dy.data(), weights.dweight = dweight.data(), weights.workspace_bytes = weights.workspace_size();
    run(weights);
    const auto forward = [&](const Vector& x_now, const Vector& weight_now) {
      Vector y(dy.size());
      auto op = convolved<ConvolutionForward, double>(s);
      op.x = x_now.data(), op.weight = weight_now.data(), op.y = y.data(), op.workspace_bytes = op.workspace_size();
      run(op);
      return y;
    };
    expect_gradient("dx", [&](const Vector& now) { return forward(now, weight); }, x, dy, dx);
    expect_gradient("dweight", [&](const Vector& now) { return forward(x, now); }, weight, dy, dweight);
  }
}

TEST(Reference, ConvolutionByHand) {
  // 3 x 3 image 1..9, a 2 x 2 kernel of 1, 2, 3, 4: y[0, 0] = 1 + 2 2 + 3 4 + 4 5.
  const Vector x{1, 2, 3, 4, 5, 6, 7, 8, 9}, weight{1, 2, 3, 4};
  Vector y(4);
  auto op = convolved<ConvolutionForward, double>(convolution(1, 1, 1, 3, 3, 2, 1, 0));
  op.x = x.data(), op.weight = weight.data(), op.y = y.data(), op.workspace_bytes = op.workspace_size();

  run(op);

  EXPECT_EQ(y, (Vector{37, 47, 67, 77}));
}

template <class Op>
void on_cpu(const Op& op) {
  launch<Backend::cpu>(op, {});
}
template <class... Overload>
struct Mutated : Overload... {
  using Overload::operator()...;
};
template <class... Overload>
Mutated(Overload...) -> Mutated<Overload...>;

template <class Launch>
int layers_refused(const Launch& launch) {
  HostPlace place;
  int count = 0;
  check_layers<float>(place, 7, launch, [&](const std::string&, const Report& report) { count += !report.passed(); });
  return count;
}
constexpr auto right = [](const auto& op) { on_cpu(op); };
#define EXPECT_LAYER_REFUSED(...) EXPECT_GT(layers_refused(Mutated{right, __VA_ARGS__}), 0)

TEST(LayerMutants, NoneIsRefusedWithoutAMistake) { EXPECT_EQ(layers_refused(right), 0); }

TEST(LayerMutants, Linear) {
  EXPECT_LAYER_REFUSED([](LinearForward<float> op) { op.bias = nullptr; on_cpu(op); });
  EXPECT_LAYER_REFUSED([](LinearForward<float> op) {  // gate and up taken for each other
    on_cpu(op);
    if (op.activation == Activation::swiglu) launch<Backend::cpu>(SwigluForward<float>{.rows = op.rows, .columns = op.width(), .stride = op.out, .gate = op.hidden + op.width(), .up = op.hidden, .out = op.active}, {});
  });
  EXPECT_LAYER_REFUSED([](const LinearForward<float>& op) {  // the activation before the bias
    if (op.activation != Activation::gelu) return on_cpu(op);
    LinearForward<float> plain = op;
    plain.bias = nullptr;
    on_cpu(plain);
    plain = op;
    plain.activation = Activation::none;
    on_cpu(plain);
  });
  EXPECT_LAYER_REFUSED([](const LinearForward<float>& op) {  // what GELU saw is not kept
    on_cpu(op);
    if (op.activation == Activation::gelu) std::copy_n(op.active, op.rows * op.out, op.hidden);
  });
  EXPECT_LAYER_REFUSED([](const LinearBackward<float>& op) {  // the slope forgotten
    LinearBackward<float> plain = op;
    if (op.activation == Activation::gelu) plain.activation = Activation::none;
    on_cpu(plain);
  });
  EXPECT_LAYER_REFUSED([](const LinearBackward<float>& op) {  // dgate and dup exchanged
    on_cpu(op);
    for (std::int64_t r = 0; r < op.rows && op.activation == Activation::swiglu; ++r) std::swap_ranges(op.dhidden + r * 2 * op.in, op.dhidden + r * 2 * op.in + op.in, op.dhidden + r * 2 * op.in + op.in);
  });
  EXPECT_LAYER_REFUSED([](LinearBackward<float> op) { op.out = std::max<std::int64_t>(0, op.out - 1); on_cpu(op); });  // the last term of each sum dropped
}

TEST(LayerMutants, Convolution) {
  EXPECT_LAYER_REFUSED([](const ConvolutionForward<float>& op) {  // the kernel turned round, as a true convolution has it
    std::vector<float> turned(std::size_t(op.out_channels * op.patch()));
    const std::int64_t places = op.kernel_height * op.kernel_width;
    for (std::int64_t o = 0; o < op.out_channels; ++o) {
      for (std::int64_t p = 0; p < places; ++p) std::copy_n(op.weight + (o * places + places - 1 - p) * op.in_channels, op.in_channels, turned.data() + (o * places + p) * op.in_channels);
    }
    ConvolutionForward<float> wrong = op;
    wrong.weight = turned.data();
    on_cpu(wrong);
  });
  EXPECT_LAYER_REFUSED([](const ConvolutionForward<float>& op) {  // the last image left out
    ConvolutionForward<float> wrong = op;
    wrong.batch = std::max<std::int64_t>(0, op.batch - 1);
    on_cpu(wrong);
  });
  EXPECT_LAYER_REFUSED([](ConvolutionWeightGradient<float> op) { op.accumulate = false; on_cpu(op); });
  EXPECT_LAYER_REFUSED([](const ConvolutionWeightGradient<float>& op) {  // averaged over the batch
    on_cpu(op);
    for (std::int64_t i = 0; i < op.out_channels * op.patch() && op.batch > 1; ++i) op.dweight[i] /= float(op.batch);
  });
  EXPECT_LAYER_REFUSED([](const ConvolutionInputGradient<float>& op) {  // pixels at the border left at zero
    on_cpu(op);
    for (std::int64_t b = 0; b < op.batch && op.padding > 0; ++b) std::fill_n(op.dx + b * op.in_pixels() * op.in_channels, op.in_width * op.in_channels, 0.0f);
  });
}

}  // namespace
}  // namespace reckon::check
