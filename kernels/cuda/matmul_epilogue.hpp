// Products with what follows them in one kernel of cuBLASLt.  Plain C++17: .cu files include it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/matmul.hpp"

namespace reckon {

enum class MatmulEpilogue { bias, gelu, gelu_bias, gelu_gradient };

/// c = product + bias;  or c = GELU(product (+ bias)) with what GELU saw in `hidden`;  or c = product GELU'(hidden).  hidden lies as c.
/// False, with nothing done, where the library has no such kernel for these types, sizes and addresses.
template <class T>
bool matmul_with_epilogue(const Matmul<T>& op, MatmulEpilogue epilogue, const T* bias, T* hidden, Stream stream);
extern template bool matmul_with_epilogue(const Matmul<float>&, MatmulEpilogue, const float*, float*, Stream);
extern template bool matmul_with_epilogue(const Matmul<Bf16>&, MatmulEpilogue, const Bf16*, Bf16*, Stream);

}  // namespace reckon
