// Reading the training data beside the training: when it sets the pace.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/quantity.hpp"

namespace reckon {

/// What the data come from.  Zero rates and bandwidths mean that this part never binds.
struct DataFeed {
  Bytes per_unit;                      ///< stored bytes of a token or sample
  BytesPerSecond per_device;           ///< a device's share of what its node reads: local drives, network of the storage
  BytesPerSecond shared;               ///< of the file system or object store, all nodes together
  double units_per_device_second = 0;  ///< tokens or samples that a device's share of the loader's workers decode
};

/// Seconds until the data of a step are read and decoded, everything at its own rate at the same time:
///
///   max(U b / (n B_device), U b / B_shared, U / (n r)),   U units a step, b bytes each, n devices
///
/// Loaders work ahead, behind the compute, so that a step lasts the longer of the two (Mohan et al. 2021, Analyzing and Mitigating Data
/// Stalls in DNN Training, PVLDB 14(5), section 3).
Seconds loading_time(const DataFeed& feed, double units_per_step, std::int64_t num_devices);

}  // namespace reckon
