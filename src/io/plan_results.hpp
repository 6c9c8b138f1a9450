// What `reckon plan` found, as one value: written to HDF5, read back, printed as text and as JSON, always from here.
//
// Everything that a report says stands in this value, so that `reckon show FILE` prints what `reckon plan` printed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/strategy.hpp"
#include "cost/step_cost.hpp"
#include "plan/search.hpp"
#include "projection/cost_study.hpp"
#include "projection/projection.hpp"

namespace reckon {

/// The question as it was understood, every default filled in.
struct PlanQuestion {
  std::string model, family;
  double parameters = 0, active_parameters = 0;
  std::string training, optimizer, precision, attention;
  std::string stack, stack_name;
  std::string cluster, cluster_name, device, device_name, node, fabric;
  std::int64_t devices_per_node = 1;
  Bytes device_memory;
  double memory_margin = 0;            ///< share of the memory kept free
  bool counts_tokens = true;           ///< else samples
  double units = 0;                    ///< tokens or samples of the whole run
  std::int64_t seq_len = 0;            ///< 0 for models without a sequence
  std::int64_t global_batch_size = 1;  ///< sequences or samples of a step
  RunPlan run;                         ///< failures, reserve, price, power
  std::string price_name;              ///< catalogue id, or "given"
  std::optional<Seconds> deadline;
  std::optional<Dollars> budget;
  std::string restrictions;  ///< of the search space, as flags; empty = none
  std::int64_t keep = 0;     ///< strategies kept for each size

  /// Memory that a strategy may fill.
  Bytes usable_memory() const { return device_memory * (1.0 - memory_margin); }
};

/// One strategy on one number of devices, carried through to dollars.
struct PlanPoint {
  std::int64_t devices = 0;
  std::int64_t place = 1;  ///< 1 = fastest of its size
  Strategy strategy;
  StepCost cost;
  Projection projection;
};

enum class SizeStatus { fits = 0, does_not_fit = 1, no_strategy = 2 };

/// What the search said about one number of devices.
struct PlanSize {
  std::int64_t devices = 0;
  SizeStatus status = SizeStatus::no_strategy;
  std::int64_t considered = 0, too_large = 0;  ///< strategies of the space, and those known not to fit
  SearchCounts counts;                         ///< what the search did with them; all zero in files of format 1
  bool on_front = false;                       ///< no other size is both faster and cheaper
  std::string remark;                          ///< why there is no plan, and what would cure it
};

/// One number that the answer rests on.
struct Assumption {
  std::string name, value;
  std::string basis;  ///< given, default, catalogue, measured, derived, fitted or estimated
  std::string source, date;
};

/// A file that was read, verbatim.
struct InputText {
  std::string name;  ///< model, cluster, calibration, ...
  std::string path;  ///< as given or as found below models/
  std::string text, sha256;
};

/// Where a results file comes from.  Nothing here changes with the number of ranks, the host or the hour.
struct PlanProvenance {
  std::string version, git_commit, command_line;
  std::string date;       ///< from SOURCE_DATE_EPOCH; empty = not stated
  std::int64_t seed = 0;  ///< of the projections; nothing is drawn at random yet
  std::string uuid;       ///< derived from the inputs
};

/// The verdict in words; report/verdict.hpp makes it.
struct PlanAnswer {
  std::string kind;  ///< open, met, missed or nothing
  std::string sentence;
  std::vector<std::string> details;
  std::int64_t devices = 0;  ///< the size that the sentence is about; 0 = none
};

struct PlanResults {
  PlanQuestion question;
  std::vector<PlanSize> sizes;            ///< ascending
  std::vector<PlanPoint> candidates;      ///< by size, then place: all that fit and were kept
  std::vector<PlanPoint> nearest_misses;  ///< smallest footprint of each size where nothing fits
  PlanAnswer answer;
  std::optional<CostStudy> costs;         ///< of the size that the answer is about; nothing when there is none
  std::vector<Assumption> assumptions;
  std::vector<InputText> inputs;
  PlanProvenance provenance;
  std::string currency = "USD";  ///< of all money in here, whatever the types are called; files hold USD, see report/cost_currency.hpp

  /// The fastest plan of a size; null when there is none.
  const PlanPoint* best_of(std::int64_t devices) const;
  const PlanPoint* nearest_miss_of(std::int64_t devices) const;
  /// The fastest plan of each size that has one, in the order of sizes.
  std::vector<const PlanPoint*> best_points() const;
};

/// Marks the sizes that no other beats in both wall time and cost.
void mark_front(PlanResults& results);

}  // namespace reckon
