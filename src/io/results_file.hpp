// The results file of `reckon plan`: HDF5 that h5py, netCDF-4 and xarray open as it is.
//
//   /                    provenance attributes: reckon_format, software, softwareVersion, git_commit, command_line, seed, inputs, uuid,
//   complete /inputs/question     the question with every default filled in, as JSON; /inputs/<name> the files that were read, verbatim
//   /plans/<column>      the fastest plan of each size, on the dimension scale /plans/devices; missing where there is none
//   /candidates/<column> the fastest strategies of each size, on /candidates/candidate
//   /nearest_misses/...  the smallest footprint of each size where nothing fits
//   /best/<column>       the plan that the answer is about; attributes kind, sentence, details
//   /costs/...           the cost study: assumptions, formulas, rows, totals, distributions; see io/results_costs.hpp
//   /assumptions/...     name, value, basis, source and date of every number that the answer rests on
//
// The columns are those of io/results_columns.hpp.  Same results, same bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "io/plan_results.hpp"

namespace reckon {

/// Readers refuse a higher number and accept every lower one.
inline constexpr std::int64_t results_format = 2;

/// The bytes of the file.  Throws InternalError when a result is not finite.
std::string results_image(const PlanResults& results, const std::string& file);

/// Writes the file, whole or not at all.  Throws FileError; UsageError when it exists and `overwrite` is false.
void save_results(const PlanResults& results, const std::filesystem::path& target, bool overwrite);

/// Reads a file of `reckon plan` back, whole.  The bytes must match the file's own SHA-256, sums their parts, texts their checksums and
/// every number its range; otherwise ConfigError, which names the place.  The HDF5 library runs in a guarded child (io/hdf5_read.hpp).
PlanResults read_results(const std::filesystem::path& path);

}  // namespace reckon
