// SPDX-License-Identifier: Apache-2.0
#include "cost/placement.hpp"

#include <algorithm>

namespace reckon {

GroupPlacement strided_placement(std::int64_t ranks, std::int64_t stride, const Cluster& cluster) {
  const std::int64_t domain = std::max<std::int64_t>(1, std::max(cluster.node.scale_up_domain, cluster.node.devices_per_node));
  GroupPlacement g;
  g.ranks = ranks;
  g.ranks_per_domain = std::clamp<std::int64_t>(domain / std::max<std::int64_t>(1, stride), 1, std::max<std::int64_t>(1, ranks));
  g.link_bandwidth = cluster.device.link_bandwidth.base() > 0 ? cluster.device.link_bandwidth : cluster.device.pcie_bandwidth;
  g.nic_bandwidth_per_device =
      cluster.fabric.nic_bandwidth * (static_cast<double>(cluster.node.nics_per_node) / static_cast<double>(std::max<std::int64_t>(1, cluster.node.devices_per_node)));
  g.fabric_latency = cluster.fabric.latency;
  // beyond one leaf the group crosses the oversubscribed level
  const std::int64_t span_nodes = ranks * stride / std::max<std::int64_t>(1, cluster.node.devices_per_node);
  const bool crosses = cluster.fabric.nodes_per_leaf > 0 && span_nodes > cluster.fabric.nodes_per_leaf;
  g.oversubscription = crosses ? std::max(1.0, cluster.fabric.oversubscription) : 1.0;
  g.in_network_reduction = cluster.fabric.in_network_reduction;
  return g;
}

GroupPlacement placement_of(Group group, const Strategy& s, const Cluster& cluster) {
  const std::int64_t t = s.tensor_parallel, c = s.context_parallel, d = s.data_parallel;
  switch (group) {
    case Group::tensor: return strided_placement(t, 1, cluster);
    case Group::context: return strided_placement(c, t, cluster);
    case Group::expert_tensor: return strided_placement(s.expert_tensor(), 1, cluster);
    case Group::expert: return strided_placement(s.expert_parallel, s.expert_tensor(), cluster);
    case Group::data: return strided_placement(c * d, t, cluster);
    case Group::pipeline: return strided_placement(2, s.num_devices() / std::max<std::int64_t>(1, s.pipeline_parallel), cluster);
  }
  return strided_placement(1, 1, cluster);
}

GroupPlacement expert_data_placement(const Strategy& s, const Cluster& cluster) {
  const std::int64_t inner = s.expert_tensor() * s.expert_parallel;
  return strided_placement(std::max<std::int64_t>(1, s.tensor_parallel * s.context_parallel * s.data_parallel / inner), inner, cluster);
}

}  // namespace reckon
