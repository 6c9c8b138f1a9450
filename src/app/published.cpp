// SPDX-License-Identifier: Apache-2.0
#include "app/published.hpp"

#include <fmt/format.h>

#include <map>

#include "base/error.hpp"
#include "calibration/derive_missing.hpp"
#include "io/calibration_files.hpp"
#include "io/link_calibration_files.hpp"
#include "io/published_runs.hpp"
#include "io/stack_files.hpp"

namespace reckon {

CalibrationSet load_calibrations(const Catalog& catalog, const std::filesystem::path& models, const std::string& stacks) {
  CalibrationSet set;
  const std::filesystem::path folder = models / "calibrations";
  set.compute = read_compute_calibrations(folder);
  derive_missing(set.compute, catalog);
  set.links = read_link_calibration(folder / "links.json");
  set.stacks = read_stacks(stacks.empty() ? folder / "stacks.json" : std::filesystem::path(stacks));
  return set;
}

std::vector<ReplayedFile> load_runs(const std::vector<std::string>& files, const Catalog& catalog) {
  std::vector<ReplayedFile> out;
  std::map<std::string, std::string> seen;  // run id -> file
  for (const std::string& file : files) {
    ReplayedFile one{file, std::filesystem::path(file).stem().string(), read_published_runs(file, catalog), {}};
    for (const PublishedRun& run : one.runs) {
      const auto [at, fresh] = seen.emplace(run.id, file);
      if (!fresh) throw UsageError(fmt::format("run '{}' of {} was already read from {}", run.id, file, at->second), "name each file once");
    }
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace reckon
