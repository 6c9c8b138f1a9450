// One optimiser step under one strategy: seconds and bytes, part by part.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cost/job.hpp"
#include "cost/layer_cost.hpp"

namespace reckon {

/// Seconds of one optimiser step on the slowest path.  total() is the sum of the lines and nothing else.
struct StepTime {
  Seconds forward, backward, recompute;               ///< compute of the busiest stage, all micro-batches
  Seconds exposed_tensor, exposed_context, exposed_expert, exposed_pipeline, exposed_data;  ///< messages not hidden by compute
  Seconds exposed_offload;                            ///< activations on their way to the host and back
  Seconds bubble;                                     ///< stages waiting to fill and drain, and uneven stages
  Seconds optimizer;                                  ///< gradient norm, clip, update, casts
  Seconds jitter;                                     ///< stragglers and noise at scale
  Seconds total() const {
    return forward + backward + recompute + exposed_tensor + exposed_context + exposed_expert + exposed_pipeline + exposed_data +
           exposed_offload + bubble + optimizer + jitter;
  }
};

/// Bytes on the fullest device.  total() is the sum of the lines and nothing else.
struct MemoryFootprint {
  Bytes weights, gradients, optimizer, activations, workspace, communication, framework;
  Bytes total() const { return weights + gradients + optimizer + activations + workspace + communication + framework; }
  /// What the framework's allocator hands out: all but the driver context.  Comparable with torch.cuda.max_memory_allocated.
  Bytes allocated() const { return total() - framework; }
};

struct StepCost {
  StepTime time;
  MemoryFootprint memory;
  Bytes host;                       ///< kept in host memory for one device: offloaded activations and optimiser state, of the worst stage
  std::int64_t peak_stage = 0;      ///< pipeline stage with the largest footprint
  Flops model_flops;                ///< of the whole step, all devices: the MFU numerator
  double parameters = 0;            ///< of the whole model
  double mfu = 0;                   ///< model_flops / (devices * peak * step time); peak of the strategy's precision
  double tokens_per_step = 0;       ///< samples for models without a sequence
  bool fits(Bytes capacity) const { return memory.total() <= capacity; }
};

/// How many layers of each kind a stage holds.  Uneven: layers that do not divide go one each to the middle stages when first
/// and last are given one fewer (l + 2 divides), else to the leading stages.  Stacks with `balanced_stages` cut by matrix weights instead.
struct Stage {
  std::vector<std::int64_t> count;  ///< by kind
  std::int64_t layers = 0;
  bool first = false, last = false;
};
std::vector<Stage> stages_of(const LoweredModel& model, std::int64_t pipeline_parallel);
/// The same with the strategy's own first and last stage, where it has them; the layers between divide evenly.
std::vector<Stage> stages_of(const LoweredModel& model, const Strategy& strategy);

/// What every kind of layer keeps for its backward pass, with the recompute policy and without.
struct ModelMemory {
  std::vector<LayerMemory> kinds, kinds_kept;
  LayerMemory before, after;
};
ModelMemory model_memory(const LoweredModel& model, const Strategy& strategy);

/// What does not depend on how many stages, replicas and micro-batches there are: priced once, combined many times by a search.
struct PricedModel {
  LoweredModel lowered;
  std::vector<LayerTime> kinds, kinds_kept;  ///< a layer with the recompute policy, and without (layers beyond recompute_layers)
  LayerTime before, after;
  ModelMemory memory;
  double parameters = 0;
  Flops model_flops_per_sample;
};

/// Reads tensor, context, expert, micro-batch, precision, attention, recompute and sequence-parallel settings of the strategy, and whether
/// gradients accumulate over micro-batches; two strategies that agree in these share a PricedModel.
PricedModel price_model(const Job& job);

/// One micro-batch on one stage: its layers, and what stands before and after them.
LayerTime stage_time(const Stage& stage, const PricedModel& priced, const Strategy& strategy);

/// One message between neighbouring stages; 0 without a pipeline.
Seconds boundary_time(const Job& job, const LoweredModel& model, const Placements& placements);

/// Step time and memory; the strategy must already divide the devices and the batch (see validate(Strategy)).
StepCost step_cost(const Job& job, const PricedModel& priced);
StepCost step_cost(const Job& job);

/// Peak memory of the fullest stage.  `stage` receives its index.
MemoryFootprint memory_footprint(const Job& job, const LoweredModel& model, const std::vector<Stage>& stages, std::int64_t* peak_stage);

/// What a micro-batch leaves on a stage until its backward pass.
struct StageMemory {
  Bytes per_micro_batch;  ///< kept for each micro-batch in flight
  Bytes transient;        ///< largest extra while one layer's backward pass runs
  Bytes head;             ///< kept by the head and the loss, of one micro-batch at a time
  Bytes workspace;        ///< alive while a layer runs
  Bytes offloaded;        ///< moved to the host for each micro-batch, and back
};
StageMemory stage_memory(const Job& job, const LoweredModel& model, const ModelMemory& memory, const Stage& stage);
StageMemory stage_memory(const Job& job, const LoweredModel& model, const Stage& stage);

/// What a stage holds whatever the micro-batches: weights, gradients, optimizer, communication and framework.
MemoryFootprint state_footprint(const Job& job, const LoweredModel& model, const Stage& stage);

/// Footprint of stage number `index`; `activations` is per_micro_batch * in_flight + head.
MemoryFootprint stage_footprint(const Job& job, const LoweredModel& model, const Stage& stage, std::int64_t index);

/// Micro-batches whose activations a stage holds at once, in units of its whole stage: 1F1B p - i (Narayanan et al. 2021), interleaved
/// p + ((p - i - 1) * 2 + (v - 1) p + 1) chunks, GPipe m, zero-bubble as H1: 1F1B's, H2: up to 2p - 1 (Qi et al. 2023).
double in_flight(Schedule schedule, std::int64_t pipeline, std::int64_t stage, std::int64_t virtual_stages, std::int64_t micro_batches);

/// The same with what zero-bubble schedules keep for weight gradients that are put off.
double held_micro_batches(const Strategy& strategy, std::int64_t stage);

/// Seconds that the pipeline waits beyond the busiest stage's own work.
Seconds pipeline_bubble(Schedule schedule, const std::vector<LayerTime>& stage_time, std::int64_t virtual_stages, std::int64_t micro_batches);

/// The same for stages whose ranks share processors, `shared` of them each while all are busy: in the fill and the drain fewer are, so that
/// they run faster.  Slot k of m + p - 1 holds the stages with a micro-batch between 0 and m - 1; it lasts as long as its largest stage
/// alone, or as the work of all of them on the processors there are.
///
///   t_slot = max(max t_i, shared / p * sum t_i)    with t_i one micro-batch, there and back, of a stage that has the processors to itself
///
/// `stage_time` is that of a busy machine.  May be negative for uneven stages, whose idle time the others use.
Seconds shared_pipeline_bubble(const std::vector<LayerTime>& stage_time, double shared, std::int64_t micro_batches);

}  // namespace reckon
