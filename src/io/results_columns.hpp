// The columns of a plan: one table that the HDF5 writer, its reader, the JSON output and the messages between ranks all go by.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "io/plan_results.hpp"

namespace reckon {

/// A real number of a PlanPoint in base units (s, byte, flop, J, USD).  A column without `set` is derived from the others: it is written
/// for readers of the file, and checked against its parts when the file is read back.
struct RealColumn {
  std::string name, units, long_name;
  std::function<double(const PlanPoint&)> get;
  std::function<void(PlanPoint&, double)> set;
  bool missing_is_infinite = false;  ///< infinity is a value here, and is written as missing
  bool projected = false;            ///< says something of a whole run, not of a step
  int since = 1;                     ///< results format that has it; absent from older files means zero
  /// The name with its unit, as JSON keys are spelled: `step_time_s`, `memory_total_bytes`, `mfu`.
  std::string json_name() const;
};

/// A whole number, a flag or an enumerator of a PlanPoint.
struct WholeColumn {
  std::string name, units, long_name;
  std::function<std::int64_t(const PlanPoint&)> get;
  std::function<void(PlanPoint&, std::int64_t)> set;
  std::vector<std::string> meanings;  ///< of an enumerator: the name of value i at index i
  bool mask = false;                  ///< meanings name bits, not values
  int since = 1;                      ///< results format that has it; absent from older files means zero
};

/// All columns; `devices` is the first whole column.
const std::vector<WholeColumn>& whole_columns();
const std::vector<RealColumn>& real_columns();

/// What a search did with the strategies of a size; the members sum to /plans/considered.  Since format 2.
struct CountColumn {
  const char *name, *long_name;
  std::int64_t SearchCounts::*member;
};
const std::vector<CountColumn>& count_columns();

/// The names of the parts of a sum, in the order of the report: StepTime and MemoryFootprint member by member.
struct Part {
  std::string_view name, title;
};
const std::vector<Part>& step_time_parts();
const std::vector<Part>& memory_parts();
/// The parts by value, in the same order.
std::vector<Seconds> values_of(const StepTime& time);
std::vector<Bytes> values_of(const MemoryFootprint& memory);

/// The points as bytes and back, for messages between ranks; throws InternalError when the bytes are not what pack made.
std::string pack(const std::vector<PlanPoint>& points);
std::vector<PlanPoint> unpack_points(std::string_view message);

}  // namespace reckon
