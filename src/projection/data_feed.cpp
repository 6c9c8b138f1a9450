// SPDX-License-Identifier: Apache-2.0
#include "projection/data_feed.hpp"

namespace reckon {

Seconds loading_time(const DataFeed& feed, double units_per_step, std::int64_t num_devices) {
  const double devices = static_cast<double>(num_devices);
  const Bytes stored = feed.per_unit * units_per_step;
  Seconds out;
  if (feed.per_device.base() > 0) out = max(out, stored / (feed.per_device * devices));
  if (feed.shared.base() > 0) out = max(out, stored / feed.shared);
  if (feed.units_per_device_second > 0) out = max(out, Seconds{units_per_step / (devices * feed.units_per_device_second)});
  return out;
}

}  // namespace reckon
