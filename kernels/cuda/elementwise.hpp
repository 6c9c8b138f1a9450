// The element-wise helper that the matrix product needs, behind a plain header.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/backend.hpp"

namespace reckon {

/// c = beta c over `count` neighbours; beta == 0 writes zeros without reading.  R: float, Bf16.
template <class R>
void scale(R* c, std::int64_t count, float beta, Stream stream);

}  // namespace reckon
