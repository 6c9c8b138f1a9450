// reckon device: the accelerators of this machine.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/command.hpp"
#include "io/listing.hpp"
#include "report/listing_report.hpp"
#include "report/numbers.hpp"
#include "runtime/device.hpp"

namespace reckon {

CommandSpec device_spec() {
  return {"device", "the accelerators of this machine, or why there are none", {}, {{"Output", {{.name = "json", .help = "the answer as JSON on stdout"}}}}, {}, "Exit code 4 when there is no device."};
}

CommandResult run_device(const ParsedOptions& options, const MpiSession&) {
  const DeviceInventory inventory = device_inventory();
  Listing listing{"devices", {"index", "name", "memory", "bandwidth", "multiprocessors", "clock", "compute", "nvlinks"}, {}};
  for (const LocalDevice& d : inventory.devices)
    listing.rows.push_back({fmt::to_string(d.index), d.name, format_quantity(d.memory), format_quantity(d.memory_bandwidth()), fmt::to_string(d.multiprocessors),
                            significant(d.clock.base() / 1e9) + " GHz", fmt::format("{}.{}", d.compute_major, d.compute_minor), d.nvlinks ? fmt::to_string(*d.nvlinks) : "-"});
  if (inventory.devices.empty()) {
    if (!options.flag("json")) throw DeviceError(inventory.absence, inventory.cure);
    return {record_json("reckon/device/1", {{"absence", inventory.absence}, {"cure", inventory.cure}}), ExitCode::device};
  }
  return {options.flag("json") ? listing_json({listing}) : listing_report(listing)};
}

}  // namespace reckon
