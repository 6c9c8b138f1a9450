// The matrix product as its formula reads (kernels/op/matmul.hpp).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/narrow_matmul.hpp"

#include "kernels/reference/rounding.hpp"

namespace reckon {
namespace {

template <class T, class R>
void matmul(const Matmul<T, R>& op) {
  for (std::int64_t member = 0; member < op.batch; ++member) {
    const T* a = op.a + member * op.stride_a;
    const T* b = op.b + member * op.stride_b;
    R* c = op.c + member * op.step_c();
    for (std::int64_t i = 0; i < op.m; ++i) {
      for (std::int64_t j = 0; j < op.n; ++j) {
        double sum = 0;
        for (std::int64_t l = 0; l < op.k; ++l) {
          const T x = op.transpose_a ? a[l * op.row_a() + i] : a[i * op.row_a() + l];
          const T y = op.transpose_b ? b[j * op.row_b() + l] : b[l * op.row_b() + j];
          sum += double(widen(x)) * double(widen(y));
        }
        R& target = c[i * op.row_c() + j];
        target = rounded<R>(op.alpha * sum + (op.beta == 0 ? 0.0 : op.beta * double(widen(target))));
      }
    }
  }
}

}  // namespace

RECKON_PAIR_REFERENCE(Matmul, matmul)
RECKON_LAUNCHER(reference, Matmul<F16>) { op.check(); matmul(op); }
RECKON_LAUNCHER(reference, Matmul<F16, float>) { op.check(); matmul(op); }
RECKON_LAUNCHER(reference, Matmul<F8, Bf16>) { op.check(); matmul(op); }
RECKON_LAUNCHER(reference, Matmul<F8, float>) { op.check(); matmul(op); }

}  // namespace reckon
