// Every strategy of a space with its step time and memory, as HDF5 files of so many rows each: memory stays bounded whatever the space, and
// every file is whole or absent.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/plan_results.hpp"

namespace reckon {

constexpr std::size_t batch_rows = 1 << 18;

/// One strategy as a search decided it.
struct DecidedStrategy {
  Strategy strategy;
  Seconds step_time;
  Bytes memory;
  bool fits = false;  ///< memory is within the device's, less the margin
};

/// Collects the strategies of one part of a space and writes FOLDER/NAME.0000.h5, NAME.0001.h5, ... of `batch_rows` rows each, the last
/// with what is left.  A file that is there already is left as it is: it was written whole by an earlier run of the same question.
///
/// Each holds the dimension `strategy` (number within the part), the columns of results files that describe a strategy, `step_time`,
/// `memory_total` and `fits`, and the provenance as root attributes.  Throws FileError.
class StrategyBatches {
 public:
  StrategyBatches(std::filesystem::path folder, std::string name, std::int64_t devices, const PlanProvenance& provenance);

  void add(DecidedStrategy row);
  /// Writes what is left.  Call once, last.
  void finish();

  std::int64_t rows() const { return rows_; }
  std::int64_t files() const { return files_; }

 private:
  void write();

  std::filesystem::path folder_;
  std::string name_;
  std::int64_t devices_;
  const PlanProvenance& provenance_;
  std::vector<DecidedStrategy> batch_;
  std::int64_t rows_ = 0, files_ = 0;
};

}  // namespace reckon
