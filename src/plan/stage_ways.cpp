// SPDX-License-Identifier: Apache-2.0
#include "plan/stage_ways.hpp"

#include "cost/placement.hpp"
#include "cost/step_cost.hpp"

namespace reckon {

StageWay stage_way(const Job& job, std::size_t kind, Bytes usable) {
  const Strategy& s = job.strategy;
  const PricedModel priced = price_model(job);
  const LoweredModel& model = priced.lowered;
  Stage none;
  none.count.assign(model.kinds.size(), 0);
  const Bytes everywhere = state_footprint(job, model, none).total();
  StageWay out;
  out.devices = s.tensor_parallel * s.context_parallel * s.data_parallel;
  out.kind = kind;
  out.hand_over = boundary_time(job, model, placements_of(s, *job.cluster)) * 2.0;
  Bytes workspace, transient;  // the largest of each: they may be of layers of different kinds
  for (std::size_t l = 0; l < model.order.size(); ++l) {
    Stage one = none;
    one.count[model.order[l]] = one.layers = 1;
    one.first = l == 0;
    one.last = l + 1 == model.order.size();
    const StageMemory memory = stage_memory(job, model, priced.memory, one);
    out.time.push_back(stage_time(one, priced, s).total());
    out.state.push_back(state_footprint(job, model, one).total() - everywhere + memory.head);
    out.activations.push_back(memory.per_micro_batch);
    workspace = max(workspace, memory.workspace - memory.transient);
    transient = max(transient, memory.transient);
  }
  out.capacity = usable - everywhere - workspace - transient;
  return out;
}

}  // namespace reckon
