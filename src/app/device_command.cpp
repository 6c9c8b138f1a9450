// reckon device: the accelerators of this machine.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/command.hpp"
#include "io/device_json.hpp"
#include "io/listing.hpp"
#include "report/listing_report.hpp"
#include "report/numbers.hpp"
#include "runtime/device.hpp"

namespace reckon {

CommandSpec device_spec() {
  return {"device", "the accelerators of this machine, or why there are none",
          {},       {{"Output", {{.name = "json", .help = "the answer as JSON on stdout"}}}},
          {},       "Exit code 4 when there is no device."};
}

CommandResult run_device(const ParsedOptions& options, const MpiSession&) {
  const DeviceInventory inventory = device_inventory();
  Listing listing{"devices", {"index", "name", "memory", "bandwidth", "multiprocessors", "clock", "compute", "nvlinks"}, {}};
  for (const LocalDevice& d : inventory.devices)
    listing.rows.push_back({fmt::to_string(d.index), d.name, format_quantity(d.memory), format_quantity(d.memory_bandwidth()),
                            fmt::to_string(d.multiprocessors), significant(d.clock.base() / 1e9) + " GHz",
                            fmt::format("{}.{}", d.compute_major, d.compute_minor), d.nvlinks ? fmt::to_string(*d.nvlinks) : "-"});
  if (options.flag("json")) return {device_json(inventory), inventory.devices.empty() ? ExitCode::device : ExitCode::ok};
  if (inventory.devices.empty()) throw DeviceError(inventory.absence, inventory.cure);
  const auto or_none = [](const std::string& text) { return text.empty() ? std::string("not found") : text; };
  return {listing_report(listing) + fmt::format("\ndriver {} (CUDA {}), built with CUDA {}, NCCL {}\n", or_none(inventory.driver_package),
                                                cuda_version_text(inventory.driver.value_or(0)), cuda_version_text(inventory.runtime.value_or(0)),
                                                or_none(inventory.nccl ? nccl_version_text(*inventory.nccl) : ""))};
}

}  // namespace reckon
