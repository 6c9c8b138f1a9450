// One cluster size, planned: search, projection, and a remark where there is no plan.  Sizes are independent of each other, so that ranks
// take them round robin.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "io/plan_results.hpp"
#include "plan/question.hpp"

namespace reckon {

struct PlannedSize {
  PlanSize size;
  std::vector<PlanPoint> candidates;      ///< fastest first
  std::vector<PlanPoint> nearest_misses;  ///< one when nothing fits, else none
};

/// Searches `devices` devices, keeps the `keep` fastest strategies and carries them through to days and dollars.  The remark of a size
/// without a plan is the work of remark_on (app/cures.hpp).
PlannedSize plan_size(const Question& question, const RunPlan& run, std::int64_t devices, std::size_t keep);

/// As bytes and back, for the gathering rank; throws InternalError when the bytes are not what pack made.
std::string pack(const std::vector<PlannedSize>& planned);
std::vector<PlannedSize> unpack_planned(std::string_view message);

/// The part of rank `rank` of `num_ranks`: every num_ranks-th size, from the largest down, since those take longest.  `finished` is called
/// after each.
std::vector<PlannedSize> plan_share(const Question& question, const RunPlan& run, const std::vector<std::int64_t>& devices,
                                    std::size_t keep, int rank, int num_ranks, const std::function<void()>& finished);

/// Sizes between the largest that is too slow for the deadline and the next listed one that is not: up to 15, whole nodes, evenly spaced.
/// Empty when there is no such pair or nothing lies between.
std::vector<std::int64_t> sizes_between(const std::vector<PlannedSize>& planned, Seconds deadline, std::int64_t devices_per_node);

/// Adds what sizes_between found out: the smallest of `extra` that meets the deadline and the largest below it that does not.
void keep_nearest(std::vector<PlannedSize>& planned, std::vector<PlannedSize> extra, Seconds deadline);

/// Puts all shares into `results`, ascending by devices, and marks the front.
void collect(std::vector<PlannedSize> planned, PlanResults& results);

}  // namespace reckon
