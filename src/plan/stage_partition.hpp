// Unequal layers over the stages of a pipeline, exactly: which layers, on how many devices of which kind, run in which way.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/quantity.hpp"

namespace reckon {

/// A way to run layers: degrees, recompute policy, kind of device.  Every layer of a stage runs in the same way.
struct StageWay {
  std::int64_t devices = 1;                ///< of one stage
  std::size_t kind = 0;                    ///< of those devices: index in PartitionQuestion::devices
  Bytes capacity;                          ///< of one of those devices
  std::vector<Seconds> time;               ///< of each layer, one micro-batch forward and backward
  std::vector<Bytes> state, activations;   ///< of each layer: kept all the time, and for each micro-batch in flight
  Seconds hand_over;                       ///< added to a stage: messages to its neighbours
};

struct PartitionQuestion {
  std::int64_t layers = 0, micro_batches = 1;
  std::vector<std::int64_t> devices;  ///< that there are, by kind
  std::vector<StageWay> ways;
};

struct StageChoice {
  std::int64_t first = 0, count = 0;  ///< layers
  std::size_t way = 0;
  Seconds time;
};

struct Partition {
  std::vector<StageChoice> stages;  ///< from the first layer on
  Seconds step;                     ///< sum of all stages + (micro_batches - 1) * slowest: 1F1B (Narayanan et al. 2019, PipeDream)
};

/// The partition with the smallest step that uses exactly `devices` of every kind (fewer only if `all_devices` is false) and fits: a stage that is
/// followed by k others holds min(micro_batches, k + 1) micro-batches.  Nothing when there is none.
///
/// Exact.  For a limit T on the slowest stage, dynamic programming from the last layer back finds the least sum: best(stages, devices of
/// each kind, first layer).  The least feasible T is found by bisection over all stage times.  The best partition has its slowest stage between that T and
/// (best found - least sum of all) / (micro_batches - 1); from there down, each step of the programme sets T just below the slowest stage of
/// the partition found, until nothing is left.
std::optional<Partition> best_partition(const PartitionQuestion& question, bool all_devices = true);

}  // namespace reckon
