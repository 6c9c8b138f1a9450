// Products through oneDNN, which has a kernel for each x86 processor and chooses by its instruction set, not by its name.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/cpu/matmul_then.hpp"

namespace reckon {

/// oneDNN's single-precision product (row-major; oneAPI specification, dnnl_sgemm): 0 is success.
using LibrarySgemm = int(char transpose_a, char transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a,
                         std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc);

/// Opened at the first call (libdnnl.so.3 or .so.2, Debian's libdnnl2); null where it is absent, or where its kernels are plain loops
/// (no AVX2).  RECKON_ONEDNN=0 in the environment leaves it out: own tiles take the products.
LibrarySgemm* library_sgemm();

/// Does the product and says so, or does nothing and answers false: no library, a product too small to gain from it, or bf16 on a processor
/// that multiplies pairs of it.  Pieces of c are divided among threads by the shape alone and each is one thread's: the same bits with any
/// number of threads.  `finish`, where it is not empty, follows each piece.
bool library_matmul(const Matmul<float, float>& op, const MatmulFinish& finish = {});
bool library_matmul(const Matmul<Bf16, float>& op, const MatmulFinish& finish = {});
bool library_matmul(const Matmul<Bf16, Bf16>& op, const MatmulFinish& finish = {});

}  // namespace reckon
