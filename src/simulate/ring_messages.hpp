// Ring all-reduces message by message: every chunk that a device passes to its neighbour is an event.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace reckon {

/// A data-parallel backward pass: layers of compute, each followed by a ring all-reduce of its gradients beside the next layers' compute.
struct RingStep {
  std::int64_t devices = 2, layers = 1;
  double layer_bytes = 0;             ///< gradients of a layer
  double before = 0, layer = 0;       ///< compute before the first gradient is ready, and of a layer; seconds
  double bandwidth = 1, latency = 0;  ///< of the link to the next device
  std::vector<double> link_factor;    ///< of the bandwidth, by device; empty = 1
};

struct RingResult {
  double seconds = 0;  ///< until the last device has the last sum
  std::int64_t messages = 0;
};

/// Devices send layer_bytes / devices in each of 2 (n - 1) steps of a ring; a step begins when the message of the step before has come and
/// the link is free; all-reduces of a device run one after the other in the order of layers.
RingResult simulate_ring(const RingStep& step);

}  // namespace reckon
