// Checks of the norms.  `launch(op)` is what is checked; operands are drawn fresh, the reference runs in double on the same elements.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/norm.hpp"
#include "tests/kernels/check/report.hpp"

namespace reckon::check {

struct NormShape {
  std::int64_t rows, columns;
  double centre = 0;        ///< mean of x: large against its spread where cancellation is tried
  bool accumulate = false;  ///< of the weight gradients
};

namespace detail {

/// Statistics of one row that tolerances need.
struct RowMagnitude {
  double rstd = 0, mean_x = 0;  ///< mean of |x|
};

inline std::size_t size_of(NormShape s) { return static_cast<std::size_t>(s.rows * s.columns); }

/// Operands of a norm in type T and, widened, in double.
template <class T>
struct NormOperands {
  NormOperands(Place& place, NormShape s, Setting setting)
      : x_values(random_elements<T>(size_of(s), setting.seed, 2.0, s.centre)),
        weight_values(random_elements<T>(static_cast<std::size_t>(s.columns), setting.seed + 1, 0.5, 1.0)),
        bias_values(random_elements<T>(static_cast<std::size_t>(s.columns), setting.seed + 2)),
        dout_values(random_elements<T>(size_of(s), setting.seed + 3)),
        x(place, x_values, setting.offset),
        weight(place, weight_values, setting.offset),
        bias(place, bias_values, setting.offset),
        dout(place, dout_values, setting.offset),
        x_wide(widened(x_values)),
        weight_wide(widened(weight_values)),
        bias_wide(widened(bias_values)),
        dout_wide(widened(dout_values)) {}
  std::vector<T> x_values, weight_values, bias_values, dout_values;
  Operand<T> x, weight, bias, dout;
  std::vector<double> x_wide, weight_wide, bias_wide, dout_wide;
};

}  // namespace detail

/// RMSNorm (centred false) or LayerNorm forward.
template <class T, bool centred, class Launch>
Report check_norm_forward(Place& place, NormShape s, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  const auto rows = static_cast<std::size_t>(s.rows), columns = static_cast<std::size_t>(s.columns);
  const detail::NormOperands<T> in(place, s, setting);
  Operand<T> out(place, rows * columns, setting.offset);
  Operand<A> mean(place, rows, 0), rstd(place, rows, 0);
  std::vector<double> out_ref(rows * columns), mean_ref(rows), rstd_ref(rows);
  const A epsilon = A(1e-5);
  if constexpr (centred) {
    launch(LayerNormForward<T>{.rows = s.rows, .columns = s.columns, .epsilon = epsilon, .x = in.x.data(), .weight = in.weight.data(),
                               .bias = in.bias.data(), .out = out.data(), .mean = mean.data(), .rstd = rstd.data()});
    reckon::launch<Backend::reference>(
        LayerNormForward<double>{.rows = s.rows, .columns = s.columns, .epsilon = double(epsilon), .x = in.x_wide.data(), .weight = in.weight_wide.data(),
                                 .bias = in.bias_wide.data(), .out = out_ref.data(), .mean = mean_ref.data(), .rstd = rstd_ref.data()},
        {});
  } else {
    launch(RmsNormForward<T>{.rows = s.rows, .columns = s.columns, .epsilon = epsilon, .x = in.x.data(), .weight = in.weight.data(), .out = out.data(),
                             .rstd = rstd.data()});
    reckon::launch<Backend::reference>(
        RmsNormForward<double>{.rows = s.rows, .columns = s.columns, .epsilon = double(epsilon), .x = in.x_wide.data(), .weight = in.weight_wide.data(),
                               .out = out_ref.data(), .rstd = rstd_ref.data()},
        {});
  }
  Report report;
  if (columns == 0) return report;
  const double u = accumulated<T>(double(columns));
  std::vector<double> out_tolerance(rows * columns), mean_tolerance(rows), rstd_tolerance(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    double mean_x = 0;
    for (std::size_t c = 0; c < columns; ++c) mean_x += std::abs(in.x_wide[row * columns + c]) / double(columns);
    // A deviation x - mean carries u (|x| + mean|x|); relative to the spread 1 / rstd that also reaches rstd.
    const double relative = u * (1 + (centred ? mean_x * rstd_ref[row] : 0.0));
    mean_tolerance[row] = u * mean_x;
    rstd_tolerance[row] = relative * rstd_ref[row];
    for (std::size_t c = 0; c < columns; ++c) {
      const double x = std::abs(in.x_wide[row * columns + c]), deviation = std::abs(in.x_wide[row * columns + c] - mean_ref[row]);
      const double weighted = rstd_ref[row] * std::abs(in.weight_wide[c]);
      out_tolerance[row * columns + c] = weighted * (u * (x + (centred ? mean_x : 0.0)) + relative * deviation) + (centred ? u * std::abs(in.bias_wide[c]) : 0);
    }
  }
  report.compare("out", out, out_ref, out_tolerance);
  report.compare("rstd", rstd, rstd_ref, rstd_tolerance);
  if (centred) report.compare("mean", mean, mean_ref, mean_tolerance);
  return report;
}

/// RMSNorm (centred false) or LayerNorm backward, given the exact statistics of the forward pass rounded to the accumulator.
template <class T, bool centred, class Launch>
Report check_norm_backward(Place& place, NormShape s, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  const auto rows = static_cast<std::size_t>(s.rows), columns = static_cast<std::size_t>(s.columns);
  const detail::NormOperands<T> in(place, s, setting);
  std::vector<A> mean_values(rows), rstd_values(rows);
  for (std::size_t row = 0; row < rows && columns > 0; ++row) {
    double mean = 0, variance = 0;
    for (std::size_t c = 0; c < columns; ++c) mean += centred ? in.x_wide[row * columns + c] / double(columns) : 0.0;
    for (std::size_t c = 0; c < columns; ++c) variance += std::pow(in.x_wide[row * columns + c] - mean, 2) / double(columns);
    mean_values[row] = A(mean);
    rstd_values[row] = A(1 / std::sqrt(variance + 1e-5));
  }
  const std::vector<A> old_weight = random_elements<A>(columns, setting.seed + 4), old_bias = random_elements<A>(columns, setting.seed + 5);
  const Operand<A> mean(place, mean_values, 0), rstd(place, rstd_values, 0);
  Operand<T> dx(place, rows * columns, setting.offset);
  Operand<A> dweight = s.accumulate ? Operand<A>(place, old_weight, 0) : Operand<A>(place, columns, 0);
  Operand<A> dbias = s.accumulate ? Operand<A>(place, old_bias, 0) : Operand<A>(place, columns, 0);
  std::vector<double> dx_ref(rows * columns), dweight_ref = widened(old_weight), dbias_ref = widened(old_bias);
  const std::vector<double> mean_wide = widened(mean_values), rstd_wide = widened(rstd_values);
  const auto room = [&](auto op) {
    Operand<unsigned char> workspace(place, op.workspace_size(), 0);
    op.workspace = workspace.data();
    op.workspace_bytes = workspace.size();
    launch(op);
    return workspace.guarded();
  };
  Report report;
  bool guarded = true;
  if constexpr (centred) {
    guarded = room(LayerNormBackward<T>{.rows = s.rows, .columns = s.columns, .x = in.x.data(), .weight = in.weight.data(), .mean = mean.data(), .rstd = rstd.data(),
                                        .dout = in.dout.data(), .dx = dx.data(), .dweight = dweight.data(), .dbias = dbias.data(), .accumulate = s.accumulate});
    LayerNormBackward<double> op{.rows = s.rows, .columns = s.columns, .x = in.x_wide.data(), .weight = in.weight_wide.data(), .mean = mean_wide.data(),
                                 .rstd = rstd_wide.data(), .dout = in.dout_wide.data(), .dx = dx_ref.data(), .dweight = dweight_ref.data(), .dbias = dbias_ref.data(),
                                 .accumulate = s.accumulate};
    op.workspace_bytes = op.workspace_size();
    reckon::launch<Backend::reference>(op, {});
  } else {
    guarded = room(RmsNormBackward<T>{.rows = s.rows, .columns = s.columns, .x = in.x.data(), .weight = in.weight.data(), .rstd = rstd.data(), .dout = in.dout.data(),
                                      .dx = dx.data(), .dweight = dweight.data(), .accumulate = s.accumulate});
    RmsNormBackward<double> op{.rows = s.rows, .columns = s.columns, .x = in.x_wide.data(), .weight = in.weight_wide.data(), .rstd = rstd_wide.data(),
                               .dout = in.dout_wide.data(), .dx = dx_ref.data(), .dweight = dweight_ref.data(), .accumulate = s.accumulate};
    op.workspace_bytes = op.workspace_size();
    reckon::launch<Backend::reference>(op, {});
  }
  if (!guarded) report.failure = "memory beside the workspace was written";
  const double u = accumulated<T>(double(columns)), u_rows = accumulated<T>(double(rows));
  std::vector<double> dx_tolerance(rows * columns), dweight_tolerance(columns), dbias_tolerance(columns);
  for (std::size_t c = 0; c < columns && s.accumulate; ++c) {
    dweight_tolerance[c] = u_rows * std::abs(double(old_weight[c]));
    dbias_tolerance[c] = u_rows * std::abs(double(old_bias[c]));
  }
  for (std::size_t row = 0; row < rows; ++row) {
    double mean_g = 0, mean_gn = 0;
    const auto normed = [&](std::size_t c) { return (std::abs(in.x_wide[row * columns + c]) + std::abs(mean_wide[row])) * rstd_wide[row]; };
    const auto g = [&](std::size_t c) { return std::abs(in.dout_wide[row * columns + c] * in.weight_wide[c]); };
    for (std::size_t c = 0; c < columns; ++c) {
      mean_g += centred ? g(c) / double(columns) : 0.0;
      mean_gn += g(c) * normed(c) / double(columns);
    }
    for (std::size_t c = 0; c < columns; ++c) {
      const double dout = std::abs(in.dout_wide[row * columns + c]);
      dx_tolerance[row * columns + c] = u * rstd_wide[row] * (g(c) + mean_g + normed(c) * mean_gn);
      dweight_tolerance[c] += u_rows * dout * normed(c);
      dbias_tolerance[c] += u_rows * dout;
    }
  }
  report.compare("dx", dx, dx_ref, dx_tolerance);
  report.compare("dweight", dweight, dweight_ref, dweight_tolerance);
  if (centred) report.compare("dbias", dbias, dbias_ref, dbias_tolerance);
  return report;
}

}  // namespace reckon::check
