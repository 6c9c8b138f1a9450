// A measured time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/quantity.hpp"

namespace reckon {

/// The median of repeated measurements of one thing, with its 95 % interval.
struct Timed {
  Seconds median, low, high;
  std::int64_t count = 0;  ///< repetitions behind it
  bool stable = true;      ///< false: the interval stayed too wide; kept for the record, not fitted
};

}  // namespace reckon
