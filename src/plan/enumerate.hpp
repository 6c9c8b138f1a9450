// The strategies that a number of devices allows, in a fixed order.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "plan/question.hpp"

namespace reckon {

/// Calls `visit` for every strategy of the space that divides devices, batch, heads and experts exactly.
///
/// Defaults of the empty lists: tensor, powers of two up to the scale-up domain (at most 16) that divide the heads; context, powers of
/// two up to 16 while a rank keeps 2,048 tokens or more; expert, divisors of the experts; pipeline, every divisor of what is left up to
/// the number of layers; virtual stages, divisors of the layers of a stage up to 8; micro-batch, 1, 2, 4, 8.
/// The order is lexicographic, so that ties in a search are broken the same way everywhere.
void for_each_strategy(const Question& question, std::int64_t num_devices, const std::function<void(const Strategy&)>& visit);

}  // namespace reckon
