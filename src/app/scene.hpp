// Everything that a prediction reads, loaded and owned: the network, the place, what was measured of it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "calibration/compute.hpp"
#include "calibration/links.hpp"
#include "calibration/stack.hpp"
#include "calibration/machine_calibration.hpp"
#include "catalog/catalog.hpp"
#include "io/plan_results.hpp"
#include "plan/question.hpp"

namespace reckon {

/// What names a scene on the command line.
struct SceneNames {
  std::string model, as;  ///< catalogue name, config.json or its folder; family to read it as
  std::string name;       ///< what reports call it; empty = its own name
  std::string place;      ///< cluster, node or device
  std::string stack;
  std::string calibration;  ///< a file of 'reckon calibrate'; empty = published figures
};

struct Scene {
  Catalog catalog;
  Architecture architecture;
  Cluster cluster;
  ComputeCalibration compute;
  LinkCalibration links;
  Stack stack;
  IntervalRule interval;          ///< how sure predictions for that stack are
  std::vector<InputText> inputs;  ///< every file that was read for it, verbatim
};

/// Reads `names` from the catalogue under `models`.  A device without own compute calibration gets one derived from a measured device of
/// its architecture.  Throws ConfigError or UsageError for unknown names, CalibrationError when nothing can be derived.
Scene load_scene(const SceneNames& names, const std::filesystem::path& models);

/// Adds the price list that holds `price_id` to the inputs.
void add_price_list(Scene& scene, const std::string& price_id, const std::filesystem::path& models);

}  // namespace reckon
