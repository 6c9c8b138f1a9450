// One accelerator, its node and its fabric, as data sheets state them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/quantity.hpp"
#include "catalog/precision.hpp"
#include "catalog/provenance.hpp"

namespace reckon {

struct Device {
  std::string id, name, vendor;
  std::map<Precision, FlopsPerSecond> peak;  ///< dense matrix rate; absent = not supported
  FlopsPerSecond vector_peak;                ///< fp32 outside the matrix units
  Bytes memory;                              ///< usable capacity
  BytesPerSecond memory_bandwidth;
  std::int64_t num_multiprocessors = 0;
  Bytes l2_cache;
  BytesPerSecond link_bandwidth;  ///< scale-up link (NVLink, xGMI, ICI), one direction; 0 = none, PCIe only
  BytesPerSecond pcie_bandwidth;  ///< one direction
  Watts power;                    ///< TDP
  std::string release;            ///< YYYY-MM
  std::string architecture;       ///< ampere, hopper, blackwell, cdna3, tpu-v5, ...: picks a calibration when the device has none
  std::string calibration;        ///< file name under models/calibrations; empty = by architecture
  Provenance provenance;
};

/// The scale-out side of a node.
struct Fabric {
  std::string id, name;
  std::string kind;               ///< infiniband, roce, omni-path, efa, ethernet, gpudirect-tcpx, slingshot, ici
  BytesPerSecond nic_bandwidth;   ///< one NIC, one direction
  Seconds latency;                ///< one hop through the switches, NIC to NIC
  double oversubscription = 1.0;  ///< leaf to spine, 1 = full bisection
  std::int64_t nodes_per_leaf = 0;  ///< below this many nodes the spine is not used; 0 = one level
  bool in_network_reduction = false;
  Provenance provenance;
};

struct Node {
  std::string id, name, device;   ///< device id
  std::int64_t devices_per_node = 0;
  std::int64_t nics_per_node = 0;
  std::string fabric;             ///< fabric id
  std::int64_t scale_up_domain = 0;  ///< devices in one NVLink domain: 8 in a DGX, 72 in a GB200 NVL72 rack
  Watts max_power;                ///< whole node; 0 = not stated
  Bytes host_memory;
  std::string provider;           ///< vendor or cloud
  std::string instance;           ///< cloud instance name; empty for bare hardware
  Provenance provenance;
};

/// A place where a run can happen: nodes of one kind on one fabric.
struct Cluster {
  std::string id, name;
  Device device;
  Node node;
  Fabric fabric;
  std::int64_t max_devices = 0;   ///< 0 = as many as asked for
  Provenance provenance;
};

/// What a device-hour costs.
struct Price {
  std::string id, device, provider, kind;  ///< kind: on-demand, reserved, spot, capacity-block, historic
  DollarsPerSecond per_device;
  std::string date, region;
  Provenance provenance;
};

}  // namespace reckon
