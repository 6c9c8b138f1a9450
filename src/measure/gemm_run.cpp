// Products in the three roles of a linear layer.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/op/dispatch.hpp"
#include "kernels/op/matmul.hpp"
#include "measure/compute_run.hpp"

namespace reckon::measure {
namespace {

constexpr GemmRole roles[] = {GemmRole::forward, GemmRole::input_gradient, GemmRole::weight_gradient};

struct Sides {
  std::int64_t m, n, k;
};

Sides sides_of(const GemmShape& s) { return {std::int64_t(s.m), std::int64_t(s.n), std::int64_t(s.k)}; }

/// The grid in its three roles, then the plan's own products that the grid has not.
std::vector<GemmCase> cases_of(const ComputePlan& plan) {
  std::vector<GemmCase> out;
  for (const std::int64_t m : plan.gemm_sides)
    for (const std::int64_t n : plan.gemm_sides)
      for (const std::int64_t k : plan.gemm_sides)
        if (2.0 * double(m) * double(n) * double(k) <= plan.largest_gemm)
          for (const GemmRole role : roles) out.push_back({role, {.m = double(m), .n = double(n), .k = double(k), .batch = 1}});
  for (const GemmCase& one : plan.products)
    if (std::find(out.begin(), out.end(), one) == out.end()) out.push_back(one);
  return out;
}

/// The op in its role: in training the left operand has just been made, the right one and the room of the result were touched long ago.
template <class T, class R>
Matmul<T, R> op_of(const Sides& s, GemmRole role, const T* a, const T* b, R* c) {
  return {.m = s.m,
          .n = s.n,
          .k = s.k,
          .transpose_a = role == GemmRole::weight_gradient,
          .transpose_b = role == GemmRole::forward,
          .a = a,
          .b = b,
          .c = c};
}

template <class T, class R>
Timed timed(const Bench& bench, const Arena& inputs, const Arena& outputs, const Sides& s, GemmRole role) {
  return bench.time([&](int turn) {
    launch(bench.backend(),
           op_of<T, R>(s, role, inputs.at<T>(0, s.m * s.k), inputs.at<T>(turn + 1, s.k * s.n), outputs.at<R>(turn, s.m * s.n)),
           bench.stream());
  });
}

/// Every value of a product with awkward sides against sums in double.
template <class T, class R>
void checked(const Bench& bench, const Arena& inputs, const Arena& outputs, GemmRole role) {
  const Sides s{61, 47, 83};
  const T* a = inputs.on_host<T>(0, s.m * s.k);
  const T* b = inputs.on_host<T>(1, s.k * s.n);
  std::vector<double> expected;
  for (std::int64_t i = 0; i < s.m; ++i)
    for (std::int64_t j = 0; j < s.n; ++j) {
      double sum = 0;
      for (std::int64_t l = 0; l < s.k; ++l) {
        const double left = widen(role == GemmRole::weight_gradient ? a[l * s.m + i] : a[i * s.k + l]);
        sum += left * double(widen(role == GemmRole::forward ? b[j * s.k + l] : b[l * s.n + j]));
      }
      expected.push_back(sum);
    }
  R* c = outputs.at<R>(0, s.m * s.n);
  launch(bench.backend(), op_of<T, R>(s, role, inputs.at<T>(0, s.m * s.k), inputs.at<T>(1, s.k * s.n), c), bench.stream());
  check_close(fetched(bench, c, s.m * s.n), expected, sizeof(R) == 2 ? 0.02 : 1e-4, "a product");
}

}  // namespace

std::int64_t count_of_gemm(const ComputePlan& plan) {
  return std::int64_t(cases_of(plan).size() * plan.precisions.size());
}

std::size_t room_of_gemm(const ComputePlan& plan) {
  std::int64_t values = 0;
  for (const GemmCase& one : cases_of(plan)) {
    const Sides s = sides_of(one.shape);
    values = std::max({values, s.m * s.k, s.k * s.n, s.m * s.n});
  }
  return std::size_t(values) * sizeof(float);
}

void measure_gemm(const Bench& bench, const ComputePlan& plan, const Arena& inputs, const Arena& outputs, Samples& samples,
                  const std::function<void()>& advance) {
  for (const Precision precision : plan.precisions) {
    const bool bf16 = precision == Precision::bf16;
    for (const GemmRole role : roles) {
      if (!bf16)
        checked<float, float>(bench, inputs, outputs, role);
      else if (role == GemmRole::weight_gradient)
        checked<Bf16, float>(bench, inputs, outputs, role);
      else
        checked<Bf16, Bf16>(bench, inputs, outputs, role);
    }
    for (const auto& [role, shape] : cases_of(plan)) {
      const Sides s = sides_of(shape);
      const Timed time = !bf16                               ? timed<float, float>(bench, inputs, outputs, s, role)
                         : role == GemmRole::weight_gradient ? timed<Bf16, float>(bench, inputs, outputs, s, role)
                                                             : timed<Bf16, Bf16>(bench, inputs, outputs, s, role);
      samples.gemm.push_back({precision, role, shape, time});
      advance();
    }
  }
}

}  // namespace reckon::measure
