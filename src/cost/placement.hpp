// Where the members of a communication group sit: how many share a scale-up domain, and what links they have.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "calibration/links.hpp"
#include "catalog/device.hpp"
#include "catalog/strategy.hpp"
#include "cost/lowered.hpp"

namespace reckon {

/// Devices are numbered with the tensor group innermost, then context, data, pipeline (Megatron's order tp-cp-dp-pp), so that a
/// group with stride s and n members has min(n, max(1, domain / s)) of them in one scale-up domain.  Expert groups take the
/// innermost expert_tensor x expert members of tensor x context x data.  `data` is the group over which gradients are reduced
/// (data x context); for expert weights see `expert_data_placement`.  With GroupOrder::pipeline_inside the stages of a pipeline follow
/// the context group and replicas are farther apart (tp-cp-pp-dp).
GroupPlacement placement_of(Group group, const Strategy& strategy, const Cluster& cluster);

/// The group that reduces expert gradients: tensor x context x data / (expert_tensor x expert) members.
GroupPlacement expert_data_placement(const Strategy& strategy, const Cluster& cluster);

/// A shard group of dense weights (the innermost shard_group_size of data x context), and the group of its counterparts in the others.
GroupPlacement shard_placement(const Strategy& strategy, const Cluster& cluster);
GroupPlacement replica_placement(const Strategy& strategy, const Cluster& cluster);

/// First and last stage of a pipeline.
GroupPlacement ends_placement(const Strategy& strategy, const Cluster& cluster);

/// One way over a device's host bus.  A packet of 256 bytes carries about 24 bytes of header, sequence number and check sum (PCI Express
/// Base Specification, transaction and data link layers).  Infinite where the catalogue has no bandwidth.
Seconds host_transfer_time(const Cluster& cluster, Bytes size);

/// A group of `ranks` members at distance `stride`.
GroupPlacement strided_placement(std::int64_t ranks, std::int64_t stride, const Cluster& cluster);

}  // namespace reckon
