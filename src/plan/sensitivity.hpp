// Which input moves the optimum: each is made a little better, and the whole space is searched again.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "plan/search.hpp"

namespace reckon {

struct InputEffect {
  std::string input;
  double change = 0;       ///< relative change of the step time of the best strategy
  Strategy best;           ///< the best strategy then
  bool same = true;        ///< it is the best of before
  double kept = 0;         ///< change of the step time when one stays with the strategy of before
};

/// Inputs that are `share` better, one at a time: products, memory bandwidth, links inside a node, NICs, device memory, launches from the
/// host, stragglers.  `base` is the best strategy of `question` on its number of devices.  Sorted by what they bring, the most first.
std::vector<InputEffect> input_effects(const Question& question, const Candidate& base, double share);

}  // namespace reckon
