// The accelerators of this machine, or the sentence that says why there are none.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"

namespace reckon {

/// One GPU as its driver describes it.  Rates are the vendor's peaks, not measurements.
struct LocalDevice {
  int index = 0;                       ///< among the devices that this process may use
  std::string name, uuid, pci_bus_id;  ///< "NVIDIA H200", "GPU-…", "0000:65:00.0"
  int compute_major = 0, compute_minor = 0;
  Bytes memory, l2_cache;
  int multiprocessors = 0;
  Hertz clock, memory_clock;           ///< largest that the driver allows
  int memory_bus_bits = 0;
  bool error_correction = false;
  std::optional<int> nvlinks;          ///< active links; empty when the management library is not there to be asked

  /// 2 memory_clock bus_bits / 8: two transfers a clock on DDR and HBM.  Source: NVIDIA, How to Implement Performance Metrics in CUDA C/C++.
  BytesPerSecond memory_bandwidth() const { return Bytes{2.0 * memory_bus_bits / 8.0} * memory_clock; }
};

/// What a GPU program finds on this machine.
struct DeviceInventory {
  std::vector<LocalDevice> devices;
  std::string absence, cure;          ///< why there is none and what to do about it; empty when there is one
  bool built_with_cuda = false;
  std::optional<int> driver;          ///< newest CUDA that the driver serves, 1000 major + 10 minor; empty without a driver
  std::optional<int> runtime;         ///< CUDA that this program was built with; empty without CUDA
  std::optional<int> nccl;            ///< NCCL that would be loaded, 10000 major + 100 minor + patch; empty when there is none
  std::string driver_package;         ///< "580.159.03"; empty when the management library is not there to be asked
};

/// Never throws for a machine without a device, driver or CUDA: that is an answer.
DeviceInventory device_inventory();

/// The devices alone; empty when there are none (device_inventory().absence says why).
std::vector<LocalDevice> local_devices();

/// For commands that need a device: throws DeviceError with the absence and the cure when there is none.
void require_device();

/// What the CUDA runtime answered when it was asked for devices.
struct DeviceAnswer {
  bool built_with_cuda = false;
  int error = 0;                 ///< cudaError_t of cudaGetDeviceCount; 0 with count 0 is possible
  std::string error_text;
  int driver = 0, runtime = 0;   ///< as the runtime reports them: 0 = no driver
  std::optional<std::string> visible_devices;  ///< the environment variable CUDA_VISIBLE_DEVICES
};

/// The sentence, and what to do about it, for an answer that has no devices.
std::string absence_of(const DeviceAnswer& answer);
std::string cure_of(const DeviceAnswer& answer);

/// 13000 -> "13.0"; 22809 -> "2.28.9".
std::string cuda_version_text(int version);
std::string nccl_version_text(int version);

}  // namespace reckon
