// fp32 products through OpenBLAS, where the build found it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/matmul.hpp"

namespace reckon {

/// Does the product and says so, or does nothing and answers false: no OpenBLAS in this build, or sizes beyond its 32-bit integers.
bool blas_matmul(const Matmul<float, float>& op);
/// bf16 is not OpenBLAS's: always false.
template <class R>
bool blas_matmul(const Matmul<Bf16, R>&) {
  return false;
}

}  // namespace reckon
