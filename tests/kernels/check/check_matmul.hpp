// Check of the matrix product.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/matmul.hpp"
#include "tests/kernels/check/report.hpp"

namespace reckon::check {

struct MatmulShape {
  std::int64_t m, n, k, batch = 1;
  bool transpose_a = false, transpose_b = false;
  double alpha = 1, beta = 0;
  std::int64_t gap = 0;      ///< elements between the rows of every matrix
  bool shared_b = false;     ///< all members of the batch use one b
};

/// Room for checks on a device: enough to let the library split k, small enough to guard and read back each time.
inline constexpr std::size_t check_workspace = std::size_t(4) << 20;

/// `workspace_bytes` says how much room the launch gets; `tf32` allows operands to lose 13 fraction bits.
template <class T, class R, class Launch>
Report check_matmul(Place& place, MatmulShape s, Setting setting, const Launch& launch, std::size_t workspace_bytes = 0, bool tf32 = false) {
  Matmul<T, R> op{.m = s.m, .n = s.n, .k = s.k, .batch = s.batch, .transpose_a = s.transpose_a, .transpose_b = s.transpose_b, .alpha = s.alpha, .beta = s.beta};
  op.lda = (s.transpose_a ? s.m : s.k) + s.gap;
  op.ldb = (s.transpose_b ? s.k : s.n) + s.gap;
  op.ldc = s.n + s.gap;
  if (op.lda == 0) op.lda = 1;
  if (op.ldb == 0) op.ldb = 1;
  if (op.ldc == 0) op.ldc = 1;
  const std::int64_t size_a = (s.transpose_a ? s.k : s.m) * op.lda, size_b = (s.transpose_b ? s.n : s.k) * op.ldb, size_c = s.m * op.ldc;
  op.stride_a = size_a;
  op.stride_b = s.shared_b ? 0 : size_b;
  op.stride_c = size_c;
  op.allow_tf32 = tf32;
  const auto a_values = random_elements<T>(static_cast<std::size_t>(size_a * s.batch), setting.seed);
  const auto b_values = random_elements<T>(static_cast<std::size_t>(size_b * (s.shared_b ? 1 : s.batch)), setting.seed + 1);
  const auto c_values = random_elements<R>(static_cast<std::size_t>(size_c * s.batch), setting.seed + 2);
  const std::vector<double> a_wide = widened(a_values), b_wide = widened(b_values);
  const Operand<T> a(place, a_values, setting.offset), b(place, b_values, setting.offset);
  // With beta == 0 the old c is poison: reading it shows.
  Operand<R> c = s.beta == 0 ? Operand<R>(place, c_values.size(), setting.offset) : Operand<R>(place, c_values, setting.offset);
  std::vector<double> expected = c.values();
  const std::vector<double> old = expected;
  Operand<unsigned char> workspace(place, workspace_bytes, 0);
  op.a = a.data();
  op.b = b.data();
  op.c = c.data();
  if (workspace_bytes > 0) op.workspace = workspace.data();
  op.workspace_bytes = workspace_bytes;
  launch(op);
  Matmul<double> wide{.m = s.m, .n = s.n, .k = s.k, .batch = s.batch, .transpose_a = s.transpose_a, .transpose_b = s.transpose_b, .alpha = s.alpha,
                      .beta = s.beta, .a = a_wide.data(), .b = b_wide.data(), .c = expected.data(), .lda = op.lda, .ldb = op.ldb, .ldc = op.ldc,
                      .stride_a = op.stride_a, .stride_b = op.stride_b, .stride_c = op.stride_c};
  reckon::launch<Backend::reference>(wide, {});
  // Elements lie in [-1, 1): a sum of k products of mean magnitude 1/4.  Each row's actual magnitudes would cost another product; k / 4 and
  // 3 standard deviations above it bound all but one element in a thousand, which the factor of `accumulated` covers.
  const double k = double(s.k), magnitude = k / 4 + 3 * std::sqrt(k) * 0.22 + 1;
  const double relative = accumulated<T>(k) + (tf32 ? 2 * 0x1p-11 : 0.0);
  std::vector<double> tolerance(expected.size(), 0.0);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool inside = static_cast<std::int64_t>(i) % op.ldc < s.n;
    tolerance[i] = inside ? relative * std::abs(s.alpha) * magnitude + (s.beta == 0 ? 0.0 : 4 * roundoff<float>() * std::abs(s.beta * old[i])) : 0.0;
  }
  Report report;
  report.compare("c", c, expected, tolerance);
  if (!workspace.guarded()) report.failure = "memory beside the workspace was written";
  return report;
}

}  // namespace reckon::check
