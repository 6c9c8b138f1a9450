// Peak memory of the fullest stage.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "cost/data_parallel.hpp"
#include "cost/placement.hpp"
#include "cost/step_terms.hpp"

namespace reckon {
namespace {

/// cuBLAS and TransformerEngine workspaces (32 MiB a stream and more from Hopper on), rotary tables, norms' statistics: what SimuMax's
/// B200 runs hold beside weights, states and activations (0.6 to 1.5 GiB).  Before Hopper cuBLAS takes 8 MiB a stream
/// (docs.nvidia.com/cuda/cublas, CUBLAS_WORKSPACE_CONFIG) and there is no TransformerEngine.
Bytes library_workspace(const Device& device) {
  static constexpr std::array<std::string_view, 3> small{"volta", "turing", "ampere"};
  return std::find(small.begin(), small.end(), device.architecture) != small.end() ? gibibytes * 0.05 : gibibytes * 0.75;
}

/// Parameters of a layer, or of its largest matrix where tensors are gathered one by one.
double gathered_at_once(const LoweredModel& model, const StackFacts& facts) {
  double out = 0;
  for (const LoweredLayer& kind : model.kinds) {
    if (!facts.gathers_by_tensor) out = std::max(out, kind.parameters + kind.expert_parameters);
    for (const Op& op : kind.ops)
      if (op.kind == OpKind::product && op.has_weight) out = std::max(out, op.product.n * op.product.k * op.product.batch);
  }
  return out;
}

double expert_ranks(const Strategy& s) {
  if (s.sharding == Sharding::none) return 1.0;
  return std::max(1.0, static_cast<double>(s.tensor_parallel * s.context_parallel * s.data_parallel) / static_cast<double>(s.expert_tensor() * s.expert_parallel));
}

/// Zero-bubble schedules keep, beside the micro-batches in flight, one whose weight gradients are put off: the inputs and the output
/// gradients of its products, 32 of the 74 bytes a token and width that a GPT layer keeps with its scores in memory.  The paper's peaks of
/// ZB-1p exceed those of 1F1B by 0.6 to 1 micro-batch (Qi et al. 2023, table 4).
double awaiting_weight_gradients(Schedule schedule) {
  return schedule == Schedule::zb_h1 || schedule == Schedule::zb_h2 || schedule == Schedule::zb_v ? 32.0 / 74.0 : 0.0;
}

}  // namespace

double held_micro_batches(const Strategy& s, std::int64_t stage) {
  return in_flight(s.schedule, s.pipeline_parallel, stage, s.virtual_stages, s.num_micro_batches()) + awaiting_weight_gradients(s.schedule);
}

ModelMemory model_memory(const LoweredModel& model, const Strategy& strategy) {
  ModelMemory out;
  const bool full = strategy.recompute == Recompute::full;
  for (const LoweredLayer& kind : model.kinds) {
    out.kinds.push_back(layer_memory(kind, strategy, full));
    out.kinds_kept.push_back(layer_memory(kind, strategy, false));
  }
  out.before = layer_memory(model.before, strategy, false);
  out.after = layer_memory(model.after, strategy, false);
  return out;
}

StageMemory stage_memory(const Job& job, const LoweredModel& model, const Stage& stage) {
  return stage_memory(job, model, model_memory(model, job.strategy), stage);
}

StageMemory stage_memory(const Job& job, const LoweredModel& model, const ModelMemory& memory, const Stage& stage) {
  StageMemory out;
  const Strategy& s = job.strategy;
  const bool full = s.recompute == Recompute::full;
  Bytes largest;
  std::int64_t left = s.recompute_layers > 0 ? s.recompute_layers : stage.layers;
  for (std::size_t k = 0; k < stage.count.size(); ++k) {
    if (stage.count[k] == 0) continue;
    const std::int64_t again = full ? std::min(stage.count[k], left) : 0;
    left -= again;
    const LayerMemory &dropped = memory.kinds[k], &kept = memory.kinds_kept[k];
    out.per_micro_batch += dropped.saved * static_cast<double>(again) + kept.saved * static_cast<double>(stage.count[k] - again);
    out.transient = max(out.transient, again > 0 ? dropped.transient : kept.transient);
    out.workspace = max(out.workspace, model.kinds[k].workspace);
    largest = max(largest, kept.saved);
  }
  if (stage.first) out.per_micro_batch += memory.before.saved;
  if (stage.last) out.head = memory.after.saved;
  if (s.offload_activations) {  // one layer on its way out, one back in; the rest is on the host
    out.offloaded = out.per_micro_batch;
    out.head += min(out.per_micro_batch, largest * 2.0);
    out.per_micro_batch = Bytes{};
  }
  out.workspace += out.transient + model.boundary * 2.0 + library_workspace(job.cluster->device);
  return out;
}

Bytes activation_memory(const StageMemory& memory, double in_flight) { return memory.per_micro_batch * in_flight + memory.head + memory.workspace; }

MemoryFootprint state_footprint(const Job& job, const LoweredModel& model, const Stage& stage) {
  const Strategy& s = job.strategy;
  const StackFacts& facts = job.stack->facts;
  const StageParameters p = parameters_of(model, stage);
  const double element = activation_bytes(s.precision), shard = shard_ranks(s), experts = expert_ranks(s);
  const bool weights_split = s.sharding == Sharding::zero3, gradients_split = weights_split || s.sharding == Sharding::zero2;

  MemoryFootprint out;
  const double dense_share = weights_split ? shard : 1.0, expert_share = weights_split ? experts : 1.0;
  const double held = p.dense / dense_share + p.expert / expert_share;
  const double trained = (p.trainable_dense / dense_share + p.trainable_expert / expert_share), frozen = held - trained;
  // frozen weights of a low-precision run are kept in that format alone; trained ones in both layouts of the cast, beside the 16-bit
  // weights or instead of them
  const bool low = is_low_precision(s.precision) && !weights_split;
  const double cast = low ? 2.0 * operand_bytes(s.precision) : 0.0;
  const double per_trained = cast + (low && facts.low_precision_weights ? 0.0 : element);
  out.weights = Bytes{trained * per_trained + frozen * (is_low_precision(s.precision) ? operand_bytes(s.precision) : element)};
  if (weights_split) out.communication += Bytes{2.0 * gathered_at_once(model, facts) * element};  // the one in use and the next
  const double gradient = gradient_bytes(facts, s.precision) + (s.precision == Precision::bf16 ? facts.bf16_gradient_bytes : 0.0);
  out.gradients = Bytes{gradient * (p.trainable_dense / (gradients_split ? shard : 1.0) + p.trainable_expert / (gradients_split ? experts : 1.0))};
  const double own = p.trainable_dense / shard + p.trainable_expert / experts;
  out.optimizer = Bytes{(facts.master_bytes + facts.moment_bytes) * own};
  // one block, larger than what the caching allocator has back from activations
  if (facts.flat_gradient_copy && s.precision == Precision::fp16) out.optimizer += Bytes{4.0 * own};

  if (s.offload_optimizer) out.optimizer = Bytes{};  // streamed in buckets through the communication buffers
  // driver context and NCCL channels; the allocator's slack over what is live.  About 1.5 GiB on recent drivers with a few communicators.
  out.framework = gibibytes * 1.5;
  return out;
}

Bytes host_state(const Job& job, const LoweredModel& model, const Stage& stage) {
  if (!job.strategy.offload_optimizer) return Bytes{};
  const StageParameters p = parameters_of(model, stage);
  const double own = p.trainable_dense / shard_ranks(job.strategy) + p.trainable_expert / expert_ranks(job.strategy);
  return Bytes{(job.stack->facts.master_bytes + job.stack->facts.moment_bytes) * own};
}

Bytes host_memory_share(const Node& node) {
  constexpr double for_offload = 0.9;  // an assumption: a tenth for the system, the processes themselves and the data loaders
  if (!(node.host_memory > Bytes{})) return Bytes{std::numeric_limits<double>::infinity()};
  return node.host_memory * (for_offload / static_cast<double>(node.devices_per_node));
}

MemoryFootprint stage_footprint(const Job& job, const LoweredModel& model, const Stage& stage, std::int64_t index) {
  const Strategy& s = job.strategy;
  MemoryFootprint out = state_footprint(job, model, stage);
  const StageMemory saved = stage_memory(job, model, stage);
  const double flight = held_micro_batches(s, index);
  out.activations = saved.per_micro_batch * flight + saved.head;
  out.workspace = saved.workspace;
  return out;
}

MemoryFootprint memory_footprint(const Job& job, const LoweredModel& model, const std::vector<Stage>& stages, std::int64_t* peak_stage) {
  MemoryFootprint worst;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const MemoryFootprint m = stage_footprint(job, model, stages[i], static_cast<std::int64_t>(i));
    if (i == 0 || m.total() > worst.total()) {
      worst = m;
      if (peak_stage != nullptr) *peak_stage = static_cast<std::int64_t>(i);
    }
  }
  return worst;
}

}  // namespace reckon
