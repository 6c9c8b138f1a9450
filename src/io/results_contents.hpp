// What the readers of results share: columns and attributes by name, and one sentence for what is missing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "io/hdf5_read.hpp"

namespace reckon {

/// The contents of one results file, by reference.
class ResultsContents {
 public:
  ResultsContents(const Hdf5Contents& contents, std::string file) : contents_(contents), file_(std::move(file)) {}

 protected:
  [[noreturn]] void fail(const std::string& place, const std::string& reason) const {
    throw ConfigError(file_, place, reason, "the file is damaged or was not written by this program");
  }
  const Hdf5Dataset& dataset(const std::string& path) const {
    const Hdf5Dataset* found = contents_.find(path);
    if (found == nullptr) fail(path, "this column is missing");
    return *found;
  }
  template <class T>
  T attribute(const std::string& group, const std::string& name) const {
    const auto at = contents_.groups.find(group);
    if (at == contents_.groups.end()) fail(group, "this group is missing");
    const auto value = at->second.find(name);
    if (value == at->second.end() || !std::holds_alternative<T>(value->second))
      fail(group, "the attribute " + name + " is missing or of another type");
    return std::get<T>(value->second);
  }
  template <class T>
  const std::vector<T>& sized(const std::string& path, const std::vector<T>& values, std::size_t count) const {
    if (values.size() != count) fail(path, fmt::format("{} values, expected {}", values.size(), count));
    return values;
  }
  const std::vector<std::string>& texts(const std::string& path, std::size_t n) const { return sized(path, dataset(path).texts(), n); }
  const std::vector<std::int64_t>& whole(const std::string& path, std::size_t n) const { return sized(path, dataset(path).integers(), n); }

  const Hdf5Contents& contents_;
  std::string file_;
};

}  // namespace reckon
