// A product whose result is worked on while it is hot: the way that epilogues take on the CPU.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "kernels/op/matmul.hpp"

namespace reckon {

/// Called once for each rectangle of c, by the thread that has just computed it.  Rectangles cover c and do not overlap.
using MatmulFinish = std::function<void(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns)>;

/// launch<Backend::cpu>(op) and `finish` over its result.  A batch of one.
void matmul_then(const Matmul<float>& op, const MatmulFinish& finish);
void matmul_then(const Matmul<Bf16>& op, const MatmulFinish& finish);

}  // namespace reckon
