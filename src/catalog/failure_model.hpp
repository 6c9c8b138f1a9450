// What goes wrong in a long run, as rates and times; read by the analytic goodput and by the simulation of runs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/quantity.hpp"

namespace reckon {

/// Defaults are public facts; each may be set by the user.
struct FailureModel {
  /// Unexpected interruptions a device and day.  419 in 54 days on 16,384 H100s: Llama Team 2024, arXiv 2407.21783, Table 5.
  double failures_per_device_day = 419.0 / (54.0 * 16384.0);
  /// Detection, rescheduling, communicator set-up, loading.  10 minutes: reported for Meta's large jobs (restart_min, 2025-2026, secondary
  /// source); the Llama 3 paper states no single number.
  Seconds restart{600.0};
  /// Time that writing a checkpoint blocks training (asynchronous: the copy to the host).  "Seconds": PyTorch distributed checkpoint
  /// documentation; 10 s assumed.
  Seconds checkpoint_stall{10.0};
  /// Time between checkpoints; 0 = Young's optimum sqrt(2 stall MTTF) (Young 1974, CACM 17(9)).
  Seconds checkpoint_interval{};
  /// Planned stops (maintenance, evaluation): share of wall time.  47 planned of 466 interruptions in the same table, each a restart.
  double planned_per_unexpected = 47.0 / 419.0;
};

}  // namespace reckon
