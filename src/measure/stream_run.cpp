// Memory-bound kernels by size.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/op/activation.hpp"
#include "kernels/op/adamw.hpp"
#include "kernels/op/bias.hpp"
#include "kernels/op/cross_entropy.hpp"
#include "kernels/op/dispatch.hpp"
#include "kernels/op/embedding.hpp"
#include "kernels/op/memory.hpp"
#include "kernels/op/norm.hpp"
#include "kernels/op/update.hpp"
#include "measure/compute_run.hpp"

namespace reckon::measure {
namespace {

constexpr std::int64_t columns = 512, table_rows = 1024;

/// Where the operands of one launch lie.  `fresh` has just been made and stays in place; everything else moves on with the turn.
struct Place {
  const Bench* bench;
  const Arena *inputs, *outputs;
  int turn = 0;

  template <class T>
  const T* fresh(std::int64_t count) const {
    return inputs->at<T>(0, count);
  }
  template <class T>
  const T* old(std::int64_t count, int which = 0) const {
    return inputs->at<T>(3 * turn + which + 1, count);
  }
  template <class T>
  T* result(std::int64_t count, int which = 0) const {
    return outputs->at<T>(3 * turn + which, count);
  }
};

/// Runs an op and answers its traffic.
template <class Op>
double go(const Place& p, const Op& op) {
  launch(p.bench->backend(), op, p.bench->stream());
  return op.work().bytes.base();
}
template <class Op>
double go_with_room(const Place& p, Op op) {
  const std::size_t size = op.workspace_size();
  op.workspace = p.outputs->at<unsigned char>(0, std::int64_t(size) + 64);
  op.workspace_bytes = size;
  return go(p, op);
}

/// One kernel on `n` values of T (a whole number of rows of `columns`).  The gradients of weights go behind the results.
template <class T>
double norms(const Place& p, StreamKernel kernel, std::int64_t n) {
  using A = Accumulator<T>;
  const std::int64_t rows = n / columns;
  switch (kernel) {
    case StreamKernel::layer_norm: {
      A* statistics = p.result<A>(2 * rows, 1);
      return go(p, LayerNormForward<T>{.rows = rows,
                                       .columns = columns,
                                       .x = p.fresh<T>(n),
                                       .weight = p.fresh<T>(columns),
                                       .bias = p.fresh<T>(columns),
                                       .out = p.result<T>(n),
                                       .mean = statistics,
                                       .rstd = statistics + rows});
    }
    case StreamKernel::rms_norm:
      return go(p, RmsNormForward<T>{.rows = rows,
                                     .columns = columns,
                                     .x = p.fresh<T>(n),
                                     .weight = p.fresh<T>(columns),
                                     .out = p.result<T>(n),
                                     .rstd = p.result<A>(rows, 1)});
    case StreamKernel::layer_norm_backward: {
      A* weights = p.result<A>(2 * columns, 1);
      return go_with_room(p, LayerNormBackward<T>{.rows = rows,
                                                  .columns = columns,
                                                  .x = p.old<T>(n),
                                                  .weight = p.fresh<T>(columns),
                                                  .mean = p.old<A>(rows, 1),
                                                  .rstd = p.old<A>(rows, 1),
                                                  .dout = p.fresh<T>(n),
                                                  .dx = p.result<T>(n),
                                                  .dweight = weights,
                                                  .dbias = weights + columns});
    }
    default:
      return go_with_room(p, RmsNormBackward<T>{.rows = rows,
                                                .columns = columns,
                                                .x = p.old<T>(n),
                                                .weight = p.fresh<T>(columns),
                                                .rstd = p.old<A>(rows, 1),
                                                .dout = p.fresh<T>(n),
                                                .dx = p.result<T>(n),
                                                .dweight = p.result<A>(columns, 1)});
  }
}

template <class T>
double activations(const Place& p, StreamKernel kernel, std::int64_t n) {
  const std::int64_t rows = n / columns;
  switch (kernel) {
    case StreamKernel::gelu:
      return go(p, GeluForward<T>{.count = n, .x = p.fresh<T>(n), .out = p.result<T>(n)});
    case StreamKernel::gelu_backward:
      return go(p, GeluBackward<T>{.count = n, .x = p.old<T>(n), .dout = p.fresh<T>(n), .dx = p.result<T>(n)});
    case StreamKernel::swiglu:
      return go(p, SwigluForward<T>{.rows = rows,
                                    .columns = columns,
                                    .stride = 2 * columns,
                                    .gate = p.fresh<T>(2 * n),
                                    .up = p.fresh<T>(2 * n) + columns,
                                    .out = p.result<T>(n)});
    default: {
      T* gate = p.result<T>(2 * n);
      return go(p, SwigluBackward<T>{.rows = rows,
                                     .columns = columns,
                                     .stride = 2 * columns,
                                     .gate = p.old<T>(2 * n),
                                     .up = p.old<T>(2 * n) + columns,
                                     .dout = p.fresh<T>(n),
                                     .dgate = gate,
                                     .dup = gate + columns});
    }
  }
}

/// What the other kernels read: indices below table_rows, and sums of exponentials that are positive.
struct Tables {
  const std::int32_t* index;
  const float *maximum, *sum;
};

template <class T>
double tokens(const Place& p, const Tables& tables, StreamKernel kernel, std::int64_t n) {
  using A = Accumulator<T>;
  const std::int64_t rows = n / columns;
  switch (kernel) {
    case StreamKernel::embedding:
      return go(p, EmbeddingForward<T>{.tokens = rows,
                                       .columns = columns,
                                       .table_rows = table_rows,
                                       .index = tables.index,
                                       .table = p.old<T>(table_rows * columns),
                                       .out = p.result<T>(n)});
    case StreamKernel::embedding_backward:
      return go(p, EmbeddingBackward<T>{.tokens = rows,
                                        .columns = columns,
                                        .table_rows = table_rows,
                                        .index = tables.index,
                                        .dout = p.fresh<T>(n),
                                        .dtable = p.result<A>(table_rows * columns)});
    case StreamKernel::loss: {
      A* statistics = p.result<A>(3 * rows, 1);
      return go(p, CrossEntropyForward<T>{.rows = rows,
                                          .columns = columns,
                                          .stride = columns,
                                          .x = p.fresh<T>(n),
                                          .target = tables.index,
                                          .maximum = statistics,
                                          .sum = statistics + rows,
                                          .target_logit = statistics + 2 * rows});
    }
    case StreamKernel::loss_backward:
      return go(p, CrossEntropyBackward<T>{.rows = rows,
                                           .columns = columns,
                                           .stride = columns,
                                           .scale = 0.01,
                                           .x = p.fresh<T>(n),
                                           .target = tables.index,
                                           .maximum = tables.maximum,
                                           .sum = tables.sum,
                                           .dx = p.result<T>(n)});
    default: {
      const std::int64_t heads = columns / 64;
      return go(p, Rotary<T>{.tokens = rows,
                             .heads = heads,
                             .head_dim = 64,
                             .stride = columns,
                             .period = std::max<std::int64_t>(1, std::min<std::int64_t>(rows, 256)),
                             .cosine = p.fresh<A>(256 * 32),
                             .sine = p.fresh<A>(256 * 32),
                             .x = p.result<T>(n)});
    }
  }
}

template <class T>
double others(const Place& p, StreamKernel kernel, std::int64_t n) {
  using A = Accumulator<T>;
  const std::int64_t rows = n / columns;
  switch (kernel) {
    case StreamKernel::copy:
      return go(p, Copy<T>{.count = n, .x = p.old<T>(n), .out = p.result<T>(n)});
    case StreamKernel::residual:
      return go(p, ResidualAdd<T>{.count = n, .a = p.fresh<T>(n), .b = p.old<T>(n), .out = p.result<T>(n)});
    case StreamKernel::bias: {
      T* x = p.result<T>(n);
      return go(p, BiasAdd<T>{.rows = rows, .columns = columns, .x = x, .bias = p.fresh<T>(columns), .out = x});
    }
    case StreamKernel::bias_residual: {
      T* x = p.result<T>(n);
      return go(p, BiasAdd<T>{.rows = rows, .columns = columns, .x = x, .bias = p.fresh<T>(columns), .residual = p.old<T>(n), .out = x});
    }
    case StreamKernel::bias_gradient:
      return go_with_room(p, BiasBackward<T>{.rows = rows, .columns = columns, .dout = p.fresh<T>(n), .dbias = p.result<A>(columns, 1)});
    case StreamKernel::widen:
      return go(p, Widen<Bf16>{.count = n, .x = p.old<Bf16>(n), .out = p.result<float>(n)});
    case StreamKernel::narrow:
      return go(p, Narrow<Bf16>{.count = n, .x = p.old<float>(n), .out = p.result<Bf16>(n)});
    case StreamKernel::squares:
      return go_with_room(p, SumOfSquares<A>{.count = n, .x = p.old<A>(n), .result = p.result<double>(8, 1)});
    default: {
      // moments of a fixed place: only the room of the state moves on, all of it together
      A* state = p.outputs->at<A>(p.turn, 4 * n);
      return go(p, AdamW<T, A>{.count = n,
                               .step = 1 + p.turn,
                               .gradient = p.old<A>(n),
                               .master = state,
                               .first_moment = state + n,
                               .second_moment = state + 2 * n,
                               .weight = sizeof(T) == 2 ? reinterpret_cast<T*>(state + 3 * n) : nullptr});
    }
  }
}

template <class T>
double run_kernel(const Place& p, const Tables& tables, StreamKernel kernel, std::int64_t n) {
  switch (kernel) {
    case StreamKernel::layer_norm:
    case StreamKernel::layer_norm_backward:
    case StreamKernel::rms_norm:
    case StreamKernel::rms_norm_backward:
      return norms<T>(p, kernel, n);
    case StreamKernel::gelu:
    case StreamKernel::gelu_backward:
    case StreamKernel::swiglu:
    case StreamKernel::swiglu_backward:
      return activations<T>(p, kernel, n);
    case StreamKernel::embedding:
    case StreamKernel::embedding_backward:
    case StreamKernel::loss:
    case StreamKernel::loss_backward:
    case StreamKernel::rotary:
      return tokens<T>(p, tables, kernel, n);
    default:
      return others<T>(p, kernel, n);
  }
}

/// Results of one kernel by this backend and by the reference, on the host's copy of the same operands.
template <class T>
void checked(const Bench& bench, const Arena& inputs, const Arena& outputs) {
  const std::int64_t n = 3 * columns;
  const T* x = inputs.on_host<T>(0, n);
  const double tolerance = sizeof(T) == 2 ? 0.03 : 1e-4;
  const auto widened = [](const std::vector<T>& v) {
    std::vector<double> wide;
    for (const T value : v) wide.push_back(static_cast<double>(widen(value)));
    return wide;
  };
  const auto compare = [&](const auto& make, const char* what) {
    std::vector<T> expected(static_cast<std::size_t>(n));
    launch<Backend::reference>(make(x, expected.data()), {});
    T* own = outputs.at<T>(1, n);
    launch(bench.backend(), make(inputs.at<T>(0, n), own), bench.stream());
    check_close(fetched(bench, own, n), widened(expected), tolerance, what);
  };
  compare([&](const T* in, T* out) { return GeluForward<T>{.count = n, .x = in, .out = out}; }, "GELU");
  compare([&](const T* in, T* out) { return GeluBackward<T>{.count = n, .x = in, .dout = in, .dx = out}; }, "the gradient of GELU");
  compare([&](const T* in,
              T* out) { return SwigluForward<T>{.rows = 3, .columns = columns, .stride = columns, .gate = in, .up = in, .out = out}; },
          "SwiGLU");
  compare([&](const T* in, T* out) { return BiasAdd<T>{.rows = 3, .columns = columns, .x = in, .bias = in, .residual = in, .out = out}; },
          "a bias");
  compare([&](const T* in, T* out) { return ResidualAdd<T>{.count = n, .a = in, .b = in, .out = out}; }, "a sum");
  compare([&](const T* in, T* out) { return Copy<T>{.count = n, .x = in, .out = out}; }, "a copy");
}

constexpr StreamKernel casts[] = {StreamKernel::widen, StreamKernel::narrow};
bool is_cast(StreamKernel kernel) { return std::find(std::begin(casts), std::end(casts), kernel) != std::end(casts); }

template <class Each>
void for_streams(const ComputePlan& plan, const Each& each) {
  for (const Precision precision : plan.precisions)
    for (const auto& [kernel, name] : stream_kernel_names) {
      if (is_cast(kernel) && precision != Precision::bf16) continue;
      for (const std::int64_t n : plan.stream_values)
        if (std::size_t(n) * 32 <= plan.arena) each(precision, kernel, n);
    }
}

}  // namespace

std::int64_t count_of_streams(const ComputePlan& plan) {
  std::int64_t count = 0;
  for_streams(plan, [&](Precision, StreamKernel, std::int64_t) { ++count; });
  return count;
}

void measure_streams(const Bench& bench, const ComputePlan& plan, const Arena& inputs, const Arena& outputs, Samples& samples,
                     const std::function<void()>& advance) {
  const std::int64_t most_rows = *std::max_element(plan.stream_values.begin(), plan.stream_values.end()) / columns + 1;
  std::vector<std::int32_t> index;
  std::vector<float> ones(static_cast<std::size_t>(most_rows), 1.0f);
  for (std::int64_t i = 0; i < most_rows; ++i) index.push_back(std::int32_t(i * 7919 % columns));
  DeviceBuffer device_index, device_ones;
  Tables tables{index.data(), ones.data(), ones.data()};
  if (bench.backend() == Backend::cuda) {
    device_index = DeviceBuffer(index.size() * sizeof(index[0]));
    device_ones = DeviceBuffer(ones.size() * sizeof(ones[0]));
    copy_to_device(device_index.data(), index.data(), device_index.size(), bench.stream());
    copy_to_device(device_ones.data(), ones.data(), device_ones.size(), bench.stream());
    tables = {device_index.as<std::int32_t>(), device_ones.as<float>(), device_ones.as<float>()};
  }
  for (const Precision precision : plan.precisions)
    precision == Precision::bf16 ? checked<Bf16>(bench, inputs, outputs) : checked<float>(bench, inputs, outputs);
  for_streams(plan, [&](Precision precision, StreamKernel kernel, std::int64_t n) {
    double traffic = 0;
    const Timed time = bench.time([&](int turn) {
      const Place place{&bench, &inputs, &outputs, turn};
      traffic = precision == Precision::bf16 ? run_kernel<Bf16>(place, tables, kernel, n) : run_kernel<float>(place, tables, kernel, n);
    });
    samples.streams.push_back({precision, kernel, Bytes{traffic}, time});
    advance();
  });
}

}  // namespace reckon::measure
