// The timed cases: operands in device memory, sizes of known models.
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/gpu_check/cases.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "kernels/op/activation.hpp"
#include "kernels/op/adamw.hpp"
#include "kernels/op/matmul.hpp"
#include "kernels/op/memory.hpp"
#include "kernels/op/norm.hpp"
#include "tests/kernels/check/all.hpp"

namespace reckon::check {
namespace {

using Launches = std::function<void(int)>;
using Prepare = std::function<Launches(const DeviceStream&, std::size_t)>;

/// Device arrays that live as long as the case's launches.
class Arrays {
 public:
  explicit Arrays(const DeviceStream& stream) : stream_(stream.stream()) {}

  /// Random elements around `centre`: one block of a size that no row length divides, repeated.  Never zeros: they draw less power.
  template <class T>
  T* random(std::int64_t count, double scale = 1, double centre = 0) {
    constexpr std::int64_t block = (std::int64_t(1) << 20) + 7;
    const std::vector<T> values = random_elements<T>(static_cast<std::size_t>(std::min(block, count)), ++seed_, scale, centre);
    T* array = empty<T>(count);
    for (std::int64_t i = 0; i < count; i += block) {
      copy_to_device(array + i, values.data(), static_cast<std::size_t>(std::min(block, count - i)) * sizeof(T), stream_);
    }
    return array;
  }
  template <class T>
  T* empty(std::int64_t count) {
    buffers_.push_back(std::make_unique<DeviceBuffer>(static_cast<std::size_t>(count) * sizeof(T)));
    return buffers_.back()->template as<T>();
  }

 private:
  Stream stream_;
  std::uint64_t seed_ = 0;
  std::vector<std::unique_ptr<DeviceBuffer>> buffers_;
};

/// `make(arrays)` makes one op with its operands; as many sets of operands as the cache needs to be left behind, at most 16.
template <class Make>
Prepare prepare_with(Make make) {
  return [make](const DeviceStream& stream, std::size_t cache_bytes) -> Launches {
    auto arrays = std::make_shared<Arrays>(stream);
    using Op = decltype(make(*arrays, stream));
    auto ops = std::make_shared<std::vector<Op>>();
    ops->push_back(make(*arrays, stream));
    const double bytes_of_one = std::max(1.0, ops->front().work().bytes.base());
    const int sets = static_cast<int>(std::clamp(std::ceil(3.0 * double(cache_bytes) / bytes_of_one), 1.0, 16.0));
    while (static_cast<int>(ops->size()) < sets) ops->push_back(make(*arrays, stream));
    stream.wait();
    const Stream queue = stream.stream();
    return [arrays, ops, queue](int i) { launch<Backend::cuda>((*ops)[static_cast<std::size_t>(i) % ops->size()], queue); };
  };
}

template <class Op>
void give_workspace(Arrays& arrays, Op& op) {
  op.workspace_bytes = op.workspace_size();
  op.workspace = arrays.empty<char>(static_cast<std::int64_t>(op.workspace_bytes));
}

template <class T>
void add_norms(std::vector<Case>& cases, std::int64_t rows, std::int64_t columns) {
  const std::vector<std::pair<std::string, long long>> shape{{"rows", rows}, {"columns", columns}};
  const auto add = [&](const char* op, Work work, Prepare prepare) { cases.push_back({op, type_name<T>(), shape, "", work, true, std::move(prepare)}); };
  const auto rms = [=](Arrays& a, const DeviceStream&) {
    return RmsNormForward<T>{.rows = rows, .columns = columns, .x = a.random<T>(rows * columns), .weight = a.random<T>(columns, 0.5, 1), .out = a.empty<T>(rows * columns),
                             .rstd = a.empty<float>(rows)};
  };
  const auto layer = [=](Arrays& a, const DeviceStream&) {
    return LayerNormForward<T>{.rows = rows, .columns = columns, .x = a.random<T>(rows * columns), .weight = a.random<T>(columns, 0.5, 1), .bias = a.random<T>(columns),
                               .out = a.empty<T>(rows * columns), .mean = a.empty<float>(rows), .rstd = a.empty<float>(rows)};
  };
  const auto rms_backward = [=](Arrays& a, const DeviceStream& stream) {
    const auto forward = rms(a, stream);
    launch<Backend::cuda>(forward, stream.stream());
    RmsNormBackward<T> op{.rows = rows, .columns = columns, .x = forward.x, .weight = forward.weight, .rstd = forward.rstd, .dout = a.random<T>(rows * columns),
                          .dx = forward.out, .dweight = a.empty<float>(columns)};
    give_workspace(a, op);
    return op;
  };
  const auto layer_backward = [=](Arrays& a, const DeviceStream& stream) {
    const auto forward = layer(a, stream);
    launch<Backend::cuda>(forward, stream.stream());
    LayerNormBackward<T> op{.rows = rows, .columns = columns, .x = forward.x, .weight = forward.weight, .mean = forward.mean, .rstd = forward.rstd,
                            .dout = a.random<T>(rows * columns), .dx = forward.out, .dweight = a.empty<float>(columns), .dbias = a.empty<float>(columns)};
    give_workspace(a, op);
    return op;
  };
  add("rms_norm_forward", RmsNormForward<T>{.rows = rows, .columns = columns}.work(), prepare_with(rms));
  add("layer_norm_forward", LayerNormForward<T>{.rows = rows, .columns = columns}.work(), prepare_with(layer));
  add("rms_norm_backward", RmsNormBackward<T>{.rows = rows, .columns = columns}.work(), prepare_with(rms_backward));
  add("layer_norm_backward", LayerNormBackward<T>{.rows = rows, .columns = columns}.work(), prepare_with(layer_backward));
}

template <class T>
void add_elementwise(std::vector<Case>& cases, std::int64_t rows, std::int64_t columns) {
  const std::int64_t count = rows * columns;
  const auto add = [&](const char* op, Work work, Prepare prepare) {
    cases.push_back({op, type_name<T>(), {{"rows", rows}, {"columns", columns}}, "", work, true, std::move(prepare)});
  };
  add("gelu_forward", GeluForward<T>{.count = count}.work(), prepare_with([=](Arrays& a, const DeviceStream&) {
        return GeluForward<T>{.count = count, .x = a.random<T>(count, 4), .out = a.empty<T>(count)};
      }));
  add("gelu_backward", GeluBackward<T>{.count = count}.work(), prepare_with([=](Arrays& a, const DeviceStream&) {
        return GeluBackward<T>{.count = count, .x = a.random<T>(count, 4), .dout = a.random<T>(count), .dx = a.empty<T>(count)};
      }));
  add("swiglu_forward", SwigluForward<T>{.rows = rows, .columns = columns, .stride = 2 * columns}.work(), prepare_with([=](Arrays& a, const DeviceStream&) {
        const T* both = a.random<T>(2 * count, 4);
        return SwigluForward<T>{.rows = rows, .columns = columns, .stride = 2 * columns, .gate = both, .up = both + columns, .out = a.empty<T>(count)};
      }));
  add("swiglu_backward", SwigluBackward<T>{.rows = rows, .columns = columns, .stride = 2 * columns}.work(), prepare_with([=](Arrays& a, const DeviceStream&) {
        const T* both = a.random<T>(2 * count, 4);
        T* gradients = a.empty<T>(2 * count);
        return SwigluBackward<T>{.rows = rows, .columns = columns, .stride = 2 * columns, .gate = both, .up = both + columns, .dout = a.random<T>(count),
                                 .dgate = gradients, .dup = gradients + columns};
      }));
  add("residual_add", ResidualAdd<T>{.count = count}.work(), prepare_with([=](Arrays& a, const DeviceStream&) {
        return ResidualAdd<T>{.count = count, .a = a.random<T>(count), .b = a.random<T>(count), .out = a.empty<T>(count)};
      }));
}

template <class T, class G>
void add_adamw(std::vector<Case>& cases, std::int64_t count, const char* element) {
  const auto make = [=](Arrays& a, const DeviceStream&) {
    return AdamW<T, G>{.count = count, .step = 10, .gradient = a.random<G>(count, 0.01), .master = a.random<float>(count), .first_moment = a.random<float>(count, 0.01),
                       .second_moment = a.random<float>(count, 4e-5, 5e-5), .weight = std::is_same_v<T, float> ? nullptr : a.empty<T>(count)};
  };
  T written;
  const AdamW<T, G> shape{.count = count, .weight = std::is_same_v<T, float> ? nullptr : &written};
  cases.push_back({"adamw", element, {{"count", count}}, "", shape.work(), true, prepare_with(make)});
}

void add_copies(std::vector<Case>& cases, std::int64_t shrink) {
  for (const std::int64_t megabytes_each : {16, 256, 1024}) {
    const std::int64_t count = std::max<std::int64_t>(1, megabytes_each * 250000 / shrink);
    const Work work = Copy<float>{.count = count}.work();
    const auto make = [=](Arrays& a, const DeviceStream&) { return Copy<float>{.count = count, .x = a.random<float>(count), .out = a.empty<float>(count)}; };
    cases.push_back({"copy", "fp32", {{"count", count}}, "own kernel", work, true, prepare_with(make)});
    const auto by_driver = [=](const DeviceStream& stream, std::size_t) -> Launches {
      auto arrays = std::make_shared<Arrays>(stream);
      const float* from = arrays->random<float>(count);
      float* to = arrays->empty<float>(count);
      const Stream queue = stream.stream();
      return [=](int) { (void)arrays, copy_on_device(to, from, static_cast<std::size_t>(count) * sizeof(float), queue); };
    };
    cases.push_back({"copy", "fp32", {{"count", count}}, "driver", work, true, by_driver});
  }
  // One element: what a launch costs on its own, in a stream that is never empty.
  const auto one = [](Arrays& a, const DeviceStream&) { return Copy<float>{.count = 1, .x = a.random<float>(1), .out = a.empty<float>(1)}; };
  cases.push_back({"copy", "fp32", {{"count", 1}}, "launch overhead", Copy<float>{.count = 1}.work(), false, prepare_with(one)});
}

constexpr int algorithms_tried = 16;

/// The time of one algorithm, roughly: the mean of a few launches.
template <class Op>
Seconds quick_time(const Op& op, const DeviceStream& stream) {
  DeviceEvent start, stop;
  launch<Backend::cuda>(op, stream.stream());
  start.record(stream.stream());
  for (int i = 0; i < 10; ++i) launch<Backend::cuda>(op, stream.stream());
  stop.record(stream.stream());
  return stop.since(start) / 10.0;
}

/// The fastest of the library's ways.
template <class T, class R>
MatmulAlgorithm fastest_algorithm(Matmul<T, R> op, const DeviceStream& stream) {
  MatmulAlgorithm best;
  Seconds fastest{std::numeric_limits<double>::infinity()};
  for (const MatmulAlgorithm& algorithm : matmul_algorithms(op, stream.stream(), algorithms_tried)) {
    op.algorithm = &algorithm;
    const Seconds time = quick_time(op, stream);
    if (time < fastest) {
      fastest = time;
      best = algorithm;
    }
  }
  return best;
}

/// The library's first choice, and the fastest of those that it names.
template <class T, class R>
void add_product(std::vector<Case>& cases, const char* element, Matmul<T, R> shape) {
  for (const bool searched : {false, true}) {
    auto algorithm = std::make_shared<std::optional<MatmulAlgorithm>>();  // searched once, on the first operands
    const auto make = [shape, searched, algorithm](Arrays& a, const DeviceStream& stream) {
      Matmul<T, R> op = shape;
      op.a = a.random<T>(op.m * op.k);
      op.b = a.random<T>(op.k * op.n);
      op.c = a.empty<R>(op.m * op.n);
      op.workspace_bytes = matmul_workspace(Backend::cuda, op);
      op.workspace = a.empty<char>(static_cast<std::int64_t>(op.workspace_bytes));
      if (searched && !*algorithm) *algorithm = fastest_algorithm(op, stream);
      if (searched) op.algorithm = &**algorithm;
      return op;
    };
    const std::string way = std::string(shape.transpose_a ? "a^T" : "a") + (shape.transpose_b ? " b^T" : " b") +
                            (searched ? ", best of " + std::to_string(algorithms_tried) : ", first choice");
    cases.push_back({"matmul", element, {{"m", shape.m}, {"n", shape.n}, {"k", shape.k}}, way, shape.work(), false, prepare_with(make)});
  }
}

}  // namespace

std::vector<Case> all_cases(std::int64_t shrink) {
  const auto less = [shrink](std::int64_t size) { return std::max<std::int64_t>(1, size / shrink); };
  std::vector<Case> cases;
  add_copies(cases, shrink);
  // Widths of GPT-2 small, Llama 8B, 70B and 405B.
  for (const auto& [rows, columns] : {std::pair<std::int64_t, std::int64_t>{65536, 768}, {16384, 4096}, {8192, 8192}, {4096, 16384}}) {
    add_norms<Bf16>(cases, less(rows), columns);
  }
  add_norms<float>(cases, less(16384), 4096);
  add_elementwise<Bf16>(cases, less(8192), 14336);
  add_elementwise<float>(cases, less(4096), 14336);
  add_adamw<Bf16, Bf16>(cases, less(100'000'000), "bf16");
  add_adamw<Bf16, float>(cases, less(100'000'000), "bf16, fp32 gradient");
  add_adamw<float, float>(cases, less(100'000'000), "fp32");
  for (const std::int64_t n : {512, 1024, 2048, 4096, 8192}) add_product<Bf16, Bf16>(cases, "bf16", {.m = less(n), .n = less(n), .k = less(n)});
  // A linear layer of Llama 8B's MLP, 8,192 tokens: forward, input gradient, weight gradient into fp32.
  add_product<Bf16, Bf16>(cases, "bf16", {.m = less(8192), .n = less(14336), .k = less(4096), .transpose_b = true});
  add_product<Bf16, Bf16>(cases, "bf16", {.m = less(8192), .n = less(4096), .k = less(14336)});
  add_product<Bf16, float>(cases, "bf16 -> fp32", {.m = less(14336), .n = less(4096), .k = less(8192), .transpose_a = true});
  add_product<float, float>(cases, "fp32", {.m = less(4096), .n = less(4096), .k = less(4096)});
  add_product<float, float>(cases, "tf32", {.m = less(8192), .n = less(8192), .k = less(8192), .allow_tf32 = true});
  return cases;
}

}  // namespace reckon::check
