// A run, day by day: failures, restarts, lost work, checkpoints, spares, preemption and stalls, many times over with different luck.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/quantile.hpp"
#include "catalog/failure_model.hpp"

namespace reckon {

/// What runs and what may happen to it.  The rates and times of FailureModel are those of the analytic goodput (projection/goodput.hpp);
/// the rest has values that leave it as it is.
struct RunScenario {
  std::int64_t devices = 1, devices_per_node = 8;
  Seconds work;                      ///< training time without any of this
  FailureModel failures;             ///< checkpoint_interval 0: Young's optimum
  double restart_spread = 0.0;       ///< standard deviation of the logarithm of a restart's time; the mean stays
  Seconds detection;                 ///< before the restart, while nothing trains (a hang: the watchdog's time)
  Bytes checkpoint_size;             ///< of the whole model; 0: a checkpoint is safe when its stall ends
  BytesPerSecond storage_bandwidth;  ///< of all writers together; needed with a size
  bool asynchronous = true;          ///< the write goes on behind the training; else the stall lasts as long as the write
  double write_slowdown = 0.0;       ///< share of training speed that a write behind it takes: storage and host contention
  double node_loss_share = 0.78;  ///< of interruptions that take a node away (hardware: Llama Team 2024, arXiv 2407.21783, section 3.3.4)
  std::int64_t spare_nodes = -1;  ///< kept idle beside the run; -1: always one at hand
  Seconds repair{86400.0};        ///< until a lost node is back as a spare
  double preemptions_per_device_day = 0;  ///< spot capacity taken back, one device's share; the run stops and waits
  Seconds preemption_wait{1800.0};        ///< mean time until capacity is back, before the restart
  double stalls_per_day = 0;              ///< data loading waits, of the whole run
  Seconds stall{60.0};                    ///< mean length of one
  DollarsPerSecond price;                 ///< one device, spares included
};

/// One sample.  All seconds are wall time; wall = work + slowed + stalls of checkpoints + lost + down + waiting + stalled.
struct RunOutcome {
  double wall = 0;
  double checkpoint = 0, slowed = 0, lost = 0, down = 0, waiting = 0, stalled = 0;
  double interruptions = 0, planned = 0, preemptions = 0;
};

/// The times between checkpoints that rules propose, and the one that loses least in simulation.
struct CheckpointIntervals {
  Seconds young;      ///< sqrt(2 d M) (Young 1974, CACM 17(9))
  Seconds daly;       ///< sqrt(2 d M) (1 + sqrt(d / 2M) / 3 + d / 2M / 9) - d (Daly 2006, FGCS 22(3)), M for d >= 2M
  Seconds simulated;  ///< best of a grid around Young's with the same luck for all
  double goodput_young = 0, goodput_daly = 0, goodput_simulated = 0;
};

/// Seconds between interruptions of any kind that stop the run: infinite without any.
Seconds mean_time_to_interruption(const RunScenario& scenario);

/// Stops the training takes for each checkpoint: failures.checkpoint_stall, or the whole write when it is not asynchronous.
Seconds checkpoint_stall(const RunScenario& scenario);

/// Sample number `sample` of `seed`.  Exponential times between events; a failure during a restart starts the restart again.  A run that
/// would take more than 100 times its work, or expects four failures in every restart or between two checkpoints, never ends: `wall` is
/// infinite.
RunOutcome simulate_run(const RunScenario& scenario, std::uint64_t seed, std::uint64_t sample);

/// Samples first, first + stride, ... below `samples`.
std::vector<RunOutcome> simulate_runs(const RunScenario& scenario, std::uint64_t seed, std::uint64_t samples, std::uint64_t first = 0,
                                      std::uint64_t stride = 1);

/// Grid of 13 intervals from a quarter to four times Young's, `samples` runs each.
CheckpointIntervals checkpoint_intervals(const RunScenario& scenario, std::uint64_t seed, std::uint64_t samples);

/// What a set of samples says.
struct RunSummary {
  std::uint64_t samples = 0;
  struct Spread {
    double p10 = 0, p50 = 0, p90 = 0, mean = 0;
  };
  Spread wall, goodput, dollars, interruptions;
  RunOutcome mean;  ///< of every part
};
RunSummary summarise_runs(const RunScenario& scenario, const std::vector<RunOutcome>& outcomes);

/// Throws UsageError for a scenario that cannot be: no work, negative times, a checkpoint size without bandwidth.
void validate(const RunScenario& scenario);

}  // namespace reckon
