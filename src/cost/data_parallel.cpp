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

/// Host work of an update for each tensor of which a rank holds a share, in kernel launches: Megatron-Core's DistributedOptimizer walks over
/// them in Python to copy gradients to main gradients, to collect them for the norm, to step, to copy main weights back and to clear
/// (megatron/core/optimizer/distrib_optimizer.py, _copy_model_grads_to_main_grads and _copy_main_params_to_model_params: seven calls of torch
/// between them), after the norm has made it wait for the device.  A guess: with the constants fitted anew the average error of the published
/// runs is the same within 0.1 % for 10 to 40 launches.
constexpr double launches_per_owned_tensor = 20.0;

/// Tensors of a stage of which one rank updates a share.  Every expert's matrices are tensors of their own.
double owned_tensors(const LoweredModel& model, const Stage& stage, const Strategy& s) {
  double dense = 0, expert = 0;
  for (std::size_t k = 0; k < stage.count.size(); ++k) {
    for (const Op& op : model.kinds[k].ops) {
      const double tensors = op.kind == OpKind::product && op.has_weight ? op.product.batch : op.group == OpGroup::norm ? 1.0 : 0.0;
      (op.group == OpGroup::expert_product ? expert : dense) += tensors * static_cast<double>(stage.count[k]);
    }
  }
  return dense / shard_ranks(s) + expert / expert_shard_ranks(s);
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

/// Messages in which the gradients of dense weights are summed: buckets hold whole tensors, so that there are at most as many as those.
/// A pipeline sums after its last micro-batch, all at once; the scattered sums of shards are coalesced, so that their rings run side by side
/// (nanotron, optim/gradient_accumulator.py).
double gradient_buckets(const Job& job, const LoweredModel& model, const Stage& stage, double trainable) {
  const double bucket = job.stack->facts.gradient_bucket;
  if (bucket <= 0 || job.strategy.pipeline_parallel > 1 || job.strategy.sharding != Sharding::none) return 1.0;
  return std::max(1.0, std::min(trainable * activation_bytes(job.strategy.precision) / bucket, weight_tensors(model, stage)));
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
///
/// A collective over lists (`parameter_lists`) lands in one buffer from where the share of each rank is copied by a kernel of its own, the
/// sum of gradients likewise (PyTorch pull request 33924), and nothing runs meanwhile (DeepSpeed pull request 1188: it synchronises around
/// each gather); a layer that is computed again is released in between and fetched a third time.
DataMessages sharded_weights_messages(const Job& job, const LoweredModel& model, const Stage& stage, const Placements& placements) {
  DataMessages out;
  out.each_micro_batch = true;
  const double element = activation_bytes(job.strategy.precision);
  const StackFacts& facts = job.stack->facts;
  const double wire = reduced_gradient_bytes(facts, job.strategy.precision);
  const Seconds copies = facts.parameter_lists ? job.stack->constants.host_time * static_cast<double>(placements.data.ranks) : Seconds{};
  const bool fetched_again = facts.parameter_lists && job.strategy.recompute == Recompute::full;
  const auto add = [&](const LoweredLayer& layer, double count) {
    const double pieces = facts.gathers_by_tensor ? std::max(1.0, weight_tensors(layer)) : 1.0;
    const Seconds gather = (gather_dense_time(job, Bytes{layer.parameters * element / pieces}, placements) + copies) * (count * pieces);
    out.gather += gather;
    if (fetched_again) out.reduce += gather;
    out.reduce += copies * (count * pieces);
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

/// Layers of a stage and what stands before and after them, with how many of each: what a stack with `reductions_by_layer` moves at a time.
/// Tables and norms at the ends travel apart: `before` in as many messages as it has tables, `after` as norm and head.
template <class Each>
void for_units(const LoweredModel& model, const Stage& stage, const Each& each) {
  for (std::size_t k = 0; k < stage.count.size(); ++k)
    if (stage.count[k] > 0) each(model.kinds[k].trainable, model.kinds[k].trainable_experts, static_cast<double>(stage.count[k]));
  if (stage.first) each(model.before.trainable, 0.0, 1.0);
  if (stage.last && model.after.trainable > 0) each(model.after.trainable, 0.0, 1.0);
  if (stage.last && !stage.first && model.tied_parameters > 0) each(model.tied_parameters, 0.0, 1.0);
}

/// One message for each layer, nothing hidden.  A sharded sum is copied from where it arrived to its place in the gradient.
Seconds unit_messages_time(const Job& job, const LoweredModel& model, const Stage& stage, const Placements& placements) {
  const bool sharded = job.strategy.sharding != Sharding::none;
  const double element = activation_bytes(job.strategy.precision), wire = reduced_gradient_bytes(job.stack->facts, job.strategy.precision);
  Seconds out;
  for_units(model, stage, [&](double dense, double expert, double count) {
    Seconds one = reduce_time(job, Bytes{dense * wire}, placements.data, sharded) + reduce_time(job, Bytes{expert * wire}, placements.expert_data, sharded);
    if (sharded) {
      one += collective_time(*job.links, Collective::all_gather, Bytes{dense * element}, placements.data);
      one += collective_time(*job.links, Collective::all_gather, Bytes{expert * element}, placements.expert_data);
      const double own = dense / static_cast<double>(placements.data.ranks) + expert / static_cast<double>(placements.expert_data.ranks);
      one += kernel_time(*job.compute, StreamKernel::copy, job.strategy.precision, Bytes{2.0 * own * wire}) * shared_processors(job);
    }
    out += one * count;
  });
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
  if (facts.reductions_by_layer) {
    out.reduce = unit_messages_time(job, model, stage, placements);
    return out;
  }
  const StageParameters p = parameters_of(model, stage);
  const bool sharded = s.sharding != Sharding::none;
  const double wire = reduced_gradient_bytes(facts, s.precision);
  const double buckets = gradient_buckets(job, model, stage, p.trainable_dense);
  out.reduce = reduce_dense_time(job, Bytes{p.trainable_dense * wire / buckets}, placements) * buckets +
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
    out.host.push_back(host_state(job, model, run.stage));
    stages.push_back(run.stage);
  }
  out.tied = tied_table_time(job, model);
  out.optimizer = optimizer_time(job, model, stages);
  return out;
}

namespace {

/// Sequence parallelism leaves each tensor rank a part of the gradients of norms and of biases behind row-parallel products: where every one
/// of those is summed in a message of its own.  And the two sums of a step, loss and squared norm, over all ranks.
Seconds small_sums_time(const Job& job, const Stage& stage) {
  const Strategy& s = job.strategy;
  const Transformer* t = job.architecture->transformer();
  const GroupPlacement tensor = placement_of(Group::tensor, s, *job.cluster), all = strided_placement(s.num_devices(), 1, *job.cluster);
  Seconds out = collective_time(*job.links, Collective::all_reduce, Bytes{8.0}, all) * 2.0;
  if (t == nullptr || !s.sequence_parallel || s.tensor_parallel < 2) return out;
  const Bytes width{static_cast<double>(t->hidden_size) * job.stack->facts.gradient_bytes};
  const Seconds one = collective_time(*job.links, Collective::all_reduce, width, tensor);
  const double norm = t->norm == NormKind::layer_norm ? 2.0 : 1.0;
  const double of_layer = 2.0 * norm + (t->attention_output_bias ? 1.0 : 0.0) + (t->mlp_bias ? 1.0 : 0.0);
  out += one * (of_layer * static_cast<double>(stage.layers) + (stage.last ? norm : 0.0));
  if (stage.first && t->positions == PositionKind::learned)
    out += collective_time(*job.links, Collective::all_reduce, width * static_cast<double>(t->max_positions), tensor);
  return out;
}

/// The passes of an update that scales gradients itself: the norm's one read, the update, and the tables that a look-up adds into, cleared.
Seconds fused_update_time(const Job& job, const LoweredModel& model, const Stage& stage, const Work& update, double own, double held) {
  const Strategy& s = job.strategy;
  const double gradient = job.stack->facts.gradient_bytes;
  const double copies = s.sharding == Sharding::none ? static_cast<double>(s.data_parallel * s.context_parallel) : 1.0;  // each takes its share
  double launches = 0;
  for (std::size_t k = 0; k < stage.count.size(); ++k) launches += weight_tensors(model.kinds[k]) * static_cast<double>(stage.count[k]);
  launches = std::max(1.0, launches);
  double cleared = stage.first ? model.before.trainable : 0.0;
  if (stage.first && stage.last) cleared -= model.tied_parameters;  // the head's product writes a tied table first
  const auto timed = [&](StreamKernel kernel, Bytes traffic) { return kernel_time(*job.compute, kernel, s.precision, traffic / launches) * launches; };
  Seconds out = timed(StreamKernel::squares, gradient_norm_work((s.sharding == Sharding::none ? held : own) / copies, gradient).bytes);
  out += timed(StreamKernel::adamw, update.bytes);
  if (cleared > 0) out += kernel_time(*job.compute, StreamKernel::copy, s.precision, Bytes{cleared * gradient});
  return out;
}

}  // namespace

Seconds optimizer_time(const Job& job, const LoweredModel& model, const std::vector<Stage>& stages) {
  const Strategy& s = job.strategy;
  const StackFacts& facts = job.stack->facts;
  // a run in fp32 has one copy of the weights where the update says so
  const double weight = facts.fused_clip && s.precision == Precision::fp32 ? 0.0 : activation_bytes(s.precision);
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
    if (facts.fused_clip) {
      worst = max(worst, fused_update_time(job, model, stage, update, own, held) * shared_processors(job) +
                             (facts.messages_by_parameter ? small_sums_time(job, stage) : Seconds{}));
      continue;
    }
    // gradient norm (one read), clip (read + write), 16-bit gradients copied to fp32 where they are kept so, zeroing (one write)
    double passes = own * gradient * 3.0 + held * gradient;
    if (gradient < 4.0 && facts.master_bytes >= 4.0) passes += own * (gradient + 4.0 + 4.0);
    // low-precision working copies of trained weights are cast once a step: read 16 bit, write both layouts
    if (is_low_precision(s.precision)) passes += held * (2.0 + 2.0 * operand_bytes(s.precision));
    Seconds t = streaming_time(*job.compute, update.bytes + Bytes{passes});
    if (facts.optimizer_by_tensor) t += job.stack->constants.host_time * (launches_per_owned_tensor * owned_tensors(model, stage, s));
    // states come in from the host and go back, both directions of the bus at once
    if (s.offload_optimizer) t = max(t, host_transfer_time(*job.cluster, Bytes{own * (facts.master_bytes + facts.moment_bytes)}));
    worst = max(worst, t);
  }
  return worst;
}

}  // namespace reckon
