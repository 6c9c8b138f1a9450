// The launcher of a backend that is chosen at run time.  Needs all backends to be linked (reckon::kernels).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include "kernels/op/backend.hpp"

namespace reckon {

/// As launch<B>(op, stream).  Ops in double exist in the reference only: InternalError for another backend.
template <class Op>
void launch(Backend backend, const Op& op, Stream stream = {}) {
  if (backend == Backend::reference) return launch<Backend::reference>(op, stream);
  if constexpr (std::is_same_v<typename Op::Element, double>) {
    throw InternalError("double precision exists in the reference kernels only");
  } else {
    if (backend == Backend::cpu) return launch<Backend::cpu>(op, stream);
    launch<Backend::cuda>(op, stream);
  }
}

}  // namespace reckon
