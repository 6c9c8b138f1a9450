// SPDX-License-Identifier: Apache-2.0
#include "cost/data_parallel.hpp"

#include <algorithm>

#include "cost/placement.hpp"
#include "cost/step_terms.hpp"
#include "kernels/work/work.hpp"

namespace reckon {
namespace {

double expert_shard_ranks(const Strategy& s) {
  if (s.sharding == Sharding::none) return 1.0;
  return std::max(1.0, static_cast<double>(s.tensor_parallel * s.context_parallel * s.data_parallel) / static_cast<double>(s.expert_tensor() * s.expert_parallel));
}

/// Weight matrices and norms of a layer, and of a stage's layers.
double weight_tensors(const LoweredLayer& layer) {
  double out = 0;
  for (const Op& op : layer.ops)
    if ((op.kind == OpKind::product && op.has_weight) || op.group == OpGroup::norm) out += 1.0;
  return out;
}
double weight_tensors(const LoweredModel& model, const Stage& stage) {
  double out = 0;
  for (std::size_t k = 0; k < stage.count.size(); ++k) out += weight_tensors(model.kinds[k]) * static_cast<double>(stage.count[k]);
  return out;
}

Seconds reduce_time(const Job& job, Bytes size, const GroupPlacement& group, bool sharded) {
  return collective_time(*job.links, sharded ? Collective::reduce_scatter : Collective::all_reduce, size, group);
}

/// Gradients of dense weights: one all-reduce, or a reduce-scatter; with a shard group smaller than the replicas (hybrid shards, Zhao et
/// al. 2023, arXiv 2304.11277, section 3.2.2) a reduce-scatter inside it and an all-reduce of every share among the groups.
Seconds reduce_dense_time(const Job& job, Bytes size, const Placements& placements) {
  const Strategy& s = job.strategy;
  if (!splits_replicas(s)) return reduce_time(job, size, placements.data, s.sharding != Sharding::none);
  return reduce_time(job, size, placements.shard, true) + reduce_time(job, size / static_cast<double>(s.shard_group_size), placements.replica, false);
}

Seconds gather_dense_time(const Job& job, Bytes size, const Placements& placements) {
  return collective_time(*job.links, Collective::all_gather, size, splits_replicas(job.strategy) ? placements.shard : placements.data);
}

/// Part of `message` that stays visible beside `room` seconds of compute.
Seconds exposed(const StackConstants& constants, Seconds message, Seconds room, bool overlapped) {
  if (!overlapped) return message;
  const double share = constants.exposed_data;
  return message * share + max(Seconds{}, message * (1.0 - share) - room);
}

/// zero3: one layer at a time, gathers prefetched under the layer before.
DataMessages sharded_weights_messages(const Job& job, const LoweredModel& model, const Stage& stage, const Placements& placements) {
  DataMessages out;
  out.each_micro_batch = true;
  const double element = activation_bytes(job.strategy.precision);
  const StackFacts& facts = job.stack->facts;
  const double wire = reduced_gradient_bytes(facts, job.strategy.precision);
  const auto add = [&](const LoweredLayer& layer, double count) {
    const double pieces = facts.gathers_by_tensor ? std::max(1.0, weight_tensors(layer)) : 1.0;
    out.gather += gather_dense_time(job, Bytes{layer.parameters * element / pieces}, placements) * (count * pieces);
    out.gather += collective_time(*job.links, Collective::all_gather, Bytes{layer.expert_parameters * element}, placements.expert_data) * count;
    out.reduce += reduce_dense_time(job, Bytes{layer.trainable * wire}, placements) * count;
    out.reduce += reduce_time(job, Bytes{layer.trainable_experts * wire}, placements.expert_data, true) * count;
  };
  for (std::size_t k = 0; k < stage.count.size(); ++k)
    if (stage.count[k] > 0) add(model.kinds[k], static_cast<double>(stage.count[k]));
  if (stage.first) add(model.before, 1);
  if (stage.last && model.after.parameters > 0) add(model.after, 1);
  out.layers = std::max<double>(1.0, static_cast<double>(stage.layers));
  return out;
}

Seconds stage_data_time(const Stack& stack, const DataMessages& d, const LayerTime& t, double micro_batches) {
  const StackFacts& facts = stack.facts;
  const StackConstants& k = stack.constants;
  if (!d.each_micro_batch)
    return exposed(k, d.reduce, t.backward_total(), facts.overlap_gradients) + exposed(k, d.gather, t.forward_total(), facts.overlap_parameters);
  const Seconds forward = exposed(k, d.gather, t.forward_total(), facts.overlap_parameters);
  const Seconds backward = exposed(k, d.gather + d.reduce, t.backward_total(), facts.overlap_parameters);
  // the first gather of a pass has nothing to hide under
  return (forward + backward + (d.gather + d.reduce) / d.layers) * micro_batches;
}

}  // namespace

DataMessages data_messages(const Job& job, const LoweredModel& model, const Stage& stage, const Placements& placements) {
  const Strategy& s = job.strategy;
  const StackFacts& facts = job.stack->facts;
  DataMessages out;
  if (placements.data.ranks < 2 && placements.expert_data.ranks < 2) return out;
  if (s.sharding == Sharding::zero3) return sharded_weights_messages(job, model, stage, placements);
  const StageParameters p = parameters_of(model, stage);
  const bool sharded = s.sharding != Sharding::none;
  const double wire = reduced_gradient_bytes(facts, s.precision);
  out.reduce = reduce_dense_time(job, Bytes{p.trainable_dense * wire}, placements) +
               reduce_time(job, Bytes{p.trainable_expert * wire}, placements.expert_data, sharded);
  if (sharded) {
    const double element = is_low_precision(s.precision) && facts.low_precision_weights ? operand_bytes(s.precision) : activation_bytes(s.precision);
    const double pieces = facts.gathers_by_tensor ? std::max(1.0, weight_tensors(model, stage)) : 1.0;
    out.gather = (gather_dense_time(job, Bytes{p.trainable_dense * element / pieces}, placements) +
                  collective_time(*job.links, Collective::all_gather, Bytes{p.trainable_expert * element / pieces}, placements.expert_data)) * pieces;
  }
  return out;
}

StageParameters parameters_of(const LoweredModel& model, const Stage& stage) {
  StageParameters out;
  const auto add = [&out](const LoweredLayer& layer, double count) {
    out.dense += layer.parameters * count;
    out.expert += layer.expert_parameters * count;
    out.trainable_dense += layer.trainable * count;
    out.trainable_expert += layer.trainable_experts * count;
  };
  for (std::size_t k = 0; k < stage.count.size(); ++k) add(model.kinds[k], static_cast<double>(stage.count[k]));
  if (stage.first) add(model.before, 1);
  if (stage.last) add(model.after, 1);
  if (stage.last && !stage.first) out.dense += model.tied_parameters, out.trainable_dense += model.tied_parameters;  // a copy of the table
  return out;
}

double shard_ranks(const Strategy& s) {
  if (s.sharding == Sharding::none) return 1.0;
  const std::int64_t all = s.data_parallel * s.context_parallel;
  return static_cast<double>(s.shard_group_size > 0 ? std::min(s.shard_group_size, all) : all);
}

bool splits_replicas(const Strategy& s) {
  return s.sharding != Sharding::none && s.shard_group_size > 0 && s.shard_group_size < s.data_parallel * s.context_parallel;
}

Seconds exposed_data_time(const Stack& stack, const StateTerms& state, const std::vector<LayerTime>& times, std::int64_t micro_batches) {
  Seconds worst;
  for (std::size_t i = 0; i < times.size(); ++i)
    worst = max(worst, stage_data_time(stack, state.messages[i], times[i], static_cast<double>(micro_batches)));
  return worst + state.tied;
}

Seconds tied_table_time(const Job& job, const LoweredModel& model) {
  if (job.strategy.pipeline_parallel < 2 || model.tied_parameters <= 0) return Seconds{};
  return collective_time(*job.links, Collective::all_reduce, Bytes{model.tied_parameters * gradient_bytes(job.stack->facts, job.strategy.precision)},
                         ends_placement(job.strategy, *job.cluster));
}

Seconds exposed_data_time(const Job& job, const LoweredModel& model, const std::vector<Stage>& stages, const std::vector<LayerTime>& times,
                          const Placements& placements) {
  StateTerms state;
  for (const Stage& stage : stages) state.messages.push_back(data_messages(job, model, stage, placements));
  if (stages.size() > 1) state.tied = tied_table_time(job, model);
  return exposed_data_time(*job.stack, state, times, job.strategy.num_micro_batches());
}

StateTerms state_terms(const Job& job, const LoweredModel& model, const Placements& placements, const std::vector<StageRun>& runs) {
  StateTerms out;
  std::vector<Stage> stages;
  for (const StageRun& run : runs) {
    out.messages.push_back(data_messages(job, model, run.stage, placements));
    out.memory.push_back(state_footprint(job, model, run.stage));
    stages.push_back(run.stage);
  }
  out.tied = tied_table_time(job, model);
  out.optimizer = optimizer_time(job, model, stages);
  return out;
}

Seconds optimizer_time(const Job& job, const LoweredModel& model, const std::vector<Stage>& stages) {
  const Strategy& s = job.strategy;
  const StackFacts& facts = job.stack->facts;
  const double weight = activation_bytes(s.precision);
  Seconds worst;
  for (const Stage& stage : stages) {
    const StageParameters p = parameters_of(model, stage);
    const double own = p.trainable_dense / shard_ranks(s) + p.trainable_expert / expert_shard_ranks(s);
    const double held = s.sharding == Sharding::zero3 ? own : p.trainable_dense + p.trainable_expert;
    const double gradient = gradient_bytes(facts, s.precision);
    Work update;
    switch (job.task.optimizer) {
      case Optimizer::adamw: update = adam_work(own, gradient, facts.master_bytes, facts.moment_bytes, weight); break;
      case Optimizer::lamb: update = lamb_work(own, gradient, facts.master_bytes, facts.moment_bytes, weight); break;
      case Optimizer::sgd: update = sgd_work(own, gradient, facts.master_bytes, weight); break;
    }
    // gradient norm (one read), clip (read + write), 16-bit gradients copied to fp32 where they are kept so, zeroing (one write)
    double passes = own * gradient * 3.0 + held * gradient;
    if (gradient < 4.0 && facts.master_bytes >= 4.0) passes += own * (gradient + 4.0 + 4.0);
    // low-precision working copies of trained weights are cast once a step: read 16 bit, write both layouts
    if (is_low_precision(s.precision)) passes += held * (2.0 + 2.0 * operand_bytes(s.precision));
    Seconds t = streaming_time(*job.compute, update.bytes + Bytes{passes});
    // states come in from the host and go back, both directions of the bus at once
    if (s.offload_optimizer) t = max(t, host_transfer_time(*job.cluster, Bytes{own * (facts.master_bytes + facts.moment_bytes)}));
    worst = max(worst, t);
  }
  return worst;
}

}  // namespace reckon
