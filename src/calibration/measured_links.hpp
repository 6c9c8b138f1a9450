// Messages between the ranks of one machine as they were measured there, by operation, number of ranks and size.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "calibration/alpha_beta.hpp"

namespace reckon {

enum class Collective;

/// A curve for each operation and number of ranks in the group, inside one node.  Sizes follow collective_time.
struct MeasuredLinks {
  std::map<std::pair<Collective, std::int64_t>, AlphaBetaCurve> curves;

  /// Nothing when that group was not measured.
  const AlphaBetaCurve* find(Collective collective, std::int64_t ranks) const {
    const auto found = curves.find({collective, ranks});
    return found == curves.end() ? nullptr : &found->second;
  }
};

}  // namespace reckon
