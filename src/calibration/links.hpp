// What links really deliver: alpha-beta times of collectives inside one scale-up domain and across domains.
//
// Sizes follow the nccl-tests convention.  Parameters are fitted to published measurements by scripts/fit_links.py and kept in
// models/calibrations/links.json; this folder only evaluates them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "calibration/measured_links.hpp"
#include "calibration/stack.hpp"
#include "catalog/device.hpp"

namespace reckon {

enum class Collective { all_reduce, all_gather, reduce_scatter, all_to_all, broadcast, point_to_point };
inline constexpr int num_collectives = 6;

/// One way of moving data (a protocol of a ring, in-switch reduction, pairwise exchange): the alpha-beta formula with a pipeline fill.
///
///   t = base + steps * step + wire / (efficiency * link) + fill * sqrt(steps) * wire / (wire + steps * fill_size)
///
/// `wire` is what one device sends.  The last term is the part of the pipeline that is not overlapped: messages smaller than
/// steps * fill_size are cut into chunks that grow with the message, larger ones into full chunks whose fill time is constant.
struct PathCost {
  Seconds base;             ///< launch and synchronisation
  Seconds step;             ///< each dependent step inside the domain
  double efficiency = 0.0;  ///< of the nominal link bandwidth; 0 = this path does not exist
  Seconds fill;
  Bytes fill_size;
};

/// Fitted links of one scale-up domain (NVLink/NVSwitch node or rack), per accelerator.
struct DomainLinks {
  PathCost low_latency;    ///< NCCL LL ring: flag with every word, half of the wire or less
  PathCost mid;            ///< NCCL LL128 ring
  PathCost bulk;           ///< NCCL Simple ring
  PathCost in_switch;      ///< NVLS all-reduce; wire = the whole buffer; efficiency 0 = absent
  PathCost all_to_all;     ///< pairwise exchange
  PathCost point_to_point;
  std::array<BytesPerSecond, num_collectives> copy;  ///< local copy or reduction of a device's own share, size / ranks
  std::int64_t in_switch_min_ranks = 5;              ///< NCCL takes the ring below
};

/// Fitted scale-out fabric, per kind.
struct FabricLinks {
  double ring_efficiency = 0.0;            ///< delivered / nominal NIC bandwidth of a large ring
  double tree_efficiency = 0.0;            ///< same for the double binary tree
  double all_to_all_efficiency = 0.0;
  double point_to_point_efficiency = 0.0;
  double in_network_efficiency = 0.0;      ///< switches that reduce; 0 = none on this fabric, or left idle
  double in_switch_retained = 1.0;         ///< share of the in-switch (NVLS) rate that is left when it is pipelined with the NICs
  /// Between two domains the double tree moves half of what it moves between more.  NCCL's tuner does not reckon with it (src/graph/tuning.cc)
  /// and takes the ring: two nodes of A100s sum at 171 to 191 of 200 GB/s over RoCE in six of eight published tables.  True where it is
  /// taken: AWS's plugin (78 of 50 GB/s), and everywhere with in-switch reduction inside the domains.
  bool tree_between_two = true;
  Seconds base;                            ///< added once to any collective that leaves the domain
  Seconds step;                            ///< one dependent step through a NIC, small message
  Seconds bulk_step;                       ///< same for the bulk protocol
  Seconds peer;                            ///< per remote peer of an all-to-all
  Seconds fill;                            ///< pipeline fill of the NIC path, per sqrt(NIC steps)
  Bytes fill_size;
  double loss_per_doubling = 0.0;          ///< relative loss of NIC bandwidth per doubling of domains beyond `loss_free_domains`
  std::int64_t loss_free_domains = 1;
};

/// What `collective_time` reads: the links of one cluster.  Choose with `link_calibration`.
struct LinkCalibration {
  DomainLinks domain;
  FabricLinks fabric;
  bool domain_measured = false;  ///< false: derived from another accelerator or from the nominal bandwidth
  bool fabric_measured = false;
  Source domain_source, fabric_source;
  std::shared_ptr<const MeasuredLinks> measured;  ///< curves of groups inside a domain, taken before any formula; null with published figures
};

/// Where the members of a group sit.  Bandwidths are per device, one direction.
struct GroupPlacement {
  std::int64_t ranks = 1;
  std::int64_t ranks_per_domain = 1;  ///< members of this group inside one scale-up domain; >= ranks: the group never leaves it
  /// How many transfers draw on the same NIC share at the same time.  A member always counts with its own share of the node's NICs
  /// (`nic_bandwidth_per_device`), so the other groups that run the same collective through the other devices of the node are not counted
  /// here; a second collective of the same devices at the same time is.
  double concurrent = 1.0;
  BytesPerSecond link_bandwidth;            ///< scale-up link
  BytesPerSecond nic_bandwidth_per_device;  ///< node's NIC total / devices of the node
  Seconds fabric_latency;                   ///< a floor under the calibrated NIC step
  double oversubscription = 1.0;            ///< of the switches that this group crosses; 1 = full bisection
};

/// Time of one collective of `size` bytes.
///
/// `size`: all_reduce, broadcast: the buffer; all_gather: the gathered total; reduce_scatter: the total input of a rank; all_to_all: the
/// whole send buffer of a rank, own part included; point_to_point: the message.
///
/// Inside a domain the fastest of the low-latency, mid and bulk rings and (all-reduce) the in-switch reduction.  Across domains the
/// fastest of the flat ring, the double binary tree and in-network reduction (all-reduce), rings only for all_gather and reduce_scatter.
///   ring, s steps:  s = 2(n-1) all_reduce, n-1 halves;  wire = s/n * size;  bandwidth = min(link ring, members per domain * NIC)
///   tree:           2((r-1) + ceil(log2 N)) steps; NIC carries size/r each way for N = 2 domains (see `tree_between_two`), twice that else
///   all_to_all:     max of (r-1)/n * size over the link and (n-r)/n * size through the own NIC
/// 0 s for one rank or (exactly) zero bytes.  Monotone in size and bandwidth.  Pure; bandwidths in use must be positive.
/// Sources: nccl-tests doc/PERFORMANCE.md; NCCL src/graph/tuning.cc; Patarasuk and Yuan, J. Parallel Distrib. Comput. 69 (2009);
/// Sanders, Speck, Traeff, Parallel Computing 35 (2009) for the double binary tree.
Seconds collective_time(const LinkCalibration& links, Collective collective, Bytes size, const GroupPlacement& group);

/// nccl-tests bus bandwidth of a time: size / time * 2(n-1)/n for all_reduce, (n-1)/n for gather, scatter and all_to_all, 1 otherwise.
BytesPerSecond bus_bandwidth(Collective collective, Bytes size, std::int64_t ranks, Seconds time);

/// Relative error of the fit on the measured times, |predicted / measured - 1|.
struct LinkResidual {
  std::string device, collective, sizes;  ///< sizes: "all", "1 MiB - 512 MiB", ...
  std::string kind;                       ///< "fit" or "held-out"
  std::int64_t points = 0;
  double median = 0.0, p90 = 0.0, bias = 0.0;
};

struct DomainLinksEntry {
  DomainLinks links;
  bool measured = false;
  Source source;
};

struct FabricLinksEntry {
  FabricLinks links;
  bool measured = false;
  Source source;
};

/// The whole calibration file: accelerators by calibration key (device id or architecture), fabrics by kind.
struct LinkTable {
  std::map<std::string, DomainLinksEntry> domains;
  std::map<std::string, FabricLinksEntry> fabrics;
  std::vector<LinkResidual> residuals;
  Source source;
};

/// Links of a device on a fabric.  The device is looked up by `id`, then the longest key that its id starts with, then `architecture`, then
/// "default"; the fabric by `id`, then `kind`, then "default".  What is found under "default" counts as not measured.
/// Switches reduce where the fabric's can and the stack asks them to.
/// Throws CalibrationError when the table has no "default" and nothing else matches.
LinkCalibration link_calibration(const LinkTable& table, const Device& device, const Fabric& fabric, const StackFacts& facts);

}  // namespace reckon
