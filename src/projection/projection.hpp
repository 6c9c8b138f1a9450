// From the time of a step to days, device-hours, dollars and energy of a run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/quantity.hpp"
#include "projection/data_feed.hpp"
#include "projection/goodput.hpp"

namespace reckon {

/// How much is trained, and what a device costs.
struct RunPlan {
  double units = 0;              ///< tokens, or samples for models without a sequence
  DataFeed feed;                 ///< where the data come from
  FailureModel failures;
  double reserve = 0;            ///< share of extra device-time bought: spares, evaluation, aborted starts
  DollarsPerSecond price;        ///< one device
  Watts device_power;            ///< average at the wall, one device and its share of the node
  double pue = 1.0;              ///< facility over equipment energy
};

struct Projection {
  double steps = 0;
  TokensPerSecond throughput;    ///< while training; samples count as tokens
  Goodput goodput;
  Seconds wall_time;
  double device_hours = 0;
  std::int64_t cost_micro_usd = 0;  ///< exact integer micro-dollars
  Joules energy;
  Dollars cost() const { return Dollars{static_cast<double>(cost_micro_usd) * 1e-6}; }
};

/// A step lasts at least as long as reading its data (loading_time).
/// steps = ceil(units / units_per_step); wall = steps * step / goodput; device-hours = devices * wall * (1 + reserve);
/// cost = device-hours * price, rounded to the micro-dollar; energy = devices * wall * power * pue.
/// Throws InternalError when a result is not finite or leaves the range of the money type (9.2e12 dollars).
Projection project(Seconds compute, double units_per_step, std::int64_t num_devices, const RunPlan& run);

}  // namespace reckon
