// Asks the program to stop at the next good moment: SIGTERM, SIGINT, SIGUSR1, SIGHUP, SIGXCPU, or a time limit.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "runtime/launch.hpp"

namespace reckon {

/// From now on the signals above set a flag and do nothing else, however often they come (a cancelled Slurm job gets SIGTERM twice).
/// SIGCONT, which Slurm sends along, has no effect anyway.  The program calls this before MPI starts and never takes it back: a signal
/// that comes after the work is done must not make a success look like a kill.
void catch_stop_signals();

/// Whether to stop: a signal came, or time is up.
class StopWatch {
 public:
  /// `limit_seconds`: from now on; nothing = none.  The end of a Slurm job (SLURM_JOB_END_TIME, where Slurm says it) counts too, less the
  /// ten seconds that a job needs to leave in order.
  explicit StopWatch(std::optional<double> limit_seconds, const Environment& environment = process_environment());
  bool requested() const;
  /// "SIGTERM", "the time limit"; empty while nothing is requested.
  std::string reason() const;

 private:
  std::optional<double> end_;  // of the monotonic clock
};

}  // namespace reckon
