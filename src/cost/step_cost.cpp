// SPDX-License-Identifier: Apache-2.0
#include "cost/step_cost.hpp"

#include <algorithm>
#include <cmath>

#include "cost/lower.hpp"
#include "cost/data_parallel.hpp"
#include "cost/placement.hpp"
#include "cost/step_terms.hpp"

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
  out.memory = model_memory(out.lowered, job.strategy);
  out.parameters = parameter_count(*job.architecture).total();
  out.model_flops_per_sample = model_flops_per_sample(*job.architecture, job.task.seq_len);
  return out;
}

StepCost step_cost(const Job& job) { return step_cost(job, price_model(job)); }

WorkTerms work_terms(const Job& job, const PricedModel& priced, const std::vector<StageRun>& runs) {
  WorkTerms out;
  for (const StageRun& run : runs) {
    const LayerTime t = stage_time(run.stage, priced, job.strategy);
    const StageMemory memory = stage_memory(job, priced.lowered, priced.memory, run.stage);
    if (job.strategy.offload_activations) {
      const Seconds one_way = host_transfer_time(*job.cluster, memory.offloaded);
      out.offload = max(out.offload, max(Seconds{}, one_way - t.forward_total()) + max(Seconds{}, one_way - t.backward_total()));
    }
    out.time.push_back(t);
    out.memory.push_back(memory);
  }
  out.pipeline = pipeline_work(runs, out.time);
  out.pipeline.shared = shared_processors(job);
  return out;
}

PipelineTerms pipeline_terms(const Job& job, const LoweredModel& model, const Placements& placements, const std::vector<StageRun>& runs) {
  const Strategy& s = job.strategy;
  const double m = static_cast<double>(s.num_micro_batches());
  PipelineTerms out;
  // one micro-batch there and back; every virtual stage sends
  const Seconds boundary = boundary_time(job, model, placements) * (2.0 * static_cast<double>(s.virtual_stages));
  // under compute in the steady state where the stack overlaps it; the fill and drain always wait for it.  Messages that stages wait for are
  // part of their passes, of which the fill and drain hold (p - 1) / v; others lie between the places that the first micro-batch goes
  // through and the last one comes back from, p v - 1 of them one way when interleaved
  const bool beside = job.stack->facts.overlap_pipeline;
  const double p = static_cast<double>(s.pipeline_parallel), v = static_cast<double>(s.virtual_stages);
  const double ends = beside && s.schedule == Schedule::interleaved ? p - 1.0 / v : (p - 1.0) / v;
  out.boundary = boundary * ((beside ? 0.0 : m) + ends);
  for (const StageRun& run : runs)
    out.in_flight.push_back(held_micro_batches(s, run.first_index));
  return out;
}

double jitter_share(const Job& job) {
  const double nodes = static_cast<double>(job.strategy.num_devices()) / static_cast<double>(job.cluster->node.devices_per_node);
  return job.stack->constants.scale_jitter * std::log2(std::max(1.0, nodes));
}

namespace {

MemoryFootprint fullest_stage(const std::vector<StageRun>& runs, const WorkTerms& work, const PipelineTerms& pipeline, const StateTerms& state,
                              std::int64_t& peak_stage) {
  MemoryFootprint worst;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    MemoryFootprint one = state.memory[i];
    one.activations = work.memory[i].per_micro_batch * pipeline.in_flight[i] + work.memory[i].head;
    one.workspace = work.memory[i].workspace;
    if (i > 0 && !(one.total() > worst.total())) continue;
    worst = one;
    peak_stage = runs[i].first_index;
  }
  return worst;
}

StepTime time_of(const Job& job, const WorkTerms& work, const PipelineTerms& pipeline, const StateTerms& state) {
  const Strategy& s = job.strategy;
  const LayerTime& t = work.pipeline.busiest;
  const double m = static_cast<double>(s.num_micro_batches());
  StepTime time;
  time.forward = t.forward * m;
  time.backward = (t.backward_input + t.backward_weight) * m;
  time.recompute = t.recompute * m;
  time.exposed_tensor = t.tensor * m;
  time.exposed_context = t.context * m;
  time.exposed_expert = t.expert * m;
  time.exposed_offload = work.offload * m;
  time.bubble = pipeline_bubble(s.schedule, work.pipeline, s.virtual_stages, s.num_micro_batches());
  time.exposed_pipeline = pipeline.boundary;
  time.exposed_data = exposed_data_time(*job.stack, state, work.time, s.num_micro_batches());
  time.optimizer = state.optimizer;
  time.jitter = time.total() * jitter_share(job);
  return time;
}

}  // namespace

StepCost step_cost(const Job& job, const PricedModel& priced) {
  const Strategy& s = job.strategy;
  const Placements placements = placements_of(s, *job.cluster);
  const std::vector<StageRun> runs = stage_runs(priced.lowered, s);
  const WorkTerms work = work_terms(job, priced, runs);
  const PipelineTerms pipeline = pipeline_terms(job, priced.lowered, placements, runs);
  const StateTerms state = state_terms(job, priced.lowered, placements, runs);

  StepCost out;
  out.time = time_of(job, work, pipeline, state);
  out.memory = fullest_stage(runs, work, pipeline, state, out.peak_stage);
  for (std::size_t i = 0; i < runs.size(); ++i) out.host = max(out.host, state.host[i] + work.memory[i].offloaded * pipeline.in_flight[i]);
  out.model_flops = priced.model_flops_per_sample * static_cast<double>(s.global_batch_size);
  out.parameters = priced.parameters;
  const auto peak = job.cluster->device.peak.find(s.precision);
  if (peak != job.cluster->device.peak.end()) {
    out.mfu = out.model_flops / (peak->second * out.time.total()) / static_cast<double>(s.num_devices());
  }
  out.tokens_per_step = samples_to_tokens(job) * static_cast<double>(s.global_batch_size);
  return out;
}

}  // namespace reckon
