// SPDX-License-Identifier: Apache-2.0
#include "io/distribution_file.hpp"

#include "io/hdf5_image.hpp"

namespace reckon {

void save_distributions(const std::vector<SpaceDistribution>& distributions, const PlanResults& results, const std::filesystem::path& target,
                        bool overwrite) {
  Hdf5Image image(target.string());
  image.attribute("/", "software", "reckon");
  image.attribute("/", "softwareVersion", results.provenance.version);
  image.attribute("/", "git_commit", results.provenance.git_commit);
  image.attribute("/", "command_line", results.provenance.command_line);
  image.attribute("/", "uuid", results.provenance.uuid);
  std::vector<std::int64_t> devices, strategies, fitting, step_time, memory;
  for (const SpaceDistribution& d : distributions) {
    devices.push_back(d.devices);
    strategies.push_back(d.strategies);
    fitting.push_back(d.fitting);
    step_time.insert(step_time.end(), d.step_time.begin(), d.step_time.end());
    memory.insert(memory.end(), d.memory.begin(), d.memory.end());
  }
  image.scale("/devices", devices, {"1", "devices of the cluster", {}, false, ""});
  image.scale("/step_time", step_time_bins.lower_edges(), {"s", "lower edge of the bin of step time", {}, false, ""});
  image.scale("/memory", memory_bins.lower_edges(), {"byte", "lower edge of the bin of memory", {}, false, ""});
  image.dataset("/strategies", strategies, {"1", "strategies of the search space", {"/devices"}, false, ""});
  image.dataset("/fitting", fitting, {"1", "strategies that fit in memory", {"/devices"}, false, ""});
  image.dataset("/step_time_count", step_time, {"1", "strategies that fit, by step time", {"/devices", "/step_time"}, false, ""});
  image.dataset("/memory_count", memory, {"1", "all strategies, by memory of the fullest device", {"/devices", "/memory"}, false, ""});
  save_hdf5(image, target, overwrite);
}

}  // namespace reckon
