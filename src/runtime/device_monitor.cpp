// NVML through our own prototypes: its header is not part of the CUDA toolkit everywhere.
// Source of names, numbers and units: NVML API reference manual.
// SPDX-License-Identifier: Apache-2.0
#include "runtime/device_monitor.hpp"

#include <array>
#include <utility>

#include "runtime/device_library.hpp"

namespace reckon {
namespace {

using NvmlDevice = struct NvmlDeviceHandle*;
constexpr int nvml_success = 0;
constexpr unsigned clock_sm = 1, clock_memory = 2, sensor_gpu = 0, most_links = 18;

constexpr std::uint64_t idle = 0x1, application_clocks = 0x2, power_cap = 0x4, hardware_slowdown = 0x8, sync_boost = 0x10, software_thermal = 0x20,
                        hardware_thermal = 0x40, power_brake = 0x80, display_clocks = 0x100;
constexpr std::array<std::pair<std::uint64_t, const char*>, 9> reason_names{{{idle, "idle"},
                                                                             {application_clocks, "application clocks"},
                                                                             {power_cap, "power cap"},
                                                                             {hardware_slowdown, "hardware slowdown"},
                                                                             {sync_boost, "sync boost"},
                                                                             {software_thermal, "software thermal slowdown"},
                                                                             {hardware_thermal, "hardware thermal slowdown"},
                                                                             {power_brake, "power brake"},
                                                                             {display_clocks, "display clocks"}}};

}  // namespace

std::vector<std::string> throttle_names(std::uint64_t reasons) {
  std::vector<std::string> names;
  for (const auto& [bit, name] : reason_names) {
    if (reasons & bit) names.emplace_back(name);
  }
  return names;
}

bool slows_down(std::uint64_t reasons) {
  return (reasons & (power_cap | hardware_slowdown | software_thermal | hardware_thermal | power_brake)) != 0;
}

struct DeviceMonitor::Library {
  explicit Library(const std::string& name) : library({name}) {}

  /// Calls `symbol`; false when it is missing or fails.
  template <class... Arguments>
  bool call(const char* symbol, Arguments... arguments) const {
    auto* function = library.find<int(Arguments...)>(symbol);
    return function != nullptr && function(arguments...) == nvml_success;
  }

  NvmlDevice device(const std::string& pci_bus_id) const {
    NvmlDevice found = nullptr;
    return call("nvmlDeviceGetHandleByPciBusId_v2", pci_bus_id.c_str(), &found) ? found : nullptr;
  }

  template <class... Arguments>
  std::optional<double> number(const char* symbol, Arguments... arguments) const {
    unsigned value = 0;
    if (!call(symbol, arguments..., &value)) return std::nullopt;
    return value;
  }

  DeviceLibrary library;
};

DeviceMonitor::DeviceMonitor(const std::string& library) : library_(std::make_unique<Library>(library)) {
  if (!library_->library) {
    absence_ = library_->library.absence();
  } else if (!library_->call("nvmlInit_v2")) {
    absence_ = library + " is here, but does not start: no driver, or no permission";
  }
  if (!absence_.empty()) library_.reset();
}

DeviceMonitor::~DeviceMonitor() {
  if (library_) library_->call("nvmlShutdown");
}
DeviceMonitor::DeviceMonitor(DeviceMonitor&&) noexcept = default;
DeviceMonitor& DeviceMonitor::operator=(DeviceMonitor&& other) noexcept {
  std::swap(library_, other.library_);
  std::swap(absence_, other.absence_);
  return *this;
}

std::optional<std::string> DeviceMonitor::driver_version() const {
  std::array<char, 96> text{};
  if (!library_ || !library_->call("nvmlSystemGetDriverVersion", text.data(), static_cast<unsigned>(text.size()))) return std::nullopt;
  return text.data();
}

DeviceReading DeviceMonitor::reading(const std::string& pci_bus_id) const {
  DeviceReading reading;
  if (!library_) return reading;
  NvmlDevice device = library_->device(pci_bus_id);
  if (device == nullptr) return reading;
  if (const auto mhz = library_->number("nvmlDeviceGetClockInfo", device, clock_sm)) reading.clock = Hertz{*mhz * 1e6};
  if (const auto mhz = library_->number("nvmlDeviceGetClockInfo", device, clock_memory)) reading.memory_clock = Hertz{*mhz * 1e6};
  if (const auto milliwatts = library_->number("nvmlDeviceGetPowerUsage", device)) reading.power = Watts{*milliwatts * 1e-3};
  reading.temperature_celsius = library_->number("nvmlDeviceGetTemperature", device, sensor_gpu);
  unsigned long long reasons = 0;
  if (library_->call("nvmlDeviceGetCurrentClocksThrottleReasons", device, &reasons)) reading.throttle_reasons = reasons;
  return reading;
}

std::optional<int> DeviceMonitor::nvlinks(const std::string& pci_bus_id) const {
  NvmlDevice device = library_ ? library_->device(pci_bus_id) : nullptr;
  if (device == nullptr) return std::nullopt;
  int active = 0;
  for (unsigned link = 0; link < most_links; ++link) {
    if (library_->number("nvmlDeviceGetNvLinkState", device, link) == 1.0) ++active;
  }
  return active;
}

}  // namespace reckon
