// Where links are and which of them a message crosses: scale-up domains, NICs on rails, leaves, spine, tori; and what collectives load.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calibration/links.hpp"
#include "catalog/device.hpp"
#include "simulate/flow_network.hpp"

namespace reckon {

/// Links of a group of devices inside a FlowNetwork.
///
/// A switched cluster: every device has a link up to and one down from its scale-up switch (NVLink node, NVL72 rack), and its share of the
/// node's NICs, up and down.  NIC k of every node is on rail k: device d of a node uses rail d * nics / devices.  Nodes of one leaf group
/// share a leaf a rail; leaves reach the spine with (nodes a leaf * NIC bandwidth / oversubscription) up and down.  Traffic between rails
/// goes over the spine.  A torus: links in both directions along every dimension, routes dimension by dimension, the shorter way round.
class Topology {
 public:
  /// `efficiency` scales all link bandwidths: what a large transfer really gets.
  static Topology switched(FlowNetwork& network, const Cluster& cluster, std::int64_t num_devices, double efficiency = 1.0);
  static Topology torus(FlowNetwork& network, const std::vector<std::int64_t>& sizes, BytesPerSecond link);

  std::int64_t num_devices() const { return num_devices_; }
  /// Adds the links from one device to another to `route`, each `times` times.
  void add_route(std::int64_t from, std::int64_t to, double times, std::vector<Crossing>& route) const;
  /// True when the devices share a scale-up domain.
  bool together(std::int64_t a, std::int64_t b) const { return !sizes_.empty() || a / domain_ == b / domain_; }
  std::int64_t domain() const { return domain_; }
  const std::vector<std::int64_t>& sizes() const { return sizes_; }

  std::uint32_t nic_up(std::int64_t device) const { return nic_ + static_cast<std::uint32_t>(2 * nic_of(device)); }
  std::uint32_t nic_down(std::int64_t device) const { return nic_up(device) + 1; }
  /// The leaf's links to and from the spine; FlowNetwork::nothing without a spine.
  std::uint32_t leaf_up(std::int64_t device) const;
  /// e.g. "node 12, NIC 3, up".
  std::string link_name(std::uint32_t link) const;

 private:
  std::int64_t nic_of(std::int64_t device) const { return device / devices_per_node_ * nics_ + rail_of(device); }
  std::int64_t rail_of(std::int64_t device) const { return device % devices_per_node_ * nics_ / devices_per_node_; }
  void add_torus_route(std::int64_t from, std::int64_t to, double times, std::vector<Crossing>& route) const;

  std::int64_t num_devices_ = 0, domain_ = 1, devices_per_node_ = 1, nics_ = 1, nodes_per_leaf_ = 0;
  std::uint32_t device_ = 0, nic_ = 0, leaf_ = 0;  // first link of each kind; up and down alternate
  bool has_domain_links_ = false;
  std::vector<std::int64_t> sizes_;
};

/// How a collective moves its data.
enum class Algorithm { ring, tree, in_switch, hierarchical, pairwise };

/// One phase of a collective that moves in step: `bytes` at the flow's rate, over links that it loads `times` each.
struct CollectiveFlow {
  double bytes = 0;
  std::vector<Crossing> route;
  double steps = 1;  ///< dependent steps, each with a latency
};

/// The phases of a collective of `size` bytes (convention of collective_time) among `members`, in ring order.
///
///   ring          2 (n-1)/n of the buffer over every edge of the ring for all_reduce, (n-1)/n for the halves, all of it for broadcast
///   tree          the buffer up and down a binary tree, pipelined (all_reduce, broadcast); half of the members each way for two trees
///   in_switch     the buffer up from and down to every member (all_reduce only)
///   hierarchical  all_reduce: reduce-scatter inside each domain, all-reduce of the shares across domains, all-gather inside; the halves
///                 alone for reduce_scatter and all_gather; all_to_all: inside each domain to the member with the receiver's place, then
///                 across; on a torus along each dimension in turn
///   pairwise      size / n from every member to every other (all_to_all)
/// Throws UsageError for combinations that do not exist.
std::vector<CollectiveFlow> collective_flows(const Topology& topology, Collective collective, Algorithm algorithm, Bytes size,
                                             const std::vector<std::int64_t>& members);

/// Runs flows that start at given times, phase after phase, and returns when each is done.  `latency` is added for every step.  Times count
/// from the network's present.
struct TimedCollective {
  double start = 0;
  std::vector<CollectiveFlow> phases;
  double limit = std::numeric_limits<double>::infinity();
};
std::vector<double> finish_times(FlowNetwork& network, const std::vector<TimedCollective>& collectives, double latency = 0.0);

}  // namespace reckon
