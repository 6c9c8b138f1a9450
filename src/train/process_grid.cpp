// The grid's communicators.
// SPDX-License-Identifier: Apache-2.0
#include "train/process_grid.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace reckon::train {

ProcessGrid make_process_grid(const Communicator& world, const Strategy& s) {
  if (s.num_devices() != world.size()) {
    throw UsageError(fmt::format("the strategy takes {} ranks (tp {} x cp {} x dp {} x pp {}), but {} were started", s.num_devices(),
                                 s.tensor_parallel, s.context_parallel, s.data_parallel, s.pipeline_parallel, world.size()),
                     fmt::format("start with 'mpiexec -n {}', or choose other degrees", s.num_devices()));
  }
  ProcessGrid grid;
  grid.world = world;
  const int t = int(s.tensor_parallel), c = int(s.context_parallel), d = int(s.data_parallel), p = int(s.pipeline_parallel),
            e = int(s.expert_parallel);
  const int tensor = world.rank() % t, context = world.rank() / t % c, data = world.rank() / (t * c) % d,
            stage = world.rank() / (t * c * d);
  // A colour names the coordinates that a group's members share.
  const auto group = [&](int size, int color, int key) { return size == 1 ? Communicator() : world.split(color, key); };
  grid.tensor = group(t, context + c * (data + d * stage), tensor);
  grid.context = group(c, tensor + t * (data + d * stage), context);
  grid.data = group(d, tensor + t * (context + c * stage), data);
  grid.pipeline = group(p, tensor + t * (context + c * data), stage);
  grid.replicas = group(c * d, tensor + t * stage, context + c * data);
  grid.expert = group(e, tensor + t * (context + c * (data / e + d * stage)), data % e);
  grid.expert_replicas = group(c * d / e, tensor + t * (data % e + e * stage), context + c * (data / e));
  if (p > 1) {
    const bool end = stage == 0 || stage == p - 1;
    const Communicator ends = world.split((end ? 0 : 1) + 2 * (tensor + t * (context + c * data)), stage);
    if (end) grid.embedding = ends;
  }
  return grid;
}

}  // namespace reckon::train
