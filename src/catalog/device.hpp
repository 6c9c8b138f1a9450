// One accelerator, its node, its fabric, a cluster of them and what they cost, as data sheets and price lists state them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/quantity.hpp"
#include "catalog/precision.hpp"
#include "catalog/problem.hpp"
#include "catalog/provenance.hpp"

namespace reckon {

struct Device {
  std::string id, name, vendor;
  std::map<Precision, FlopsPerSecond> peak;  ///< dense matrix rate; absent = not supported
  FlopsPerSecond vector_peak;                ///< fp32 outside the matrix units; 0 = not published
  Bytes memory;                              ///< usable capacity
  BytesPerSecond memory_bandwidth;
  std::int64_t num_multiprocessors = 0;
  Bytes l2_cache;                 ///< 0 = none, or not published
  BytesPerSecond link_bandwidth;  ///< scale-up link (NVLink, xGMI, ICI), one direction; 0 = none, PCIe only
  BytesPerSecond pcie_bandwidth;  ///< one direction; 0 = not published
  Watts power;                    ///< TDP; 0 = not published
  std::string release;            ///< YYYY-MM
  std::string architecture;       ///< ampere, hopper, blackwell, cdna3, tpu-v5, ...: picks a calibration when the device has none
  std::string calibration;        ///< file name under models/calibrations; empty = by architecture
  Provenance provenance;
};

/// The scale-out side of a node.
struct Fabric {
  std::string id, name;
  std::string kind;                 ///< infiniband, roce, omni-path, efa, ethernet, gpudirect-tcpx, slingshot, ici
  BytesPerSecond nic_bandwidth;     ///< one NIC, one direction
  Seconds latency;                  ///< one hop through the switches, NIC to NIC
  double oversubscription = 1.0;    ///< leaf to spine, 1 = full bisection
  std::int64_t nodes_per_leaf = 0;  ///< below this many nodes the spine is not used; 0 = one level
  bool in_network_reduction = false;
  Provenance provenance;
};

struct Node {
  std::string id, name, device;  ///< device id
  std::int64_t devices_per_node = 0;
  std::int64_t nics_per_node = 0;
  std::string fabric;                ///< fabric id
  std::int64_t scale_up_domain = 0;  ///< devices in one NVLink domain: 8 in a DGX, 72 in a GB200 NVL72 rack, 1 for PCIe cards
  Watts max_power;                   ///< whole node; 0 = not stated
  Bytes host_memory;                 ///< 0 = not stated
  std::string provider;              ///< vendor or cloud
  std::string instance;              ///< cloud instance name; empty for bare hardware
  Provenance provenance;
};

/// A place where a run can happen: nodes of one kind on one fabric.
struct Cluster {
  std::string id, name;
  Device device;
  Node node;
  Fabric fabric;
  std::int64_t max_devices = 0;  ///< 0 = as many as asked for
  Provenance provenance;
};

/// What a device-hour costs to rent.
struct Price {
  std::string id, device, provider, kind;  ///< kind: on-demand, reserved, spot, capacity-block, historic
  DollarsPerSecond per_device;
  std::string date, region;
  Provenance provenance;
  std::string instance;  ///< cloud instance name; empty when the source names none
  DollarsPerSecond per_device_low,
      per_device_high;           ///< range that the source shows over zones or sizes; both per_device where it shows one
  std::int64_t term_months = 0;  ///< length of the commitment; 0 = none
};

/// What one device costs to buy, as its share of a server or a rack.
struct PurchasePrice {
  std::string id, device, what, seller;  ///< what: "8-GPU HGX server", "card", "NVL72 rack"
  Dollars per_device, per_device_low, per_device_high;
  std::string date;
  Provenance provenance;
};

/// What is wrong with an entry: signs, magnitudes (a bandwidth from 1 MB/s to 1 PB/s, a rate from 1 GFLOP/s to 1 EFLOP/s, ...), dates,
/// and what fields must say of each other.  `Problem::field` is the JSON name, `peak.fp8` for a member of a group.
Problems problems(const Device& device);
Problems problems(const Fabric& fabric);
Problems problems(const Node& node);
Problems problems(const Price& price);
Problems problems(const PurchasePrice& price);

/// True for YYYY, YYYY-MM and YYYY-MM-DD with month and day in range.
bool is_date(const std::string& text);

}  // namespace reckon
