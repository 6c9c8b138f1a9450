// The closed form of a step, term by term, each a pure function of what it depends on and of nothing else.
//
// `step_cost` evaluates every term once and adds them up; a search tabulates each term over the choices it depends on and adds rows of the
// tables.  Both call the functions below, so that they cannot disagree.  A strategy's choices fall into groups that meet only in sums:
//
//   layers   tensor, context, expert, expert-tensor, micro-batch, recompute policy, sequence parallelism, precision   price_model
//   stages   pipeline degree, uneven ends, order of the groups                                                         stage_runs
//   work     how many layers of a stage recompute, offload of activations                                              work_terms
//   pipeline schedule, virtual stages                                                                                  pipeline_terms
//   state    sharding, shard group, offload of the optimiser                                                           state_terms
//
//   step   = (work + bubble(work, pipeline) + boundary(pipeline) + data(work, state) + optimizer(state)) * jitter
//   memory = max over stages of  state + saved(work) * in flight(pipeline) + held(work)
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "cost/step_cost.hpp"

namespace reckon {

/// Neighbouring stages that hold the same layers.  The first of them holds the most micro-batches, so it decides the memory.
struct StageRun {
  Stage stage;
  std::int64_t first_index = 0, length = 0;
};
std::vector<StageRun> stage_runs(const LoweredModel& model, const Strategy& strategy);

/// Compute of all stages, as the bubble sees it.
struct PipelineWork {
  struct Run {
    Seconds forward, backward;  ///< one micro-batch on one of its stages
    Seconds compute;            ///< of both, without messages
    std::int64_t length = 1;
  };
  std::vector<Run> runs;  ///< neighbouring equal stages
  std::int64_t stages = 1;
  double shared = 1.0; ///< ranks on one processor (see shared_processors)
  Seconds sum;         ///< of all stages, one micro-batch
  LayerTime busiest;   ///< the slowest stage
};
PipelineWork pipeline_work(const std::vector<StageRun>& runs, const std::vector<LayerTime>& times);

/// Terms of a number of recomputed layers and of activation offload.  One entry a run.
struct WorkTerms {
  std::vector<LayerTime> time;
  std::vector<StageMemory> memory;
  PipelineWork pipeline;
  Seconds offload;  ///< host transfers of a micro-batch's activations that compute does not hide, on the worst stage
};
WorkTerms work_terms(const Job& job, const PricedModel& priced, const std::vector<StageRun>& runs);

/// Seconds that the pipeline waits beyond the busiest stage's own work (see pipeline_bubble in step_cost.hpp).
Seconds pipeline_bubble(Schedule schedule, const PipelineWork& work, std::int64_t virtual_stages, std::int64_t micro_batches);

/// Terms of a schedule.
struct PipelineTerms {
  Seconds boundary;               ///< exposed messages between stages, whole step
  std::vector<double> in_flight;  ///< micro-batches held on the first stage of each run
};
PipelineTerms pipeline_terms(const Job& job, const LoweredModel& model, const Placements& placements, const std::vector<StageRun>& runs);

/// Data-parallel messages of one stage and what they may hide under.
struct DataMessages {
  Seconds gather, reduce;  ///< of parameters, of gradients
  bool each_micro_batch = false;  ///< zero3
  double layers = 1;
};
DataMessages data_messages(const Job& job, const LoweredModel& model, const Stage& stage, const Placements& placements);

/// Terms of a way of sharding.  One entry a run.
struct StateTerms {
  std::vector<DataMessages> messages;
  std::vector<MemoryFootprint> memory;  ///< weights, gradients, optimizer, communication, framework
  std::vector<Bytes> host;              ///< optimiser state that is kept on the host
  Seconds optimizer, tied;
};
StateTerms state_terms(const Job& job, const LoweredModel& model, const Placements& placements, const std::vector<StageRun>& runs);

/// Data-parallel messages of a step that compute does not hide: the worst stage's, and the tied table's.
Seconds exposed_data_time(const Stack& stack, const StateTerms& state, const std::vector<LayerTime>& times, std::int64_t micro_batches);

/// Stragglers and noise: the share of a step that is added at this size.
double jitter_share(const Job& job);

/// Optimiser state that one device of a stage keeps on the host; none unless the strategy offloads it.
Bytes host_state(const Job& job, const LoweredModel& model, const Stage& stage);

/// Host memory for one device: its share of the node's, less what system and data loaders need; infinite where the node does not say.
Bytes host_memory_share(const Node& node);

/// What moves with the strategy on one stage: activations in flight and workspace.
Bytes activation_memory(const StageMemory& memory, double in_flight);

}  // namespace reckon
