// The devices of a machine as JSON.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runtime/device.hpp"

namespace reckon {

/// Schema "reckon/device/1": the devices in base units with the unit in each key, the versions, and absence and cure where there is no
/// device.  What is not known is null.
std::string device_json(const DeviceInventory& inventory);

}  // namespace reckon
