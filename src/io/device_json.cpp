// One object a device, then the software around them.
// SPDX-License-Identifier: Apache-2.0
#include "io/device_json.hpp"

#include <nlohmann/json.hpp>

#include "io/json.hpp"

namespace reckon {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json device(const LocalDevice& d) {
  return {{"index", d.index},
          {"name", d.name},
          {"uuid", d.uuid},
          {"pci_bus_id", d.pci_bus_id},
          {"compute_capability", std::to_string(d.compute_major) + "." + std::to_string(d.compute_minor)},
          {"memory_bytes", d.memory.base()},
          {"l2_cache_bytes", d.l2_cache.base()},
          {"multiprocessors", d.multiprocessors},
          {"clock_hz", d.clock.base()},
          {"memory_clock_hz", d.memory_clock.base()},
          {"memory_bus_bits", d.memory_bus_bits},
          {"memory_bandwidth_bytes_per_s", d.memory_bandwidth().base()},
          {"error_correction", d.error_correction},
          {"nvlinks", d.nvlinks ? Json(*d.nvlinks) : Json()}};
}

}  // namespace

std::string device_json(const DeviceInventory& inventory) {
  Json out{{"schema", "reckon/device/1"}, {"devices", Json::array()}};
  for (const LocalDevice& d : inventory.devices) out["devices"].push_back(device(d));
  out["absence"] = text_or_null(inventory.absence);
  out["cure"] = text_or_null(inventory.cure);
  out["built_with_cuda"] = inventory.built_with_cuda;
  out["driver"] = text_or_null(inventory.driver_package);
  out["cuda_driver"] = inventory.driver ? Json(cuda_version_text(*inventory.driver)) : Json();
  out["cuda_runtime"] = inventory.runtime ? Json(cuda_version_text(*inventory.runtime)) : Json();
  out["nccl"] = inventory.nccl ? Json(nccl_version_text(*inventory.nccl)) : Json();
  return dump_json(out);
}

}  // namespace reckon
