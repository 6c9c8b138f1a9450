// The shipped calibrations and a small architecture, for tests of the whole cost model.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "calibration/derive_missing.hpp"
#include "cost/step_cost.hpp"
#include "io/calibration_files.hpp"
#include "io/catalog_files.hpp"
#include "io/link_calibration_files.hpp"
#include "io/stack_files.hpp"
#include "plan/replay.hpp"

namespace reckon {

/// Everything under models/, read once for a test program.
struct ShippedModels {
  std::filesystem::path models = std::filesystem::path(RECKON_SOURCE_DIR) / "models";
  Catalog catalog = open_catalog(models);
  CalibrationSet set;

  ShippedModels() {
    set.compute = read_compute_calibrations(models / "calibrations");
    derive_missing(set.compute, catalog);
    set.links = read_link_calibration(models / "calibrations" / "links.json");
    set.stacks = read_stacks(models / "calibrations" / "stacks.json");
  }
};

inline const ShippedModels& shipped() {
  static const ShippedModels models;
  return models;
}

/// A Llama of 8 layers that fits one device.
inline Architecture small_llama() {
  Transformer m;
  m.num_layers = 8;
  m.hidden_size = 4096;
  m.num_heads = 32;
  m.num_kv_heads = 8;
  m.head_dim = 128;
  m.ffn_hidden_size = 14336;
  m.vocab_size = 128256;
  m.seq_len = m.max_positions = 4096;
  m.gated_mlp = true;
  m.norm = NormKind::rms_norm;
  Architecture a;
  a.name = "small llama";
  a.family = "llama";
  a.body = m;
  return a;
}

/// A question with everything owned, so that tests can change one thing at a time.
struct Case {
  Architecture architecture = small_llama();
  Cluster cluster = shipped().catalog.cluster_for("h100");
  Stack stack = shipped().set.stack("default");
  Task task;
  Strategy strategy;

  Case() {
    strategy.global_batch_size = 64;
    strategy.sharding = Sharding::zero1;
  }
  StepCost cost() const {
    const LinkCalibration links = link_calibration(shipped().set.links, cluster.device, cluster.fabric, stack.facts);
    return step_cost(Job{&architecture, &cluster, &shipped().set.device(cluster.device.id), &links, &stack, task, strategy});
  }
};

}  // namespace reckon
