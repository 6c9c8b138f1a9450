// Checks of the element-wise ops: activations, residual sum, copy, AdamW.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/activation.hpp"
#include "kernels/op/adamw.hpp"
#include "kernels/op/memory.hpp"
#include "tests/kernels/check/report.hpp"

namespace reckon::check {

namespace detail {

/// What a computed sigmoid(z) carries relative to itself when its argument carries a few roundings: the exponential multiplies them by |z|.
/// Arguments beyond +-87 may be clamped, which leaves e^-87.
template <class T>
double sigmoid_tolerance(double z) {
  return 16 * roundoff<Accumulator<T>>() * (1 + std::abs(z)) / (1 + std::exp(-z)) + 0x1p-125;
}
inline double gelu_logit(double x) { return 2 * gelu_scale * (x + gelu_cubic * x * x * x); }

}  // namespace detail

template <class T, class Launch>
Report check_gelu_forward(Place& place, std::int64_t count, Setting setting, const Launch& launch) {
  const auto n = static_cast<std::size_t>(count);
  const std::vector<T> x_values = random_elements<T>(n, setting.seed, 12.0);
  const std::vector<double> x_wide = widened(x_values);
  const Operand<T> x(place, x_values, setting.offset);
  Operand<T> out(place, n, setting.offset);
  std::vector<double> expected(n), tolerance(n);
  launch(GeluForward<T>{.count = count, .x = x.data(), .out = out.data()});
  reckon::launch<Backend::reference>(GeluForward<double>{.count = count, .x = x_wide.data(), .out = expected.data()}, {});
  for (std::size_t i = 0; i < n; ++i) tolerance[i] = std::abs(x_wide[i]) * detail::sigmoid_tolerance<T>(detail::gelu_logit(x_wide[i]));
  Report report;
  report.compare("out", out, expected, tolerance);
  return report;
}

template <class T, class Launch>
Report check_gelu_backward(Place& place, std::int64_t count, Setting setting, const Launch& launch) {
  const auto n = static_cast<std::size_t>(count);
  const std::vector<T> x_values = random_elements<T>(n, setting.seed, 6.0), dout_values = random_elements<T>(n, setting.seed + 1);
  const std::vector<double> x_wide = widened(x_values), dout_wide = widened(dout_values);
  const Operand<T> x(place, x_values, setting.offset), dout(place, dout_values, setting.offset);
  Operand<T> dx(place, n, setting.offset);
  std::vector<double> expected(n), tolerance(n);
  launch(GeluBackward<T>{.count = count, .x = x.data(), .dout = dout.data(), .dx = dx.data()});
  reckon::launch<Backend::reference>(GeluBackward<double>{.count = count, .x = x_wide.data(), .dout = dout_wide.data(), .dx = expected.data()}, {});
  for (std::size_t i = 0; i < n; ++i) {
    const double v = x_wide[i], z = detail::gelu_logit(v), slope = gelu_scale * (1 + 3 * gelu_cubic * v * v);
    const double s = detail::sigmoid_tolerance<T>(z), rest = 1 / (1 + std::exp(z));
    tolerance[i] = std::abs(dout_wide[i]) * (s + 2 * std::abs(v) * slope * (s * rest + detail::sigmoid_tolerance<T>(-z) / (1 + std::exp(-z))));
  }
  Report report;
  report.compare("dx", dx, expected, tolerance);
  return report;
}

struct RowShape {
  std::int64_t rows, columns, stride;
};

template <class T, class Launch>
Report check_swiglu_forward(Place& place, RowShape s, Setting setting, const Launch& launch) {
  const auto n = static_cast<std::size_t>(s.rows * s.columns), in = static_cast<std::size_t>(s.rows * s.stride);
  const std::vector<T> gate_values = random_elements<T>(in, setting.seed, 12.0), up_values = random_elements<T>(in, setting.seed + 1);
  const std::vector<double> gate_wide = widened(gate_values), up_wide = widened(up_values);
  const Operand<T> gate(place, gate_values, setting.offset), up(place, up_values, setting.offset);
  Operand<T> out(place, n, setting.offset);
  std::vector<double> expected(n), tolerance(n);
  launch(SwigluForward<T>{.rows = s.rows, .columns = s.columns, .stride = s.stride, .gate = gate.data(), .up = up.data(), .out = out.data()});
  reckon::launch<Backend::reference>(SwigluForward<double>{.rows = s.rows, .columns = s.columns, .stride = s.stride, .gate = gate_wide.data(), .up = up_wide.data(),
                                                           .out = expected.data()},
                                     {});
  for (std::int64_t i = 0; i < s.rows * s.columns; ++i) {
    const auto at = static_cast<std::size_t>(i / s.columns * s.stride + i % s.columns);
    tolerance[static_cast<std::size_t>(i)] = std::abs(gate_wide[at] * up_wide[at]) * detail::sigmoid_tolerance<T>(gate_wide[at]);
  }
  Report report;
  report.compare("out", out, expected, tolerance);
  return report;
}

template <class T, class Launch>
Report check_swiglu_backward(Place& place, RowShape s, Setting setting, const Launch& launch) {
  const auto n = static_cast<std::size_t>(s.rows * s.columns), in = static_cast<std::size_t>(s.rows * s.stride);
  const std::vector<T> gate_values = random_elements<T>(in, setting.seed, 6.0), up_values = random_elements<T>(in, setting.seed + 1),
                       dout_values = random_elements<T>(n, setting.seed + 2);
  const std::vector<double> gate_wide = widened(gate_values), up_wide = widened(up_values), dout_wide = widened(dout_values);
  const Operand<T> gate(place, gate_values, setting.offset), up(place, up_values, setting.offset), dout(place, dout_values, setting.offset);
  Operand<T> dgate(place, in, setting.offset), dup(place, in, setting.offset);
  std::vector<double> dgate_ref = dgate.values(), dup_ref = dup.values(), dgate_tolerance(in), dup_tolerance(in);  // gaps stay poisoned
  launch(SwigluBackward<T>{.rows = s.rows, .columns = s.columns, .stride = s.stride, .gate = gate.data(), .up = up.data(), .dout = dout.data(),
                           .dgate = dgate.data(), .dup = dup.data()});
  reckon::launch<Backend::reference>(SwigluBackward<double>{.rows = s.rows, .columns = s.columns, .stride = s.stride, .gate = gate_wide.data(), .up = up_wide.data(),
                                                            .dout = dout_wide.data(), .dgate = dgate_ref.data(), .dup = dup_ref.data()},
                                     {});
  for (std::int64_t i = 0; i < s.rows * s.columns; ++i) {
    const auto at = static_cast<std::size_t>(i / s.columns * s.stride + i % s.columns);
    const double g = gate_wide[at], d = std::abs(dout_wide[static_cast<std::size_t>(i)]);
    const double s_tolerance = detail::sigmoid_tolerance<T>(g), rest_tolerance = detail::sigmoid_tolerance<T>(-g), sigma = 1 / (1 + std::exp(-g));
    dgate_tolerance[at] = d * std::abs(up_wide[at]) * (s_tolerance * (1 + std::abs(g)) + sigma * std::abs(g) * rest_tolerance);
    dup_tolerance[at] = d * std::abs(g) * s_tolerance;
  }
  Report report;
  report.compare("dgate", dgate, dgate_ref, dgate_tolerance);
  report.compare("dup", dup, dup_ref, dup_tolerance);
  return report;
}

template <class T, class Launch>
Report check_residual_add(Place& place, std::int64_t count, Setting setting, const Launch& launch) {
  const auto n = static_cast<std::size_t>(count);
  const std::vector<T> a_values = random_elements<T>(n, setting.seed, 3.0), b_values = random_elements<T>(n, setting.seed + 1);
  const std::vector<double> a_wide = widened(a_values), b_wide = widened(b_values);
  const Operand<T> a(place, a_values, setting.offset), b(place, b_values, setting.offset);
  Operand<T> out(place, n, setting.offset);
  std::vector<double> expected(n);
  launch(ResidualAdd<T>{.count = count, .a = a.data(), .b = b.data(), .out = out.data()});
  reckon::launch<Backend::reference>(ResidualAdd<double>{.count = count, .a = a_wide.data(), .b = b_wide.data(), .out = expected.data()}, {});
  // bf16: the exact sum is rounded to fp32 first.
  std::vector<double> tolerance(n);
  for (std::size_t i = 0; i < n; ++i) tolerance[i] = std::is_same_v<T, Bf16> ? roundoff<float>() * std::abs(expected[i]) : 0.0;
  Report report;
  report.compare("out", out, expected, tolerance);
  return report;
}

template <class T, class Launch>
Report check_copy(Place& place, std::int64_t count, Setting setting, const Launch& launch) {
  const Operand<T> x(place, random_elements<T>(static_cast<std::size_t>(count), setting.seed), setting.offset);
  Operand<T> out(place, static_cast<std::size_t>(count), setting.offset);
  launch(Copy<T>{.count = count, .x = x.data(), .out = out.data()});
  Report report;
  if (out.bytes_now() != x.bytes_now()) report.failure = "out is not x bit by bit";
  if (!out.guarded()) report.failure = "memory beside out was written";
  return report;
}

struct AdamWShape {
  std::int64_t count, step;
  bool working_weight = true;
};

template <class T, class G, class Launch>
Report check_adamw(Place& place, AdamWShape s, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  const auto n = static_cast<std::size_t>(s.count);
  const std::vector<G> gradient_values = random_elements<G>(n, setting.seed, 0.1);
  const std::vector<A> master_values = random_elements<A>(n, setting.seed + 1), m_values = random_elements<A>(n, setting.seed + 2, 0.05),
                       v_values = random_elements<A>(n, setting.seed + 3, 0.004, 0.005);
  std::vector<double> gradient_wide = widened(gradient_values), w = widened(master_values), m = widened(m_values), v = widened(v_values);
  const std::vector<double> w_old = w, m_old = m, v_old = v;
  const Operand<G> gradient(place, gradient_values, setting.offset);
  Operand<A> master(place, master_values, setting.offset), first(place, m_values, setting.offset), second(place, v_values, setting.offset);
  Operand<T> weight(place, n, setting.offset);
  const double rate = 0.01, beta1 = 0.9, beta2 = 0.95, epsilon = 1e-3, decay = 0.1, scale = 0.5;
  launch(AdamW<T, G>{.count = s.count, .step = s.step, .learning_rate = rate, .beta1 = beta1, .beta2 = beta2, .epsilon = epsilon, .weight_decay = decay,
                     .gradient_scale = scale, .gradient = gradient.data(), .master = master.data(), .first_moment = first.data(),
                     .second_moment = second.data(), .weight = s.working_weight ? weight.data() : nullptr});
  AdamW<double> reference{.count = s.count, .step = s.step, .learning_rate = rate, .beta1 = beta1, .beta2 = beta2, .epsilon = epsilon, .weight_decay = decay,
                          .gradient_scale = scale, .gradient = gradient_wide.data(), .master = w.data(), .first_moment = m.data(), .second_moment = v.data()};
  reckon::launch<Backend::reference>(reference, {});
  const double u = roundoff<A>(), correction1 = 1 - std::pow(beta1, double(s.step)), correction2 = 1 - std::pow(beta2, double(s.step));
  std::vector<double> w_tolerance(n), m_tolerance(n), v_tolerance(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double g = std::abs(scale * gradient_wide[i]), m_size = beta1 * std::abs(m_old[i]) + (1 - beta1) * g;
    m_tolerance[i] = 4 * u * m_size;
    v_tolerance[i] = 6 * u * (beta2 * v_old[i] + (1 - beta2) * g * g);
    w_tolerance[i] = 4 * u * std::abs(w_old[i]) + 16 * u * rate * m_size / correction1 / (std::sqrt(v[i] / correction2) + epsilon);
  }
  Report report;
  report.compare("master", master, w, w_tolerance);
  report.compare("first moment", first, m, m_tolerance);
  report.compare("second moment", second, v, v_tolerance);
  if (s.working_weight) {
    for (std::size_t i = 0; i < n; ++i) w_tolerance[i] += u * std::abs(w[i]);
    report.compare("weight", weight, w, w_tolerance);
  }
  return report;
}

}  // namespace reckon::check
