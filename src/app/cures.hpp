// Why a cluster size has no plan, and what would cure it, found by trying.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "app/planner.hpp"

namespace reckon {

/// A part of one node, or whole nodes: what can be rented.
bool whole_nodes(const Cluster& cluster, std::int64_t devices);

/// One or two sentences.  Where no strategy divides: the nearest sizes that some strategy divides.  Where nothing fits: the gap in GiB, and
/// the first of these that helps: lifting one restriction of the search space, more devices.
std::string remark_on(const Question& question, const PlannedSize& planned);

}  // namespace reckon
