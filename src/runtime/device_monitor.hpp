// Clocks, power, temperature and throttling while a measurement runs, from NVIDIA's management library (NVML), opened at run time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"

namespace reckon {

/// One look at a device; what the driver does not tell stays empty.
struct DeviceReading {
  std::optional<Hertz> clock, memory_clock;
  std::optional<Watts> power;
  std::optional<double> temperature_celsius;
  std::optional<std::uint64_t> throttle_reasons;  ///< bits, see throttle_names
};

/// The set bits in words: "power cap", "thermal slowdown", ….  Source: NVML API reference, nvmlClocksEventReasons.
std::vector<std::string> throttle_names(std::uint64_t reasons);

/// Whether a bit says that the device ran slower than it could: power, thermal or brake, not idleness or a chosen clock.
bool slows_down(std::uint64_t reasons);

class DeviceMonitor {
 public:
  /// Never throws: without the library or the driver absence() says so and every answer is empty.
  explicit DeviceMonitor(const std::string& library = "libnvidia-ml.so.1");
  ~DeviceMonitor();
  DeviceMonitor(DeviceMonitor&&) noexcept;
  DeviceMonitor& operator=(DeviceMonitor&&) noexcept;

  const std::string& absence() const noexcept { return absence_; }  ///< empty when there are answers
  std::optional<std::string> driver_version() const;
  DeviceReading reading(const std::string& pci_bus_id) const;
  std::optional<int> nvlinks(const std::string& pci_bus_id) const;

 private:
  struct Library;
  std::unique_ptr<Library> library_;
  std::string absence_;
};

}  // namespace reckon
