// The answers of `reckon explore` and `reckon scale` as text.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "io/explore_results.hpp"

namespace reckon {

/// The answer, the best for each wish, the front, what each runner-up gives up, what moves the optimum, and the proof.
std::string explore_report(const ExploreResults& results);

/// The model, tokens and cluster with the least loss, the same by kind of device, and the model sizes around it.
std::string scale_report(const ScaleResults& results);

}  // namespace reckon
