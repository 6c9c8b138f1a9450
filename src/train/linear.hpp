// Linear layers and norms over the parameters of a unit, with explicit backward passes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/bias.hpp"
#include "kernels/op/linear.hpp"
#include "kernels/op/norm.hpp"
#include "train/parameters.hpp"

namespace reckon::train {

/// y = x W^T, W: (out, in).  Parameters [weight, weight + weights) of a unit lie one behind the other as the rows of W (queries, keys and
/// values; gate and up), and so do their biases.
struct Linear {
  std::int64_t out = 0, in = 0;
  std::size_t weight = 0, weights = 1, bias = 0;
  bool biased = false;
};

/// True when the parameters [first, first + count) get their first gradient since the last reduction.
template <class T>
bool first_gradients(Unit<T>& unit, std::size_t first, std::size_t count) {
  bool fresh = true;
  for (std::size_t i = first; i < first + count; ++i) fresh = unit.first_gradient(i) && fresh;
  return fresh;
}

/// The product alone: biases are added where they belong.
template <class T>
Buffer<T> linear_forward(const Linear& l, Unit<T>& unit, const T* x, std::int64_t rows) {
  Buffer<T> y(rows * l.out);
  run(Matmul<T>{.m = rows, .n = l.out, .k = l.in, .transpose_b = true, .a = x, .b = unit.weight(l.weight), .c = y.data()});
  return y;
}

/// With its bias and what follows, in one op: for rows that a tensor rank has for itself.  `active`: as LinearForward has it, or null.
template <class T>
Buffer<T> linear_forward(const Linear& l, Unit<T>& unit, const T* x, std::int64_t rows, Activation activation, T* active) {
  Buffer<T> hidden(rows * l.out);
  run(reckon::LinearForward<T>{.rows = rows,
                               .in = l.in,
                               .out = l.out,
                               .activation = activation,
                               .x = x,
                               .weight = unit.weight(l.weight),
                               .bias = l.biased ? unit.weight(l.bias) : nullptr,
                               .hidden = hidden.data(),
                               .active = active});
  return hidden;
}

/// Through the product and the activation before it: the gradient of `hidden`, laid out as it.
template <class T>
Buffer<T> input_backward(const Linear& l, Unit<T>& unit, const T* dy, std::int64_t rows, Activation activation, const T* hidden) {
  reckon::LinearBackward<T> op{.rows = rows, .in = l.in, .out = l.out, .activation = activation};
  Buffer<T> dhidden(rows * op.stride());
  op.dy = dy, op.weight = unit.weight(l.weight), op.hidden = hidden, op.dhidden = dhidden.data();
  run(op);
  return dhidden;
}

template <class T>
void bias_backward(const Linear& l, Unit<T>& unit, const T* dy, std::int64_t rows) {
  if (!l.biased) return;
  const bool fresh = first_gradients(unit, l.bias, l.weights);
  run_with_room(BiasBackward<T>{.rows = rows, .columns = l.out, .dout = dy, .dbias = unit.gradient(l.bias), .accumulate = !fresh});
}

/// dW += dy^T x.
template <class T>
void weight_backward(const Linear& l, Unit<T>& unit, const T* x, const T* dy, std::int64_t rows) {
  const bool fresh = first_gradients(unit, l.weight, l.weights);
  run(Matmul<T, Accumulator<T>>{
      .m = l.out, .n = l.in, .k = rows, .transpose_a = true, .beta = fresh ? 0.0 : 1.0, .a = dy, .b = x, .c = unit.gradient(l.weight)});
}

/// dx = dy W.
template <class T>
Buffer<T> input_backward(const Linear& l, Unit<T>& unit, const T* dy, std::int64_t rows) {
  Buffer<T> dx(rows * l.in);
  run(Matmul<T>{.m = rows, .n = l.in, .k = l.out, .a = dy, .b = unit.weight(l.weight), .c = dx.data()});
  return dx;
}

/// A norm's weight (and bias, behind it) in a unit, and what its backward pass keeps.
struct Norm {
  std::size_t weight = 0;
  bool centred = false;
};
template <class T>
struct NormStatistics {
  Buffer<Accumulator<T>> mean, rstd;
};

template <class T>
Buffer<T> norm_forward(const Norm& norm, Unit<T>& unit, const T* x, std::int64_t rows, std::int64_t columns, NormStatistics<T>& kept) {
  using A = Accumulator<T>;
  Buffer<T> out(rows * columns);
  kept.rstd = Buffer<A>(rows);
  if (norm.centred) {
    kept.mean = Buffer<A>(rows);
    run(LayerNormForward<T>{.rows = rows,
                            .columns = columns,
                            .x = x,
                            .weight = unit.weight(norm.weight),
                            .bias = unit.weight(norm.weight + 1),
                            .out = out.data(),
                            .mean = kept.mean.data(),
                            .rstd = kept.rstd.data()});
  } else {
    run(RmsNormForward<T>{
        .rows = rows, .columns = columns, .x = x, .weight = unit.weight(norm.weight), .out = out.data(), .rstd = kept.rstd.data()});
  }
  return out;
}

template <class T>
Buffer<T> norm_backward(const Norm& norm, Unit<T>& unit, const T* x, const T* dout, std::int64_t rows, std::int64_t columns,
                        const NormStatistics<T>& kept) {
  Buffer<T> dx(rows * columns);
  const bool fresh = first_gradients(unit, norm.weight, norm.centred ? 2 : 1);
  if (norm.centred) {
    run_with_room(LayerNormBackward<T>{.rows = rows,
                                       .columns = columns,
                                       .x = x,
                                       .weight = unit.weight(norm.weight),
                                       .mean = kept.mean.data(),
                                       .rstd = kept.rstd.data(),
                                       .dout = dout,
                                       .dx = dx.data(),
                                       .dweight = unit.gradient(norm.weight),
                                       .dbias = unit.gradient(norm.weight + 1),
                                       .accumulate = !fresh});
  } else {
    run_with_room(RmsNormBackward<T>{.rows = rows,
                                     .columns = columns,
                                     .x = x,
                                     .weight = unit.weight(norm.weight),
                                     .rstd = kept.rstd.data(),
                                     .dout = dout,
                                     .dx = dx.data(),
                                     .dweight = unit.gradient(norm.weight),
                                     .accumulate = !fresh});
  }
  return dx;
}

}  // namespace reckon::train
