// SPDX-License-Identifier: Apache-2.0
#include "calibration/derive_missing.hpp"

#include <cmath>

namespace reckon {

void derive_missing(std::map<std::string, ComputeCalibration>& compute, const Catalog& catalog) {
  std::map<std::string, ComputeCalibration> derived;
  for (const std::string& id : catalog.device_ids()) {
    if (compute.contains(id)) continue;
    const Device& device = catalog.device(id);
    const ComputeCalibration* nearest = nullptr;
    double least = 0;
    for (const auto& [other, calibration] : compute) {
      if (calibration.derived()) continue;
      const Device& measured = catalog.device(other);
      if (measured.architecture != device.architecture) continue;
      const double distance = std::abs(std::log(measured.memory_bandwidth / device.memory_bandwidth));
      if (nearest == nullptr || distance < least) nearest = &calibration, least = distance;
    }
    if (nearest != nullptr) derived[id] = derive(*nearest, catalog.device(nearest->device), device);
  }
  compute.merge(derived);
}

}  // namespace reckon
