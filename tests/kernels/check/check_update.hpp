// Checks of SGD, LAMB, the sum of squares and casts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/update.hpp"
#include "tests/kernels/check/check_attention.hpp"

namespace reckon::check {

namespace detail {
inline std::vector<double> relative(const std::vector<double>& values, double factor, double floor) {
  std::vector<double> out(values.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = factor * roundoff<float>() * (std::abs(values[i]) + floor);
  return out;
}
}  // namespace detail

template <class T, class G, class Launch>
Report check_sgd(Place& place, std::int64_t count, bool with_weight, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  const Input<G> gradient(place, count, setting, 1);
  const Input<A> old_master(place, count, setting, 2), old_momentum(place, count, setting, 3);
  Operand<A> master(place, old_master.values, setting.offset), momentum(place, old_momentum.values, setting.offset);
  Operand<T> weight(place, old_master.values.size(), setting.offset);
  std::vector<double> master_ref = old_master.wide, momentum_ref = old_momentum.wide;
  launch(Sgd<T, G>{.count = count,
                   .learning_rate = 0.1,
                   .momentum_factor = 0.8,
                   .weight_decay = 0.03,
                   .gradient_scale = 0.5,
                   .gradient = gradient.data(),
                   .master = master.data(),
                   .momentum = momentum.data(),
                   .weight = with_weight ? weight.data() : nullptr});
  reckon::launch<Backend::reference>(Sgd<double>{.count = count,
                                                 .learning_rate = 0.1,
                                                 .momentum_factor = 0.8,
                                                 .weight_decay = 0.03,
                                                 .gradient_scale = 0.5,
                                                 .gradient = gradient.wide.data(),
                                                 .master = master_ref.data(),
                                                 .momentum = momentum_ref.data()},
                                     {});
  Report report;
  report.compare("momentum", momentum, momentum_ref, detail::relative(momentum_ref, 6, 1));
  report.compare("master", master, master_ref, detail::relative(master_ref, 6, 1));
  if (with_weight) report.compare("weight", weight, master_ref, detail::relative(master_ref, 6, 1));
  return report;
}

template <class T, class G, class Launch>
Report check_lamb(Place& place, std::int64_t count, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  const Input<G> gradient(place, count, setting, 1);
  const Input<A> old_master(place, count, setting, 2), old_first(place, count, setting, 3);
  std::vector<A> squares(old_first.values.size());
  for (std::size_t i = 0; i < squares.size(); ++i) squares[i] = A(0.1 + old_first.wide[i] * old_first.wide[i]);
  const Input<A> old_second(place, squares, setting.offset);
  Operand<A> master(place, old_master.values, setting.offset), first(place, old_first.values, setting.offset),
      second(place, old_second.values, setting.offset), update(place, old_first.values.size(), setting.offset);
  Operand<T> weight(place, old_master.values.size(), setting.offset);
  Operand<double> norms(place, 2, 0);
  std::vector<double> master_ref = old_master.wide, first_ref = old_first.wide, second_ref = old_second.wide, update_ref(master_ref.size()),
                      norms_ref(2);
  LambMoments<T, G> op{.count = count,
                       .step = 3,
                       .beta2 = 0.99,
                       .weight_decay = 0.1,
                       .gradient_scale = 0.5,
                       .gradient = gradient.data(),
                       .master = master.data(),
                       .first_moment = first.data(),
                       .second_moment = second.data(),
                       .update = update.data(),
                       .norms = norms.data()};
  Operand<unsigned char> workspace(place, op.workspace_size(), 0);
  op.workspace = workspace.data();
  op.workspace_bytes = op.workspace_size();
  launch(op);
  launch(LambApply<T>{.count = count,
                      .learning_rate = 0.02,
                      .norms = norms.data(),
                      .update = update.data(),
                      .master = master.data(),
                      .weight = weight.data()});
  LambMoments<double> wide{.count = count,
                           .step = 3,
                           .beta2 = 0.99,
                           .weight_decay = 0.1,
                           .gradient_scale = 0.5,
                           .gradient = gradient.wide.data(),
                           .master = master_ref.data(),
                           .first_moment = first_ref.data(),
                           .second_moment = second_ref.data(),
                           .update = update_ref.data(),
                           .norms = norms_ref.data()};
  wide.workspace_bytes = wide.workspace_size();
  reckon::launch<Backend::reference>(wide, {});
  reckon::launch<Backend::reference>(
      LambApply<double>{
          .count = count, .learning_rate = 0.02, .norms = norms_ref.data(), .update = update_ref.data(), .master = master_ref.data()},
      {});
  Report report;
  report.compare("first moment", first, first_ref, detail::relative(first_ref, 6, 1));
  report.compare("second moment", second, second_ref, detail::relative(second_ref, 6, 1));
  report.compare("update", update, update_ref, detail::relative(update_ref, 32, 1));
  report.compare("norms", norms, norms_ref, detail::relative(norms_ref, 64, 0));
  report.compare("master", master, master_ref, detail::relative(master_ref, 32, 1));
  report.compare("weight", weight, master_ref, detail::relative(master_ref, 32, 1));
  if (!workspace.guarded()) report.failure = "memory beside the workspace was written";
  return report;
}

template <class T, class Launch>
Report check_squares_and_casts(Place& place, std::int64_t count, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  const Input<T> x(place, count, setting, 1);
  const Input<A> exact(place, count, setting, 2);
  Operand<double> result(place, 1, 0);
  Operand<T> narrowed(place, x.values.size(), setting.offset);
  Operand<A> widened_out(place, x.values.size(), setting.offset);
  double squares = 0;
  SumOfSquares<T> op{.count = count, .x = x.data(), .result = result.data()};
  Operand<unsigned char> workspace(place, op.workspace_size(), 0);
  op.workspace = workspace.data();
  op.workspace_bytes = op.workspace_size();
  launch(op);
  launch(Narrow<T>{.count = count, .scale = A(0.75), .x = exact.data(), .out = narrowed.data()});
  launch(Widen<T>{.count = count, .x = x.data(), .out = widened_out.data()});
  for (const double value : x.wide) squares += value * value;
  std::vector<double> scaled = exact.wide;
  for (double& value : scaled) value *= 0.75;
  Report report;
  report.compare("sum of squares", result, {squares}, {1e-12 * squares});
  report.compare("narrowed", narrowed, scaled, detail::relative(scaled, 1, 0));
  report.compare("widened", widened_out, x.wide, std::vector<double>(x.wide.size(), 0.0));
  return report;
}

/// `visit(name, report)` after each.
template <class T, class Launch, class Visit>
void check_updates(Place& place, std::uint64_t seed, const Launch& launch, const Visit& visit) {
  const std::string type = sizeof(T) == 2 ? " bf16 " : " fp32 ";
  for (const std::int64_t count : {0, 1, 3, 17, 1000, 4097, 30001}) {
    const std::string suffix = type + std::to_string(count);
    visit("sgd" + suffix, check_sgd<T, T>(place, count, true, {seed, 1}, launch));
    visit("sgd without weight" + suffix, check_sgd<T, T>(place, count, false, {seed, 0}, launch));
    visit("lamb" + suffix, check_lamb<T, T>(place, count, {seed, 0}, launch));
    visit("squares and casts" + suffix, check_squares_and_casts<T>(place, count, {seed, 1}, launch));
    if constexpr (sizeof(T) == 2) {
      visit("sgd fp32 gradient" + suffix, check_sgd<T, float>(place, count, true, {seed, 0}, launch));
      visit("lamb fp32 gradient" + suffix, check_lamb<T, float>(place, count, {seed, 0}, launch));
    }
  }
}

}  // namespace reckon::check
