// Quantiles of sorted values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/error.hpp"

namespace reckon {

/// The value below which `share` (0 to 1) of the values lie, linear between order statistics (type 7 of Hyndman and Fan 1996, numpy's
/// default).  `sorted` ascending; it may end in infinities.  Throws InternalError for no values.
inline double quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) throw InternalError("a quantile of nothing");
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  if (sorted[below] == sorted[above]) return sorted[below];  // also two infinities
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace reckon
