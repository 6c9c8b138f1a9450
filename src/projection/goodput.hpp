// The share of a long run's time that trains: failures, restarts, lost work, checkpoints.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/quantity.hpp"
#include "catalog/failure_model.hpp"

namespace reckon {

struct Goodput {
  Seconds mean_time_to_failure;
  Seconds checkpoint_interval;
  double checkpoint_share = 0, lost_share = 0, restart_share = 0;  ///< of wall time
  double value = 1;  ///< training seconds per wall second
};

/// First-order model of a synchronous job with `devices` devices:
///
///   MTTF = 1 / (devices * rate);  tau = sqrt(2 stall MTTF);  wall = train (1 + stall / tau) + wall / MTTF (tau / 2 + restart (1 + planned))
///
/// Valid while tau / 2 + restart << MTTF; the value is floored at 0.01 beyond.
Goodput goodput(std::int64_t devices, const FailureModel& model);

}  // namespace reckon
