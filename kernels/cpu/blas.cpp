// fp32 products through OpenBLAS, where the build found it (RECKON_HAS_OPENBLAS).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/blas.hpp"

#ifdef RECKON_HAS_OPENBLAS
#include <cblas.h>
#include <omp.h>

#include <algorithm>
#include <limits>
#endif

namespace reckon {

#ifdef RECKON_HAS_OPENBLAS

bool blas_matmul(const Matmul<float, float>& op) {
  const std::int64_t largest = std::max({op.m, op.n, op.k, op.row_a(), op.row_b(), op.row_c()});
  if (largest > std::numeric_limits<blasint>::max() || op.k == 0) return false;
  openblas_set_num_threads(omp_get_max_threads());  // its own default is every core, whatever OpenMP and MPI were told
  for (std::int64_t i = 0; i < op.batch; ++i) {
    cblas_sgemm(CblasRowMajor, op.transpose_a ? CblasTrans : CblasNoTrans, op.transpose_b ? CblasTrans : CblasNoTrans, blasint(op.m),
                blasint(op.n), blasint(op.k), float(op.alpha), op.a + i * op.stride_a, blasint(op.row_a()), op.b + i * op.stride_b,
                blasint(op.row_b()), float(op.beta), op.c + i * op.step_c(), blasint(op.row_c()));
  }
  return true;
}

#else

bool blas_matmul(const Matmul<float, float>&) { return false; }

#endif

}  // namespace reckon
