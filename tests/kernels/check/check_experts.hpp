// Checks of the ops of a mixture of experts: the router, and rows gathered by expert and combined again.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <numeric>

#include "kernels/op/experts.hpp"
#include "tests/kernels/check/check_tokens.hpp"

namespace reckon::check {

struct RouterCase {
  std::int64_t tokens, experts, top_k;
  bool renormalise;
};

template <class T, class Launch>
Report check_router(Place& place, const RouterCase& c, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  const Input<T> x(place, c.tokens * c.experts, setting, 1, 3.0);
  const std::size_t all = x.values.size(), chosen = std::size_t(c.tokens * c.top_k);
  Operand<A> p(place, all, 0), weight(place, chosen, 0);
  Operand<std::int32_t> choice(place, std::vector<std::int32_t>(chosen, -1), 0);
  std::vector<double> p_ref(all), weight_ref(chosen), dx_ref(all);
  std::vector<std::int32_t> choice_ref(chosen);
  launch(RouterForward<T>{.tokens = c.tokens,
                          .experts = c.experts,
                          .top_k = c.top_k,
                          .renormalise = c.renormalise,
                          .x = x.data(),
                          .p = p.data(),
                          .choice = choice.data(),
                          .weight = weight.data()});
  reckon::launch<Backend::reference>(RouterForward<double>{.tokens = c.tokens,
                                                           .experts = c.experts,
                                                           .top_k = c.top_k,
                                                           .renormalise = c.renormalise,
                                                           .x = x.wide.data(),
                                                           .p = p_ref.data(),
                                                           .choice = choice_ref.data(),
                                                           .weight = weight_ref.data()},
                                     {});
  const auto within = [](const std::vector<double>& values, double relative) {
    std::vector<double> out(values.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = relative * std::abs(values[i]);
    return out;
  };
  Report report;
  report.compare("p", p, p_ref, within(p_ref, 64 * roundoff<float>()));
  report.compare("weight", weight, weight_ref, within(weight_ref, 96 * roundoff<float>()));
  const std::vector<unsigned char> bytes = choice.bytes_now();
  if (chosen > 0 && std::memcmp(bytes.data(), choice_ref.data(), bytes.size()) != 0)
    report.failure = "other experts are chosen than by the reference";
  std::vector<A> p_values(all), weight_values(chosen);
  for (std::size_t i = 0; i < all; ++i) p_values[i] = A(p_ref[i]);
  for (std::size_t i = 0; i < chosen; ++i) weight_values[i] = A(weight_ref[i]);
  const Input<A> p_in(place, p_values, 0), weight_in(place, weight_values, 0), dweight(place, std::int64_t(chosen), setting, 2);
  const Indices choice_in(place, choice_ref);
  Operand<T> dx(place, all, setting.offset);
  launch(RouterBackward<T>{.tokens = c.tokens,
                           .experts = c.experts,
                           .top_k = c.top_k,
                           .renormalise = c.renormalise,
                           .p = p_in.data(),
                           .choice = choice_in.data(),
                           .weight = weight_in.data(),
                           .dweight = dweight.data(),
                           .dx = dx.data()});
  reckon::launch<Backend::reference>(RouterBackward<double>{.tokens = c.tokens,
                                                            .experts = c.experts,
                                                            .top_k = c.top_k,
                                                            .renormalise = c.renormalise,
                                                            .p = p_in.wide.data(),
                                                            .choice = choice_ref.data(),
                                                            .weight = weight_in.wide.data(),
                                                            .dweight = dweight.wide.data(),
                                                            .dx = dx_ref.data()},
                                     {});
  report.compare("dx", dx, dx_ref, std::vector<double>(all, 64 * roundoff<float>()));
  return report;
}

struct PermuteCase {
  std::int64_t tokens, top_k, columns;
};

template <class T, class Launch>
Report check_permute(Place& place, const PermuteCase& c, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  const std::int64_t rows = c.tokens * c.top_k;
  std::vector<std::int32_t> order(static_cast<std::size_t>(rows)), source(order.size());
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[std::size_t((uniform(setting.seed, i) + 1) / 2 * double(i))]);
  for (std::size_t at = 0; at < order.size(); ++at) source[std::size_t(order[at])] = std::int32_t(std::int64_t(at) / c.top_k);
  const Indices slots(place, order), sources(place, source);
  const Input<T> x(place, c.tokens * c.columns, setting, 1), y(place, rows * c.columns, setting, 2),
      dout(place, c.tokens * c.columns, setting, 3);
  const Input<A> weight(place, rows, setting, 4);
  Operand<T> gathered(place, std::size_t(rows * c.columns), setting.offset),
      combined(place, std::size_t(c.tokens * c.columns), setting.offset), summed(place, std::size_t(c.tokens * c.columns), setting.offset),
      dy(place, std::size_t(rows * c.columns), setting.offset);
  Operand<A> dweight(place, std::size_t(rows), 0);
  std::vector<double> gathered_ref(gathered.size()), combined_ref(combined.size()), summed_ref(summed.size()), dy_ref(dy.size()),
      dweight_ref(dweight.size());
  launch(GatherRows<T>{.rows = rows, .columns = c.columns, .source = sources.data(), .x = x.data(), .out = gathered.data()});
  launch(CombineRows<T>{.tokens = c.tokens,
                        .top_k = c.top_k,
                        .columns = c.columns,
                        .slot = slots.data(),
                        .weight = weight.data(),
                        .x = y.data(),
                        .out = combined.data()});
  launch(CombineRows<T>{
      .tokens = c.tokens, .top_k = c.top_k, .columns = c.columns, .slot = slots.data(), .x = y.data(), .out = summed.data()});
  launch(CombineRowsBackward<T>{.tokens = c.tokens,
                                .top_k = c.top_k,
                                .columns = c.columns,
                                .slot = slots.data(),
                                .weight = weight.data(),
                                .x = y.data(),
                                .dout = dout.data(),
                                .dx = dy.data(),
                                .dweight = dweight.data()});
  const auto reference = [](const auto& op) { reckon::launch<Backend::reference>(op, {}); };
  reference(
      GatherRows<double>{.rows = rows, .columns = c.columns, .source = source.data(), .x = x.wide.data(), .out = gathered_ref.data()});
  reference(CombineRows<double>{.tokens = c.tokens,
                                .top_k = c.top_k,
                                .columns = c.columns,
                                .slot = order.data(),
                                .weight = weight.wide.data(),
                                .x = y.wide.data(),
                                .out = combined_ref.data()});
  reference(CombineRows<double>{
      .tokens = c.tokens, .top_k = c.top_k, .columns = c.columns, .slot = order.data(), .x = y.wide.data(), .out = summed_ref.data()});
  reference(CombineRowsBackward<double>{.tokens = c.tokens,
                                        .top_k = c.top_k,
                                        .columns = c.columns,
                                        .slot = order.data(),
                                        .weight = weight.wide.data(),
                                        .x = y.wide.data(),
                                        .dout = dout.wide.data(),
                                        .dx = dy_ref.data(),
                                        .dweight = dweight_ref.data()});
  const auto bound = [](std::size_t n, double x_bound) { return std::vector<double>(n, x_bound); };
  Report report;
  report.compare("gathered", gathered, gathered_ref, bound(gathered_ref.size(), 0.0));
  report.compare("combined", combined, combined_ref, bound(combined_ref.size(), 2 * double(c.top_k) * roundoff<float>()));
  report.compare("summed", summed, summed_ref, bound(summed_ref.size(), 2 * double(c.top_k) * roundoff<float>()));
  report.compare("dx", dy, dy_ref, bound(dy_ref.size(), 0.0));
  report.compare("dweight", dweight, dweight_ref,
                 bound(dweight_ref.size(), accumulated<T>(double(c.columns)) * (1 + double(c.columns) / 4)));
  return report;
}

/// `visit(name, report)` after each.
template <class T, class Launch, class Visit>
void check_experts(Place& place, std::uint64_t seed, const Launch& launch, const Visit& visit) {
  const std::string type = sizeof(T) == 2 ? " bf16 " : " fp32 ";
  int number = 0;
  const auto name = [&](const char* op) { return op + type + std::to_string(number++); };
  for (const RouterCase& c :
       {RouterCase{0, 4, 2, true}, {1, 1, 1, true}, {7, 2, 1, false}, {33, 8, 2, true}, {17, 60, 4, false}, {9, 128, 8, true}}) {
    visit(name("router"), check_router<T>(place, c, {seed, 1}, launch));
  }
  for (const PermuteCase& c : {PermuteCase{0, 2, 8}, {1, 1, 1}, {5, 2, 33}, {40, 3, 100}, {7, 8, 1500}})
    visit(name("permute"), check_permute<T>(place, c, {seed, 1}, launch));
}

}  // namespace reckon::check
