// SPDX-License-Identifier: Apache-2.0
#include "app/scene.hpp"

#include <algorithm>
#include <map>

#include "app/calibrated_scene.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "calibration/derive_missing.hpp"
#include "io/architecture_files.hpp"
#include "io/calibration_files.hpp"
#include "io/catalog_files.hpp"
#include "io/input_file.hpp"
#include "io/link_calibration_files.hpp"
#include "io/machine_calibration_files.hpp"
#include "io/sha256.hpp"
#include "io/stack_files.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;

void add_input(Scene& scene, const std::string& name, const fs::path& path, const std::string& shown) {
  std::string text = read_input_file(path);
  std::string digest = sha256(text);
  scene.inputs.push_back({name, shown, std::move(text), std::move(digest)});
}

/// A file of the catalogue, if it is there: a derived calibration has none.
void add_entry(Scene& scene, const std::string& name, const fs::path& models, const fs::path& file) {
  std::error_code ignored;
  if (fs::exists(models / file, ignored)) add_input(scene, name, models / file, (fs::path("models") / file).string());
}

Cluster cluster_named(const Catalog& catalog, const std::string& place) {
  try {
    return catalog.cluster_for(place);
  } catch (const TextError& error) {
    throw UsageError(error.reason(), error.cure());
  }
}

const Stack& stack_named(const std::map<std::string, Stack>& stacks, const std::string& name) {
  const auto at = stacks.find(name);
  if (at != stacks.end()) return at->second;
  std::vector<std::string> known;
  for (const auto& [id, stack] : stacks) known.push_back(id);
  throw UsageError("unknown software stack " + in_quotes(name), suggestion(name, known));
}

}  // namespace

Scene load_scene(const SceneNames& names, const fs::path& models) {
  Scene scene;
  scene.catalog = open_catalog(models);
  const fs::path model_file = architecture_path(names.model, models);
  scene.architecture = read_architecture(names.model, models, names.as);
  if (!names.name.empty()) scene.architecture.name = names.name;
  std::optional<MachineCalibration> measured;
  if (!names.calibration.empty()) measured = read_machine_calibration(fs::path(names.calibration));
  if (measured) check_calibrated_place(*measured, names.place);
  scene.cluster = measured && measured->is_cpu() ? cluster_of(*measured) : cluster_named(scene.catalog, names.place);
  const StackTable stacks = read_stacks(models / "calibrations" / "stacks.json");
  scene.stack = stack_named(stacks.entries, names.stack);
  scene.interval = stacks.interval;

  std::map<std::string, ComputeCalibration> compute = read_compute_calibrations(models / "calibrations");
  derive_missing(compute, scene.catalog);
  const Device& device = scene.cluster.device;
  const auto found = compute.find(device.id);
  if (found == compute.end() && !measured)
    throw CalibrationError(
        "no compute calibration for " + device.id + ", nor for another device of the architecture " + device.architecture,
        "see 'reckon catalog calibrations'");
  if (found != compute.end()) scene.compute = found->second;
  const LinkTable links = read_link_calibration(models / "calibrations" / "links.json");
  scene.links = link_calibration(links, device, scene.cluster.fabric, scene.stack.facts);
  if (measured) {
    use_calibration(*measured, names.calibration, scene);
    add_input(scene, "measured", names.calibration, names.calibration);
  }

  const bool from_catalogue = model_file.parent_path() == models / "architectures";
  add_input(scene, "model", model_file, from_catalogue ? "models/architectures/" + model_file.filename().string() : model_file.string());
  add_entry(scene, "cluster", models, fs::path("clusters") / (scene.cluster.id + ".json"));
  add_entry(scene, "device", models, fs::path("devices") / (device.id + ".json"));
  add_entry(scene, "node", models, fs::path("nodes") / (scene.cluster.node.id + ".json"));
  add_entry(scene, "fabric", models, fs::path("fabrics") / (scene.cluster.fabric.id + ".json"));
  const std::string calibrated = scene.compute.derived() ? scene.compute.derived_from : device.id;
  add_entry(scene, "calibration", models, fs::path("calibrations") / (device.id + ".json"));
  if (scene.inputs.back().name != "calibration") add_entry(scene, "calibration", models, fs::path("calibrations") / (calibrated + ".json"));
  add_entry(scene, "links", models, fs::path("calibrations") / "links.json");
  add_entry(scene, "stacks", models, fs::path("calibrations") / "stacks.json");
  return scene;
}

void add_price_list(Scene& scene, const std::string& price_id, const fs::path& models) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(models / "prices"))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    if (read_input_file(file).find('"' + price_id + '"') == std::string::npos) continue;
    return add_entry(scene, "prices", models, fs::path("prices") / file.filename());
  }
}

}  // namespace reckon
