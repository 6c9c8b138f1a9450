// Builds a results file in memory: HDF5 never touches the disk itself, since a kill or a full disk then loses or falsifies data.
//
// The layout is what netCDF-4, xarray and h5py read: one dataset a column on dimension scales, `units` and `long_name` on each,
// variable-length UTF-8 texts, no compounds, booleans or enumerations.  Chunks carry Fletcher32; the file ends in a line with the SHA-256
// of all bytes before it, which HDF5 readers ignore and read_hdf5 checks.  Same calls, same bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace reckon {

/// What stands beside the numbers of one column.
struct Hdf5Column {
  std::string units;                    ///< UDUNITS spelling where there is one: s, byte, byte s-1, W, 1; else USD, flop, token
  std::string long_name;                ///< for people
  std::vector<std::string> dimensions;  ///< paths of the dimension scales, slowest first; empty = a new 1-D dimension without a scale
  bool may_be_missing = false;          ///< doubles: NaN means missing (_FillValue NaN); integers: -1 means missing, said in `comment`
  std::string comment;                  ///< optional
};

/// A results file in the making.  Paths are absolute ("/candidates/step_time"); groups above a path are made when missing.
/// Every method throws FileError when HDF5 fails and InternalError when a value or shape breaks the rules above.
class Hdf5Image {
 public:
  /// `file` is the name that messages carry.
  explicit Hdf5Image(std::string file);
  Hdf5Image(Hdf5Image&&) noexcept;
  Hdf5Image& operator=(Hdf5Image&&) noexcept;
  ~Hdf5Image();

  /// Makes a group and those above it.
  void group(const std::string& path);

  /// Attributes of a group or dataset; "/" is the root.
  void attribute(const std::string& path, const std::string& name, const std::string& value);
  void attribute(const std::string& path, const std::string& name, std::int64_t value);
  void attribute(const std::string& path, const std::string& name, double value);
  void attribute(const std::string& path, const std::string& name, const std::vector<std::string>& values);

  /// A 1-D dataset that is the coordinate of a dimension; `column.dimensions` must be empty.
  void scale(const std::string& path, std::span<const double> values, const Hdf5Column& column);
  void scale(const std::string& path, std::span<const std::int64_t> values, const Hdf5Column& column);
  void scale(const std::string& path, std::span<const std::string> values, const Hdf5Column& column);

  /// A column over its dimension scales, row-major; the number of values is the product of their lengths.
  void dataset(const std::string& path, std::span<const double> values, const Hdf5Column& column);
  void dataset(const std::string& path, std::span<const std::int64_t> values, const Hdf5Column& column);
  void dataset(const std::string& path, std::span<const std::string> values, const Hdf5Column& column);

  /// Small codes 0, 1, ... with their meanings (CF flag_values, flag_meanings); a truth value is {"no", "yes"}.
  void flags(const std::string& path, std::span<const std::int8_t> values, const std::vector<std::string>& meanings, const Hdf5Column& column);

  /// One text, such as an input file stored verbatim; its SHA-256 goes into the attribute `sha256`.
  void text(const std::string& path, const std::string& value, const std::string& long_name);

  /// Writes the root attribute complete = 1, closes, and returns all bytes of the file.  Call once, last.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// finish() and AtomicFile together; the temporary is opened with HDF5 and checked for `complete` before it gets its name.
void save_hdf5(Hdf5Image& image, const std::filesystem::path& target, bool overwrite);

}  // namespace reckon
