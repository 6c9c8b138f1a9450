// A management library that answers like a driver with one device at 0000:65:00.0, for tests of DeviceMonitor.
// FAKE_NVML_BROKEN in the environment makes it refuse to start.
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <cstring>

namespace {
int fake_device;
constexpr int success = 0, invalid = 2, not_supported = 3;
}  // namespace

extern "C" {

int nvmlInit_v2() { return std::getenv("FAKE_NVML_BROKEN") ? 9 : success; }
int nvmlShutdown() { return success; }
int nvmlSystemGetDriverVersion(char* version, unsigned length) {
  std::strncpy(version, "580.159.03", length);
  return success;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char* bus, void** device) {
  if (std::strcmp(bus, "0000:65:00.0") != 0) return invalid;
  *device = &fake_device;
  return success;
}
int nvmlDeviceGetClockInfo(void*, unsigned type, unsigned* mhz) {
  *mhz = type == 1 ? 1980 : type == 2 ? 3201 : 0;
  return success;
}
int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
  *milliwatts = 612500;
  return success;
}
int nvmlDeviceGetTemperature(void*, unsigned, unsigned*) { return not_supported; }
int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* reasons) {
  *reasons = 0x4 | 0x40;
  return success;
}
int nvmlDeviceGetNvLinkState(void*, unsigned link, unsigned* active) {
  *active = link < 4 ? 1 : 0;
  return link < 6 ? success : not_supported;
}

}
