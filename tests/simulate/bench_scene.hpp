// Llama 3.1 405B on 16,384 H100s as Llama Team 2024 (arXiv 2407.21783, table 4) lays it out, for the benchmarks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../cost/scene.hpp"
#include "io/architecture_files.hpp"

namespace reckon {

struct LargeRun {
  Architecture architecture = read_architecture("llama-3.1-405b", shipped().models);
  Cluster cluster = shipped().catalog.cluster_for("h100");
  LinkCalibration links = link_calibration(shipped().set.links, cluster.device, cluster.fabric, shipped().set.stack("default").facts);
  Strategy strategy;

  LargeRun() {
    Strategy& s = strategy;
    s.tensor_parallel = 8, s.sequence_parallel = true;
    s.pipeline_parallel = 16, s.virtual_stages = 8, s.schedule = Schedule::interleaved;
    s.data_parallel = 128, s.micro_batch_size = 1, s.global_batch_size = 2048;
    s.sharding = Sharding::zero1;
  }
  Job job() const {
    return {&architecture,         &cluster, &shipped().set.device(cluster.device.id), &links, &shipped().set.stack("default"),
            Task{.seq_len = 8192}, strategy};
  }
};

}  // namespace reckon
