// Checks of the ops around the products: embedding, rotary positions, cross-entropy, bias.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <numeric>

#include "kernels/op/bias.hpp"
#include "kernels/op/cross_entropy.hpp"
#include "kernels/op/embedding.hpp"
#include "tests/kernels/check/check_attention.hpp"

namespace reckon::check {

/// Whole numbers in [least, most].
inline std::vector<std::int32_t> random_indices(std::int64_t count, std::uint64_t seed, std::int64_t least, std::int64_t most) {
  std::vector<std::int32_t> out(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = std::int32_t(least + std::int64_t((uniform(seed, i) + 1) / 2 * double(most - least + 1)));
  return out;
}

/// Indices on the place of the kernels.
class Indices {
 public:
  Indices(Place& place, std::vector<std::int32_t> indices) : values(std::move(indices)), memory_(place.allocate(values.size() * 4 + 4)) {
    place.write(memory_.get(), values.data(), values.size() * 4);
  }
  const std::int32_t* data() const { return static_cast<const std::int32_t*>(memory_.get()); }
  const std::vector<std::int32_t> values;

 private:
  std::shared_ptr<void> memory_;
};

struct EmbeddingCase {
  std::int64_t tokens, columns, first_row, table_rows, vocabulary;
};

template <class T, class Launch>
Report check_embedding(Place& place, const EmbeddingCase& c, bool accumulate, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  const std::int64_t count = c.tokens * c.columns, table_size = c.table_rows * c.columns;
  const Indices index(place, random_indices(c.tokens, setting.seed, 0, c.vocabulary - 1));
  const Input<T> table(place, table_size, setting, 1), old(place, count, setting, 2), dout(place, count, setting, 3);
  const Input<A> old_table(place, table_size, setting, 4);
  Operand<T> out = accumulate ? Operand<T>(place, old.values, setting.offset) : Operand<T>(place, std::size_t(count), setting.offset);
  Operand<A> dtable(place, old_table.values, setting.offset);
  std::vector<double> out_ref = out.values(), dtable_ref = dtable.values();
  launch(EmbeddingForward<T>{.tokens = c.tokens,
                             .columns = c.columns,
                             .first_row = c.first_row,
                             .table_rows = c.table_rows,
                             .index = index.data(),
                             .table = table.data(),
                             .out = out.data(),
                             .accumulate = accumulate});
  launch(EmbeddingBackward<T>{.tokens = c.tokens,
                              .columns = c.columns,
                              .first_row = c.first_row,
                              .table_rows = c.table_rows,
                              .index = index.data(),
                              .dout = dout.data(),
                              .dtable = dtable.data()});
  reckon::launch<Backend::reference>(EmbeddingForward<double>{.tokens = c.tokens,
                                                              .columns = c.columns,
                                                              .first_row = c.first_row,
                                                              .table_rows = c.table_rows,
                                                              .index = index.values.data(),
                                                              .table = table.wide.data(),
                                                              .out = out_ref.data(),
                                                              .accumulate = accumulate},
                                     {});
  reckon::launch<Backend::reference>(EmbeddingBackward<double>{.tokens = c.tokens,
                                                               .columns = c.columns,
                                                               .first_row = c.first_row,
                                                               .table_rows = c.table_rows,
                                                               .index = index.values.data(),
                                                               .dout = dout.wide.data(),
                                                               .dtable = dtable_ref.data()},
                                     {});
  Report report;
  report.compare("out", out, out_ref, std::vector<double>(out_ref.size(), accumulate ? 2 * roundoff<float>() : 0.0));
  report.compare("dtable", dtable, dtable_ref, std::vector<double>(dtable_ref.size(), 2 * double(c.tokens) * roundoff<float>()));
  return report;
}

struct RotaryCase {
  std::int64_t tokens, heads, head_dim, stride, period;
};

template <class T, class Launch>
Report check_rotary(Place& place, const RotaryCase& c, bool inverse, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  std::vector<std::int64_t> positions(static_cast<std::size_t>(c.period));
  std::iota(positions.begin(), positions.end(), 3);
  const auto tables = rotary_tables<A>(positions, c.head_dim, 100);
  const Input<A> cosine(place, tables.cosine, setting.offset), sine(place, tables.sine, setting.offset);
  const Input<T> before(place, c.tokens * c.stride, setting, 1);
  Operand<T> x(place, before.values, setting.offset);
  std::vector<double> expected = before.wide;
  launch(Rotary<T>{.tokens = c.tokens,
                   .heads = c.heads,
                   .head_dim = c.head_dim,
                   .stride = c.stride,
                   .period = c.period,
                   .inverse = inverse,
                   .cosine = cosine.data(),
                   .sine = sine.data(),
                   .x = x.data()});
  reckon::launch<Backend::reference>(Rotary<double>{.tokens = c.tokens,
                                                    .heads = c.heads,
                                                    .head_dim = c.head_dim,
                                                    .stride = c.stride,
                                                    .period = c.period,
                                                    .inverse = inverse,
                                                    .cosine = cosine.wide.data(),
                                                    .sine = sine.wide.data(),
                                                    .x = expected.data()},
                                     {});
  Report report;
  report.compare("x", x, expected, std::vector<double>(expected.size(), 6 * roundoff<float>()));
  return report;
}

struct CrossEntropyCase {
  std::int64_t rows, columns, stride, first_column, vocabulary;
};

template <class T, class Launch>
Report check_cross_entropy(Place& place, const CrossEntropyCase& c, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  const Input<T> x(place, c.rows * c.stride, setting, 1, 8.0);
  const Indices target(place, random_indices(c.rows, setting.seed, -1, c.vocabulary - 1));  // some have none
  const auto rows = static_cast<std::size_t>(c.rows), count = x.values.size();
  Operand<A> maximum(place, rows, 0), sum(place, rows, 0), logit(place, rows, 0);
  Operand<T> dx(place, count, setting.offset);
  std::vector<double> maximum_ref(rows), sum_ref(rows), logit_ref(rows), dx_ref = dx.values(), tolerance(count, 0.0);
  launch(CrossEntropyForward<T>{.rows = c.rows,
                                .columns = c.columns,
                                .stride = c.stride,
                                .first_column = c.first_column,
                                .x = x.data(),
                                .target = target.data(),
                                .maximum = maximum.data(),
                                .sum = sum.data(),
                                .target_logit = logit.data()});
  reckon::launch<Backend::reference>(CrossEntropyForward<double>{.rows = c.rows,
                                                                 .columns = c.columns,
                                                                 .stride = c.stride,
                                                                 .first_column = c.first_column,
                                                                 .x = x.wide.data(),
                                                                 .target = target.values.data(),
                                                                 .maximum = maximum_ref.data(),
                                                                 .sum = sum_ref.data(),
                                                                 .target_logit = logit_ref.data()},
                                     {});
  std::vector<double> sum_tolerance(rows), none(rows, 0.0);
  for (std::size_t i = 0; i < rows; ++i)
    sum_tolerance[i] = sum_ref[i] * (accumulated<T>(double(std::min<std::int64_t>(c.columns, 4096))) + 32 * roundoff<float>() * 8);
  Report report;
  report.compare("maximum", maximum, maximum_ref, none);
  report.compare("sum", sum, sum_ref, sum_tolerance);
  report.compare("target_logit", logit, logit_ref, none);
  // The backward pass with statistics of a vocabulary twice as wide, as ranks that share it have them.
  std::vector<A> wide_sum(rows), wide_maximum(rows);
  for (std::size_t i = 0; i < rows; ++i) wide_sum[i] = A(2 * sum_ref[i]), wide_maximum[i] = A(maximum_ref[i]);
  const Input<A> sum_in(place, wide_sum, 0), maximum_in(place, wide_maximum, 0);
  const double scale = 0.37;
  launch(CrossEntropyBackward<T>{.rows = c.rows,
                                 .columns = c.columns,
                                 .stride = c.stride,
                                 .first_column = c.first_column,
                                 .scale = scale,
                                 .x = x.data(),
                                 .target = target.data(),
                                 .maximum = maximum_in.data(),
                                 .sum = sum_in.data(),
                                 .dx = dx.data()});
  reckon::launch<Backend::reference>(CrossEntropyBackward<double>{.rows = c.rows,
                                                                  .columns = c.columns,
                                                                  .stride = c.stride,
                                                                  .first_column = c.first_column,
                                                                  .scale = scale,
                                                                  .x = x.wide.data(),
                                                                  .target = target.values.data(),
                                                                  .maximum = maximum_in.wide.data(),
                                                                  .sum = sum_in.wide.data(),
                                                                  .dx = dx_ref.data()},
                                     {});
  for (std::size_t i = 0; i < count; ++i) {
    const bool inside = std::int64_t(i) % c.stride < c.columns;
    tolerance[i] = inside ? 64 * roundoff<float>() * scale * std::min(1.0, 0.05 + std::abs(dx_ref[i])) : 0.0;
  }
  report.compare("dx", dx, dx_ref, tolerance);
  return report;
}

template <class T, class Launch>
Report check_bias(Place& place, std::int64_t rows, std::int64_t columns, bool residual, Setting setting, const Launch& launch) {
  using A = Accumulator<T>;
  const Input<T> x(place, rows * columns, setting, 1), bias(place, columns, setting, 2), other(place, rows * columns, setting, 3);
  const Input<A> old(place, columns, setting, 4);
  Operand<T> out(place, x.values.size(), setting.offset);
  Operand<A> dbias = residual ? Operand<A>(place, old.values, setting.offset) : Operand<A>(place, old.values.size(), setting.offset);
  std::vector<double> out_ref(out.size()), dbias_ref = dbias.values();
  launch(BiasAdd<T>{.rows = rows,
                    .columns = columns,
                    .x = x.data(),
                    .bias = bias.data(),
                    .residual = residual ? other.data() : nullptr,
                    .out = out.data()});
  BiasBackward<T> backward{.rows = rows, .columns = columns, .dout = x.data(), .dbias = dbias.data(), .accumulate = residual};
  Operand<unsigned char> workspace(place, backward.workspace_size(), 0);
  backward.workspace = workspace.data();
  backward.workspace_bytes = backward.workspace_size();
  launch(backward);
  reckon::launch<Backend::reference>(BiasAdd<double>{.rows = rows,
                                                     .columns = columns,
                                                     .x = x.wide.data(),
                                                     .bias = bias.wide.data(),
                                                     .residual = residual ? other.wide.data() : nullptr,
                                                     .out = out_ref.data()},
                                     {});
  BiasBackward<double> wide{.rows = rows, .columns = columns, .dout = x.wide.data(), .dbias = dbias_ref.data(), .accumulate = residual};
  wide.workspace_bytes = wide.workspace_size();
  reckon::launch<Backend::reference>(wide, {});
  Report report;
  report.compare("out", out, out_ref, std::vector<double>(out_ref.size(), 4 * roundoff<float>()));
  report.compare("dbias", dbias, dbias_ref,
                 std::vector<double>(dbias_ref.size(), accumulated<T>(double(rows)) * (1 + std::sqrt(double(rows)) + double(rows) / 8)));
  if (!workspace.guarded()) report.failure = "memory beside the workspace was written";
  return report;
}

/// `visit(name, report)` after each.
template <class T, class Launch, class Visit>
void check_tokens(Place& place, std::uint64_t seed, const Launch& launch, const Visit& visit) {
  const std::string type = sizeof(T) == 2 ? " bf16 " : " fp32 ";
  int number = 0;
  const auto name = [&](const char* op) { return op + type + std::to_string(number++); };
  for (const EmbeddingCase& c :
       {EmbeddingCase{0, 5, 0, 4, 4}, {1, 1, 0, 1, 1}, {7, 33, 0, 10, 10}, {20, 65, 5, 6, 17}, {9, 1030, 3, 4, 9}, {100, 16, 0, 3, 3}}) {
    for (const bool accumulate : {false, true})
      visit(name("embedding"), check_embedding<T>(place, c, accumulate, {seed, std::size_t(accumulate)}, launch));
  }
  for (const RotaryCase& c : {RotaryCase{0, 2, 8, 16, 1}, {1, 1, 2, 2, 1}, {10, 3, 8, 30, 5}, {9, 2, 34, 70, 4}, {33, 4, 64, 256, 33}}) {
    for (const bool inverse : {false, true})
      visit(name("rotary"), check_rotary<T>(place, c, inverse, {seed, std::size_t(inverse)}, launch));
  }
  for (const CrossEntropyCase& c : {CrossEntropyCase{0, 3, 3, 0, 3},
                                    {1, 1, 1, 0, 1},
                                    {5, 31, 31, 0, 31},
                                    {9, 64, 70, 30, 100},
                                    {40, 257, 300, 0, 257},
                                    {3, 9000, 9001, 1000, 12000}}) {
    visit(name("cross_entropy"), check_cross_entropy<T>(place, c, {seed, 1}, launch));
  }
  for (const auto& [rows, columns] : {std::pair<std::int64_t, std::int64_t>{0, 4}, {1, 1}, {5, 33}, {100, 64}, {1000, 7}, {3, 4099}}) {
    for (const bool residual : {false, true})
      visit(name("bias"), check_bias<T>(place, rows, columns, residual, {seed, std::size_t(residual)}, launch));
  }
}

}  // namespace reckon::check
