// Residual sum and copy (kernels/op/memory.hpp).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/memory.hpp"

#include "kernels/reference/rounding.hpp"

namespace reckon {
namespace {

template <class T>
void residual_add(const ResidualAdd<T>& op) {
  for (std::int64_t i = 0; i < op.count; ++i) op.out[i] = rounded<T>(double(widen(op.a[i])) + double(widen(op.b[i])));
}

template <class T>
void copy(const Copy<T>& op) {
  for (std::int64_t i = 0; i < op.count; ++i) op.out[i] = op.x[i];
}

}  // namespace

RECKON_REFERENCE(ResidualAdd, residual_add)
RECKON_REFERENCE(Copy, copy)

}  // namespace reckon
