// SPDX-License-Identifier: Apache-2.0
#include "cost/placement.hpp"

#include <algorithm>
#include <limits>

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
  return g;
}

namespace {

/// `inner` members at distance `stride`, repeated `outer` times at distance `far`.
GroupPlacement nested_placement(std::int64_t inner, std::int64_t stride, std::int64_t outer, std::int64_t far, const Cluster& cluster) {
  const GroupPlacement near = strided_placement(inner, stride, cluster);
  GroupPlacement out = strided_placement(outer, far, cluster);
  out.ranks = inner * outer;
  out.ranks_per_domain = near.ranks_per_domain < inner ? near.ranks_per_domain : near.ranks_per_domain * out.ranks_per_domain;
  return out;
}

/// `ranks` of the tensor x context x data ranks of a stage, from distance `stride` among those on.
GroupPlacement stage_placement(std::int64_t ranks, std::int64_t stride, const Strategy& s, const Cluster& cluster) {
  const std::int64_t near = s.tensor_parallel * s.context_parallel;
  if (s.order == GroupOrder::data_inside || ranks * stride <= near) return strided_placement(ranks, stride, cluster);
  if (stride >= near) return strided_placement(ranks, stride * s.pipeline_parallel, cluster);
  const std::int64_t inner = near / stride;
  return nested_placement(inner, stride, std::max<std::int64_t>(1, ranks / std::max<std::int64_t>(1, inner)), near * s.pipeline_parallel, cluster);
}

}  // namespace

GroupPlacement placement_of(Group group, const Strategy& s, const Cluster& cluster) {
  const std::int64_t t = s.tensor_parallel, c = s.context_parallel, d = s.data_parallel;
  switch (group) {
    case Group::tensor: return strided_placement(t, 1, cluster);
    case Group::context: return strided_placement(c, t, cluster);
    case Group::expert_tensor: return strided_placement(s.expert_tensor(), 1, cluster);
    case Group::expert: return stage_placement(s.expert_parallel, s.expert_tensor(), s, cluster);
    case Group::data: return stage_placement(c * d, t, s, cluster);
    case Group::pipeline: return strided_placement(2, s.order == GroupOrder::data_inside ? s.num_devices() / std::max<std::int64_t>(1, s.pipeline_parallel) : t * c, cluster);
  }
  return strided_placement(1, 1, cluster);
}

GroupPlacement expert_data_placement(const Strategy& s, const Cluster& cluster) {
  const std::int64_t inner = s.expert_tensor() * s.expert_parallel;
  return stage_placement(std::max<std::int64_t>(1, s.tensor_parallel * s.context_parallel * s.data_parallel / inner), inner, s, cluster);
}

GroupPlacement shard_placement(const Strategy& s, const Cluster& cluster) {
  const std::int64_t all = s.context_parallel * s.data_parallel;
  return stage_placement(s.shard_group_size > 0 ? std::min(s.shard_group_size, all) : all, s.tensor_parallel, s, cluster);
}

GroupPlacement replica_placement(const Strategy& s, const Cluster& cluster) {
  const std::int64_t all = s.context_parallel * s.data_parallel, group = s.shard_group_size > 0 ? std::min(s.shard_group_size, all) : all;
  return stage_placement(std::max<std::int64_t>(1, all / group), s.tensor_parallel * group, s, cluster);
}

GroupPlacement ends_placement(const Strategy& s, const Cluster& cluster) {
  const std::int64_t far = s.order == GroupOrder::data_inside ? s.num_devices() / 2 : s.tensor_parallel * s.context_parallel * (s.pipeline_parallel - 1);
  return strided_placement(2, far, cluster);
}

Seconds host_transfer_time(const Cluster& cluster, Bytes size) {
  constexpr double payload = 256.0 / (256.0 + 24.0);
  if (size.base() <= 0) return Seconds{};
  if (!(cluster.device.pcie_bandwidth.base() > 0)) return Seconds{std::numeric_limits<double>::infinity()};
  return size / (cluster.device.pcie_bandwidth * payload);
}

}  // namespace reckon
