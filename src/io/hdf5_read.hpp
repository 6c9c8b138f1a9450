// Reads a results file that may be damaged or hostile: the HDF5 library runs in a child process with limits, and what it sends back is flat
// and checked.  About one damaged file in 80 crashes or hangs the library; here that is an error message.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace reckon {

using Hdf5Value = std::variant<std::string, std::int64_t, double, std::vector<std::string>, std::vector<std::int64_t>, std::vector<double>>;
using Hdf5Attributes = std::map<std::string, Hdf5Value>;

struct Hdf5Dataset {
  std::string path;
  std::vector<std::uint64_t> shape;     ///< empty = one scalar value
  std::vector<std::string> dimensions;  ///< paths of the dimension scales, "" where there is none
  bool is_scale = false;
  Hdf5Attributes attributes;
  std::variant<std::vector<double>, std::vector<std::int64_t>, std::vector<std::string>> values;  ///< row-major

  /// The values; ConfigError when they are of another kind.
  const std::vector<double>& doubles() const;
  const std::vector<std::int64_t>& integers() const;
  const std::vector<std::string>& texts() const;
};

struct Hdf5Contents {
  std::map<std::string, Hdf5Attributes> groups;  ///< "/" is the root
  std::vector<Hdf5Dataset> datasets;             ///< in the order in which they were written, group by group

  const Hdf5Dataset* find(const std::string& path) const;
};

struct Hdf5Limits {
  std::uint64_t file_bytes = std::uint64_t{1} << 30;
  std::uint64_t memory_bytes = std::uint64_t{4} << 30;  ///< address space of the child beyond what it starts with
  std::uint64_t elements = 100'000'000;                 ///< in all datasets together
  unsigned seconds = 10;                                ///< of processor time; half as much again on the clock
  bool need_digest = true;                              ///< refuse files that do not end in a matching digest line
};

/// All of the file.  Throws ConfigError (exit 2) when it is missing, not a regular file, too large, cut, changed since it was written, not
/// marked complete, or when it holds what our files never hold: external or soft links, external storage, virtual datasets, filters other
/// than shuffle, deflate and Fletcher32, types other than integers, doubles and texts, infinities.
Hdf5Contents read_hdf5(const std::filesystem::path& path, const Hdf5Limits& limits = {});

}  // namespace reckon
