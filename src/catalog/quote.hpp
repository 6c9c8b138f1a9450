// One offer of devices, as a supplier makes it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace reckon {

/// Money in a stated currency.
struct QuotedMoney {
  double value = 0;
  std::string currency;  ///< ISO 4217
};

/// What is not quoted has no value; reports say so and never take it for zero.
struct Quote {
  std::string id, provider, device;
  std::string kind;  ///< on-demand, reserved, spot, capacity-block or purchase
  std::int64_t devices = 0;
  QuotedMoney price;                                                              ///< a device-hour, or a device with kind purchase
  std::optional<QuotedMoney> list_price, storage_price, egress_price, exit_cost;  ///< exit_cost: once, for all devices
  std::optional<double> term_months, delivery_days, availability, warranty_years;
  std::optional<std::string> valid_until, network, region, note;
  std::string place;  ///< where it stands in its file, for messages
};

}  // namespace reckon
