// A measured training run with its whole configuration: what predictions are held against.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "catalog/architecture.hpp"
#include "catalog/device.hpp"
#include "catalog/strategy.hpp"

namespace reckon {

/// Odd facts that change a run's speed.
struct RunDetail {
  std::optional<bool> torch_compile, async_tensor_parallel;  ///< nothing where the source does not say
  bool activation_cpu_offload = false;
  std::optional<Watts> power_limit;  ///< per device, when below the device's own
  std::string container;             ///< version of the software image
};

struct PublishedRun {
  std::string id, source, notes;
  std::string stack;  ///< software generation, e.g. megatron-lm-2021; the list is in experiments/published/FORMAT.md
  Training training = Training::pretrain;
  Architecture architecture;
  double stated_params = 0;   ///< as the source prints them; 0 = not stated
  Cluster cluster;            ///< max_devices = the number of devices of the run
  bool fabric_stated = true;  ///< false: the usual machine of that device, not said by the source
  Strategy strategy;
  Seconds step_time;                   ///< one optimiser step
  bool step_time_derived = false;      ///< inverted from a printed rate, not printed or logged itself
  std::optional<Bytes> peak_memory;    ///< of the fullest device: allocated, or all that the driver shows
  bool whole_device_memory = false;    ///< peak_memory was read from nvidia-smi: driver context and allocator's cache count
  std::optional<Bytes> peak_reserved;  ///< held by the caching allocator
  std::optional<Seconds> time_to_train;
  std::vector<std::string> assumed;  ///< fields that the source does not say, e.g. `cluster.fabric`
  RunDetail detail;
};

}  // namespace reckon
