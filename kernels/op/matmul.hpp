// Matrix products of row-major matrices.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "kernels/op/backend.hpp"

namespace reckon {

/// A way of computing one shape of product on one device, as the vendor library describes it; see matmul_algorithms.
struct MatmulAlgorithm {
  std::uint64_t opaque[8] = {};
  std::size_t workspace_bytes = 0;
};

/// c = alpha op(a) op(b) + beta c, `batch` times.  op(a): (m, k), op(b): (k, n), c: (m, n); op transposes where asked.
/// Operands are T, the result is R; products are summed in fp32 (double in double).  beta == 0 does not read c; k == 0 scales it.
///
/// Row-major with `lda` elements from a row of a, as it lies in memory, to the next; 0 = without gaps.  Member i of the batch starts
/// i stride_a elements further; 0 = without gaps for c, shared by all members for a and b.
template <class T, class R = T>
struct Matmul {
  using Element = T;
  using Result = R;
  std::int64_t m = 0, n = 0, k = 0, batch = 1;
  bool transpose_a = false, transpose_b = false;
  double alpha = 1, beta = 0;
  const T* a = nullptr;
  const T* b = nullptr;
  R* c = nullptr;
  std::int64_t lda = 0, ldb = 0, ldc = 0;
  std::int64_t stride_a = 0, stride_b = 0, stride_c = 0;
  bool allow_tf32 = false;                     ///< cuda, fp32: round operands to tf32 (10 fraction bits) for the matrix units
  const MatmulAlgorithm* algorithm = nullptr;  ///< cuda: null = the library's first choice
  void* workspace = nullptr;                   ///< optional, see matmul_workspace
  std::size_t workspace_bytes = 0;

  std::int64_t row_a() const { return lda > 0 ? lda : (transpose_a ? m : k); }
  std::int64_t row_b() const { return ldb > 0 ? ldb : (transpose_b ? k : n); }
  std::int64_t row_c() const { return ldc > 0 ? ldc : n; }
  std::int64_t step_c() const { return stride_c > 0 ? stride_c : m * row_c(); }

  Work work() const { return matmul_work(double(batch), double(m), double(n), double(k), sizeof(T), sizeof(R)); }
  void check() const {
    require(m >= 0 && n >= 0 && k >= 0 && batch >= 0, "a product with a negative size");
    require(row_a() >= (transpose_a ? m : k) && row_b() >= (transpose_b ? k : n) && row_c() >= n, "rows of a matrix that overlap");
    require(stride_a >= 0 && stride_b >= 0 && stride_c >= 0, "a product with a negative stride between members of its batch");
  }
};

RECKON_PAIR_OP(Matmul);

/// At most `most` ways in which the vendor library can compute this product on the current device, its own favourite first, using no
/// more than the op's workspace.  The caller times them and keeps the fastest for later launches of the same shape, types and strides.
/// Throws DeviceError as launch<Backend::cuda> does.
template <class T, class R>
std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<T, R>& op, Stream stream, int most);
extern template std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<float, float>&, Stream, int);
extern template std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<Bf16, Bf16>&, Stream, int);
extern template std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<Bf16, float>&, Stream, int);

/// Room that makes a product faster.  cuda: 32 MiB, cuBLAS's own default on Hopper (cuBLAS library documentation, cublasSetWorkspace),
/// which lets it split k.  cpu: the packed left operand, for which it otherwise asks the system in every call.
template <class T, class R>
std::size_t matmul_workspace(Backend backend, const Matmul<T, R>& op) {
  if (backend == Backend::reference) return 0;
  if (backend == Backend::cuda) return std::size_t(32) << 20;
  return std::size_t((op.m + 64) * (op.k + 1)) * sizeof(float) + 128;
}

}  // namespace reckon
