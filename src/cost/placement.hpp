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
/// (data x context); for expert weights see `expert_data_placement`.
GroupPlacement placement_of(Group group, const Strategy& strategy, const Cluster& cluster);

/// The group that reduces expert gradients: tensor x context x data / (expert_tensor x expert) members.
GroupPlacement expert_data_placement(const Strategy& strategy, const Cluster& cluster);

/// A group of `ranks` members at distance `stride`.
GroupPlacement strided_placement(std::int64_t ranks, std::int64_t stride, const Cluster& cluster);

}  // namespace reckon
