// How the reference leaves double: once, at the end.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/op/backend.hpp"

/// Defines the three launchers of an op in the reference, and the four of an op of two types.
#define RECKON_REFERENCE(Op, function)                                                \
  RECKON_LAUNCHER(reference, Op<double>) { op.check(); function(op); }                \
  RECKON_LAUNCHER(reference, Op<float>) { op.check(); function(op); }                 \
  RECKON_LAUNCHER(reference, Op<Bf16>) { op.check(); function(op); }
#define RECKON_PAIR_REFERENCE(Op, function) \
  RECKON_REFERENCE(Op, function)            \
  RECKON_LAUNCHER(reference, Op<Bf16, float>) { op.check(); function(op); }

namespace reckon {

/// x as an element of type T.  bf16 is reached through fp32: the two roundings differ from one in fewer than 1 of 10^4 values, by one
/// unit in the last place, which every comparison allows.
template <class T>
T rounded(double x) {
  return narrow<T>(static_cast<Accumulator<T>>(x));
}

}  // namespace reckon
