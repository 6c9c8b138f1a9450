// SPDX-License-Identifier: Apache-2.0
#include "cost/step_cost.hpp"

#include <algorithm>
#include <cmath>

#include "cost/lower.hpp"
#include "cost/placement.hpp"
#include "cost/data_parallel.hpp"

namespace reckon {
namespace {

double samples_to_tokens(const Job& job) {
  const Transformer* t = job.architecture->transformer();
  if (t == nullptr || t->vocab_size == 0) return 1.0;
  return static_cast<double>(job.task.seq_len > 0 ? job.task.seq_len : t->seq_len);
}

}  // namespace

LayerTime stage_time(const Stage& stage, const PricedModel& priced, const Strategy& strategy) {
  LayerTime out;
  std::int64_t recomputed_left = strategy.recompute_layers > 0 ? strategy.recompute_layers : stage.layers;
  for (std::size_t k = 0; k < stage.count.size(); ++k) {
    const std::int64_t again = std::min(stage.count[k], recomputed_left);
    recomputed_left -= again;
    out += priced.kinds[k] * static_cast<double>(again);
    out += priced.kinds_kept[k] * static_cast<double>(stage.count[k] - again);
  }
  if (stage.first) out += priced.before;
  if (stage.last) out += priced.after;
  return out;
}

Seconds boundary_time(const Job& job, const LoweredModel& model, const Placements& placements) {
  if (job.strategy.pipeline_parallel < 2) return Seconds{};
  return collective_time(*job.links, Collective::point_to_point, model.boundary, placements.pipeline) * job.stack->constants.tensor_slowdown;
}

PricedModel price_model(const Job& job) {
  PricedModel out;
  out.lowered = lower(*job.architecture, job.strategy, job.task, job.stack->facts);
  const Placements placements = placements_of(job.strategy, *job.cluster);
  const bool full = job.strategy.recompute == Recompute::full;
  for (const LoweredLayer& kind : out.lowered.kinds) {
    out.kinds.push_back(layer_time(kind, job, placements, full));
    out.kinds_kept.push_back(full ? layer_time(kind, job, placements, false) : out.kinds.back());
  }
  out.before = layer_time(out.lowered.before, job, placements, false);
  out.after = layer_time(out.lowered.after, job, placements, false);
  out.parameters = parameter_count(*job.architecture).total();
  out.model_flops_per_sample = model_flops_per_sample(*job.architecture, job.task.seq_len);
  return out;
}

StepCost step_cost(const Job& job) { return step_cost(job, price_model(job)); }

StepCost step_cost(const Job& job, const PricedModel& priced) {
  const Strategy& s = job.strategy;
  const LoweredModel& model = priced.lowered;
  const Placements placements = placements_of(s, *job.cluster);
  const std::vector<Stage> stages = stages_of(model, s.pipeline_parallel);

  std::vector<LayerTime> times;
  for (const Stage& stage : stages) times.push_back(stage_time(stage, priced, s));
  const auto busiest = static_cast<std::size_t>(
      std::max_element(times.begin(), times.end(), [](const LayerTime& a, const LayerTime& b) { return a.total() < b.total(); }) - times.begin());
  const LayerTime& t = times[busiest];
  const double m = static_cast<double>(s.num_micro_batches());

  StepCost out;
  StepTime& time = out.time;
  time.forward = t.forward * m;
  time.backward = (t.backward_input + t.backward_weight) * m;
  time.recompute = t.recompute * m;
  time.exposed_tensor = t.tensor * m;
  time.exposed_context = t.context * m;
  time.exposed_expert = t.expert * m;
  const double shared = shared_processors(job);
  time.bubble = shared > 1.0 ? shared_pipeline_bubble(times, shared, s.num_micro_batches()) : pipeline_bubble(s.schedule, times, s.virtual_stages, s.num_micro_batches());
  // one micro-batch there and back; every virtual stage sends
  const Seconds boundary = boundary_time(job, model, placements) * (2.0 * static_cast<double>(s.virtual_stages));
  // under compute in the steady state where the stack overlaps it; the fill and drain always wait for it
  const double waits = job.stack->facts.overlap_pipeline ? 0.0 : m;
  time.exposed_pipeline = boundary * (waits + static_cast<double>(s.pipeline_parallel - 1) / static_cast<double>(s.virtual_stages));
  time.exposed_data = exposed_data_time(job, model, stages, times, placements);
  time.optimizer = optimizer_time(job, model, stages);
  const double nodes = static_cast<double>(s.num_devices()) / static_cast<double>(job.cluster->node.devices_per_node);
  time.jitter = time.total() * (job.stack->constants.scale_jitter * std::log2(std::max(1.0, nodes)));

  out.memory = memory_footprint(job, model, stages, &out.peak_stage);
  out.model_flops = priced.model_flops_per_sample * static_cast<double>(s.global_batch_size);
  out.parameters = priced.parameters;
  const auto peak = job.cluster->device.peak.find(s.precision);
  if (peak != job.cluster->device.peak.end()) {
    out.mfu = out.model_flops / (peak->second * time.total()) / static_cast<double>(s.num_devices());
  }
  out.tokens_per_step = samples_to_tokens(job) * static_cast<double>(s.global_batch_size);
  return out;
}

}  // namespace reckon
