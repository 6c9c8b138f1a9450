// Cluster sizes, planned: search, projection, and a remark where there is no plan.
//
// A size is searched in parts, one for each tensor degree.  Parts are independent of each other and always cut the same way, so that any
// rank may take any of them, in any order, now or after a restart, and the whole is the same.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/plan_results.hpp"
#include "plan/question.hpp"

namespace reckon {

struct PlannedSize {
  PlanSize size;
  std::vector<PlanPoint> candidates;      ///< fastest first
  std::vector<PlanPoint> nearest_misses;  ///< one when nothing fits, else none
};

/// A part of one size.
struct PlanPart {
  std::int64_t devices = 0, tensor = 1;
  /// "devices 512 tensor 8": names it in journals.
  std::string key() const;
};

/// The parts of all sizes, those that take long first.  Sizes that are no whole nodes have none.
std::vector<PlanPart> plan_parts(const Question& question, const std::vector<std::int64_t>& devices);

/// Searches parts of one question, keeping what sizes share.
class PartPlanner {
 public:
  PartPlanner(const Question& question, std::size_t keep);
  PartPlanner(const PartPlanner&) = delete;
  PartPlanner& operator=(const PartPlanner&) = delete;
  ~PartPlanner();

  /// The result as bytes, for journals and messages; nothing when `go_on` (asked every millisecond or so) said no.
  std::optional<std::string> plan(const PlanPart& part, const std::function<bool()>& go_on);

 private:
  struct Cut;
  const Question& question_;
  std::size_t keep_;
  std::map<std::int64_t, std::unique_ptr<Cut>> cuts_;  // by tensor degree
};

/// Puts the results of all parts of `devices` together: `parts` maps keys to what PartPlanner::plan gave.  Throws InternalError when a part
/// is missing or its bytes are not what plan made.
PlannedSize join_parts(const Question& question, const RunPlan& run, const std::vector<PlanPart>& parts,
                       const std::map<std::string, std::string>& results, std::int64_t devices, std::size_t keep);

/// All of the above for one size.  The remark of a size without a plan is the work of remark_on (app/cures.hpp).
PlannedSize plan_size(const Question& question, const RunPlan& run, std::int64_t devices, std::size_t keep);

/// Sizes between the largest that is too slow for the deadline and the next listed one that is not: up to 15, whole nodes, evenly spaced.
/// Empty when there is no such pair or nothing lies between.
std::vector<std::int64_t> sizes_between(const std::vector<PlannedSize>& planned, Seconds deadline, std::int64_t devices_per_node);

/// Adds what sizes_between found out: the smallest of `extra` that meets the deadline and the largest below it that does not.
void keep_nearest(std::vector<PlannedSize>& planned, std::vector<PlannedSize> extra, Seconds deadline);

/// Puts all shares into `results`, ascending by devices, and marks the front.
void collect(std::vector<PlannedSize> planned, PlanResults& results);

}  // namespace reckon
