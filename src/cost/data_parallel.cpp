// SPDX-License-Identifier: Apache-2.0
#include "cost/data_parallel.hpp"

#include <algorithm>

#include "cost/placement.hpp"
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

/// Part of `message` that stays visible beside `room` seconds of compute.
Seconds exposed(const Job& job, Seconds message, Seconds room, bool overlapped) {
  if (!overlapped) return message;
  const double share = job.stack->constants.exposed_data;
  return message * share + max(Seconds{}, message * (1.0 - share) - room);
}

/// zero3: one layer at a time, gathers prefetched under the layer before.
Seconds sharded_weights_time(const Job& job, const LoweredModel& model, const Stage& stage, const LayerTime& stage_total, const Placements& placements) {
  const double element = activation_bytes(job.strategy.precision);
  const double m = static_cast<double>(job.strategy.num_micro_batches());
  Seconds gather, scatter;
  const StackFacts& facts = job.stack->facts;
  const double wire = reduced_gradient_bytes(facts, job.strategy.precision);
  const auto add = [&](const LoweredLayer& layer, double count) {
    const double pieces = facts.gathers_by_tensor ? std::max(1.0, weight_tensors(layer)) : 1.0;
    gather += collective_time(*job.links, Collective::all_gather, Bytes{layer.parameters * element / pieces}, placements.data) * (count * pieces);
    gather += collective_time(*job.links, Collective::all_gather, Bytes{layer.expert_parameters * element}, placements.expert_data) * count;
    scatter += reduce_time(job, Bytes{layer.trainable * wire}, placements.data, true) * count;
    scatter += reduce_time(job, Bytes{layer.trainable_experts * wire}, placements.expert_data, true) * count;
  };
  for (std::size_t k = 0; k < stage.count.size(); ++k) add(model.kinds[k], static_cast<double>(stage.count[k]));
  if (stage.first) add(model.before, 1);
  if (stage.last && model.after.parameters > 0) add(model.after, 1);
  const Seconds forward = exposed(job, gather, stage_total.forward_total(), facts.overlap_parameters);
  const Seconds backward = exposed(job, gather + scatter, stage_total.backward_total(), facts.overlap_parameters);
  // the first gather of a pass has nothing to hide under
  const double layers = std::max<double>(1.0, static_cast<double>(stage.layers));
  return (forward + backward + (gather + scatter) / layers) * m;
}

Seconds stage_data_time(const Job& job, const LoweredModel& model, const Stage& stage, const LayerTime& t, const Placements& placements) {
  const Strategy& s = job.strategy;
  const StackFacts& facts = job.stack->facts;
  if (s.sharding == Sharding::zero3) return sharded_weights_time(job, model, stage, t, placements);
  const StageParameters p = parameters_of(model, stage);
  const bool sharded = s.sharding != Sharding::none;
  const double wire = reduced_gradient_bytes(facts, s.precision);
  const Seconds reduce = reduce_time(job, Bytes{p.trainable_dense * wire}, placements.data, sharded) +
                         reduce_time(job, Bytes{p.trainable_expert * wire}, placements.expert_data, sharded);
  Seconds out = exposed(job, reduce, t.backward_total(), facts.overlap_gradients);
  if (sharded) {
    const double element = is_low_precision(s.precision) && facts.low_precision_weights ? operand_bytes(s.precision) : activation_bytes(s.precision);
    const double pieces = facts.gathers_by_tensor ? std::max(1.0, weight_tensors(model, stage)) : 1.0;
    const Seconds gather = (collective_time(*job.links, Collective::all_gather, Bytes{p.trainable_dense * element / pieces}, placements.data) +
                            collective_time(*job.links, Collective::all_gather, Bytes{p.trainable_expert * element / pieces}, placements.expert_data)) * pieces;
    out += exposed(job, gather, t.forward_total(), facts.overlap_parameters);
  }
  return out;
}

}  // namespace

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

Seconds exposed_data_time(const Job& job, const LoweredModel& model, const std::vector<Stage>& stages, const std::vector<LayerTime>& times,
                          const Placements& placements) {
  Seconds worst;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    Seconds t;
    if (placements.data.ranks > 1 || placements.expert_data.ranks > 1) t = stage_data_time(job, model, stages[i], times[i], placements);
    worst = max(worst, t);
  }
  if (stages.size() > 1 && model.tied_parameters > 0) {  // first and last stage sum the gradients of the shared table
    worst += collective_time(*job.links, Collective::all_reduce, Bytes{model.tied_parameters * gradient_bytes(job.stack->facts, job.strategy.precision)},
                             strided_placement(2, job.strategy.num_devices() / 2, *job.cluster));
  }
  return worst;
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
    worst = max(worst, streaming_time(*job.compute, update.bytes + Bytes{passes}));
  }
  return worst;
}

}  // namespace reckon
