// SPDX-License-Identifier: Apache-2.0
#include "cost/layer_cost.hpp"

#include <algorithm>
#include <cmath>

#include "cost/placement.hpp"

namespace reckon {
namespace {

AttentionKernel attention_kernel(const Job& job) {
  const auto& table = job.stack->facts.attention;
  const auto it = table.find(job.cluster->device.architecture);
  return it == table.end() ? AttentionKernel::flash2 : it->second;
}

Seconds product_time(const Job& job, Precision precision, const GemmShape& shape, GemmRole role = GemmRole::forward) {
  return gemm_time(*job.compute, precision, shape, role) * job.stack->constants.product_slowdown;
}

/// Batched products over heads whose rows are no whole 16 bytes miss the tensor cores and run on the vector units, at about half of
/// their peak: BLOOM's sweep of head counts at one size gives 8.5 to 11 of an A100's 19.5 TFLOP/s for head dims 108 and 150 and full
/// speed for multiples of 8 (bigscience-workshop/bigscience, train/tr11-176B-ml/chronicles-prequel.md).
constexpr double vector_efficiency = 0.5;

Seconds batched_product_time(const Job& job, Precision precision, const GemmShape& shape) {
  const double row = 16.0 / activation_bytes(precision);
  const auto aligned = [row](double n) { return std::fmod(n, row) == 0.0; };
  const FlopsPerSecond vector = job.cluster->device.vector_peak;
  if ((aligned(shape.n) && aligned(shape.k)) || !(vector.base() > 0)) return product_time(job, precision, shape);
  return max(product_time(job, precision, shape), flops_of(shape) / (vector * vector_efficiency));
}

Seconds traffic_time(const Job& job, Bytes traffic, StreamKernel kernel = StreamKernel::copy) {
  if (traffic.base() <= 0) return Seconds{};
  return kernel_time(*job.compute, kernel, job.strategy.precision, traffic) * job.stack->constants.stream_slowdown;
}

/// Start and drain of a memory-bound op's kernels after the first.
Seconds further_kernels(const Job& job, const Op& op, Bytes traffic, double kernels) {
  if (op.kind != OpKind::stream || !(traffic.base() > 0) || job.compute->measured != nullptr) return Seconds{};
  return job.compute->stream.latency * std::max(0.0, kernels - 1.0);
}

bool names(const Strategy& s, RecomputeModule module) {
  return std::find(s.recompute_modules.begin(), s.recompute_modules.end(), module) != s.recompute_modules.end();
}

/// A message group's exposed seconds, by pass.
struct Exposed {
  Seconds forward, backward, recompute, hidden;  // hidden: backward messages that a weight gradient may cover
};

/// Host work in units of one kernel launch: a collective call (stream switch, two events, the launch), and a checkpointed block
/// (torch.utils.checkpoint saves and restores the CPU's and the device's random state, which waits for the device, and runs a
/// backward pass of its own inside the backward pass).  That of a block is a guess: with the constants fitted anew the average error of the
/// published runs is the same within 0.1 % for 0 to 100 launches.
constexpr double launches_per_message = 5.0;
constexpr double launches_per_checkpoint = 100.0;

/// Host work of a mixture-of-experts block per pass, beside its kernels: routing, token counts, dispatcher and grouped products in Python.
/// Qwen3-30B takes 9.2 to 9.5 ms a layer and micro-batch of 4,096 tokens on an H100 and on a B200 alike (Megatron-Bridge 25.11 and 26.04,
/// docs/performance-summary-archive.md), three times what the devices need.
/// Both numbers were read off those training rows, not measured on their own.
constexpr double launches_per_expert_block = 350.0, launches_per_local_expert = 14.0;

const GroupPlacement& placement(const Placements& p, Group group) {
  switch (group) {
    case Group::tensor: return p.tensor;
    case Group::context: return p.context;
    case Group::expert: return p.expert;
    case Group::expert_tensor: return p.expert_tensor;
    case Group::pipeline: return p.pipeline;
    case Group::data: return p.data;
  }
  return p.tensor;
}

/// All-to-all of tokens with `visits` experts each, sent once to each rank and once to each domain (DeepEP, HybridEP; DeepSeek-V3 report,
/// section 3.2.2): of n places, k random visits touch n (1 - (1 - 1/n)^k).  What arrives in a domain is handed on inside it.
Seconds dispatch_time(const LinkCalibration& links, const Message& m, const GroupPlacement& group) {
  const auto touched = [&m](double places) { return places * (1.0 - std::pow(1.0 - 1.0 / places, m.visits)); };
  const double ranks = static_cast<double>(group.ranks), inside = static_cast<double>(std::min(group.ranks_per_domain, group.ranks));
  const Bytes by_rank = m.size * std::min(1.0, touched(ranks) / m.visits);
  if (inside >= ranks) return collective_time(links, m.collective, by_rank, group);
  const double domains = ranks / inside;
  const Bytes by_domain = m.size * std::min(1.0, std::min(touched(domains), m.most_domains) / m.visits);
  GroupPlacement local = group;
  local.ranks = group.ranks_per_domain;
  return max(collective_time(links, m.collective, by_domain, group), collective_time(links, m.collective, by_rank, local));
}

Exposed messages_of(const LoweredLayer& layer, Group group, const Job& job, const Placements& placements) {
  Exposed out;
  for (const Message& m : layer.messages) {
    if (m.group != group) continue;
    const Seconds one = message_time(m, job, placements);
    out.forward += one * m.forward;
    out.recompute += one * m.recompute;
    (m.hidden_by_wgrad ? out.hidden : out.backward) += one * m.backward;
  }
  return out;
}

/// Messages split into as many pieces as the group has ranks run under the product beside them; the first piece is always exposed.
Seconds pipelined(Seconds message, Seconds product, double pieces) {
  return message / pieces + max(Seconds{}, (message - product) * (1.0 - 1.0 / pieces));
}

}  // namespace

Seconds message_time(const Message& m, const Job& job, const Placements& placements) {
  const GroupPlacement& place = placement(placements, m.group);
  const Seconds alone = m.visits > 0 ? dispatch_time(*job.links, m, place) : collective_time(*job.links, m.collective, m.size, place);
  return alone * job.stack->constants.tensor_slowdown;
}

LayerTime& LayerTime::operator+=(const LayerTime& b) {
  forward += b.forward;
  backward_input += b.backward_input;
  backward_weight += b.backward_weight;
  recompute += b.recompute;
  tensor += b.tensor;
  context += b.context;
  expert += b.expert;
  tensor_forward += b.tensor_forward;
  context_forward += b.context_forward;
  expert_forward += b.expert_forward;
  return *this;
}

LayerTime operator*(const LayerTime& a, double k) {
  return {a.forward * k, a.backward_input * k, a.backward_weight * k, a.recompute * k, a.tensor * k, a.context * k, a.expert * k,
          a.tensor_forward * k, a.context_forward * k, a.expert_forward * k};
}

double shared_processors(const Job& job) {
  if (job.compute->measured == nullptr) return 1.0;
  return job.compute->measured->ranks_per_processor(static_cast<double>(std::min(job.strategy.num_devices(), job.cluster->node.devices_per_node)));
}

Placements placements_of(const Strategy& s, const Cluster& c) {
  return {placement_of(Group::tensor, s, c),   placement_of(Group::context, s, c), placement_of(Group::expert, s, c), placement_of(Group::expert_tensor, s, c),
          placement_of(Group::pipeline, s, c), placement_of(Group::data, s, c),    expert_data_placement(s, c),
          shard_placement(s, c),                replica_placement(s, c)};
}

bool recomputed(const Op& op, const Strategy& s) {
  switch (s.recompute) {
    case Recompute::none: return false;
    case Recompute::full: return true;
    case Recompute::selective: return op.group == OpGroup::attention_core;
    case Recompute::modules: break;
  }
  switch (op.group) {
    case OpGroup::attention_core: return names(s, RecomputeModule::core_attention);
    case OpGroup::latent_up: return names(s, RecomputeModule::mla_up_proj);
    case OpGroup::norm: return names(s, RecomputeModule::layernorm);
    case OpGroup::mlp_product:
    case OpGroup::mlp_activation: return names(s, RecomputeModule::mlp);
    case OpGroup::expert_activation: return names(s, RecomputeModule::moe_act) || names(s, RecomputeModule::moe);
    case OpGroup::router:
    case OpGroup::expert_product: return names(s, RecomputeModule::moe);
    case OpGroup::shared_product: return names(s, RecomputeModule::shared_experts) || names(s, RecomputeModule::moe);
    case OpGroup::other: return false;
  }
  return false;
}

Seconds forward_time(const Op& op, const Job& job) {
  Seconds t = traffic_time(job, op.forward_traffic, op.forward_kernel) + further_kernels(job, op, op.forward_traffic, op.forward_kernels);
  if (op.kind == OpKind::product) t += op.has_weight ? product_time(job, op.precision, op.product) : batched_product_time(job, op.precision, op.product);
  if (op.kind == OpKind::attention)
    t += attention_time(*job.compute, attention_kernel(job), Pass::forward, op.attention, job.strategy.precision) * job.stack->constants.product_slowdown;
  return t * op.times;
}

Seconds backward_input_time(const Op& op, const Job& job) {
  Seconds t = traffic_time(job, op.backward_traffic, op.backward_kernel) + further_kernels(job, op, op.backward_traffic, op.backward_kernels);
  const GemmShape& f = op.product;
  if (op.kind == OpKind::product) {
    const GemmShape left = input_gradient_of(f, op.taps), right{.m = f.k, .n = f.n, .k = f.m, .batch = f.batch};
    if (op.needs_input_gradient) t += op.has_weight ? product_time(job, op.precision, left, GemmRole::input_gradient) : batched_product_time(job, op.precision, left);
    if (!op.has_weight) t += batched_product_time(job, op.precision, right);
  }
  if (op.kind == OpKind::attention)
    t += attention_time(*job.compute, attention_kernel(job), Pass::backward, op.attention, job.strategy.precision) * job.stack->constants.product_slowdown;
  return t * op.times;
}

Seconds backward_weight_time(const Op& op, const Job& job) {
  if (op.kind != OpKind::product || !op.has_weight || !op.trainable) return Seconds{};
  const GemmShape& f = op.product;
  Seconds t = product_time(job, op.precision, weight_gradient_of(f), GemmRole::weight_gradient);
  // the product writes 16-bit results; adding into an accumulated gradient moves more: read + write of the main gradient,
  // and where the addition is a kernel of its own the 16-bit gradient is read again
  const StackFacts& facts = job.stack->facts;
  const double weights = f.batch * f.n * f.k;
  const double gradient = gradient_bytes(facts, job.strategy.precision);
  if (job.compute->measured != nullptr && facts.fused_wgrad_accumulation) {
    // measured with its fp32 result: adding reads that once more, in all micro-batches but the first
    const double again = 1.0 - 1.0 / static_cast<double>(job.strategy.num_micro_batches());
    return (t + traffic_time(job, Bytes{weights * gradient * again})) * op.times;
  }
  const double extra = facts.fused_wgrad_accumulation ? 2.0 * gradient - 2.0 : 2.0 * gradient + 2.0;
  const bool accumulates = job.strategy.num_micro_batches() > 1 || gradient > 2.0;
  if (accumulates) t += traffic_time(job, Bytes{weights * extra});
  return t * op.times;
}

LayerTime layer_time(const LoweredLayer& layer, const Job& job, const Placements& placements, bool recompute_full) {
  LayerTime out;
  double forward_kernels = 0, backward_kernels = 0, recompute_kernels = 0, block_launches = 0;
  Seconds tensor_products_forward, tensor_products_backward, attention_forward, attention_backward;
  const StackFacts& facts = job.stack->facts;
  const Seconds host = job.stack->constants.host_time;
  for (const Op& op : layer.ops) {
    const Seconds bw = backward_weight_time(op, job);
    Seconds f = forward_time(op, job), bi = backward_input_time(op, job);
    if (facts.traced) {  // nothing is launched ahead: every kernel waits for the host
      f = max(f, host * op.forward_kernels * op.times);
      bi = max(bi, host * op.backward_kernels * op.times - bw);
    }
    out.forward += f;
    out.backward_input += bi;
    out.backward_weight += bw;
    forward_kernels += op.forward_kernels * op.times;
    backward_kernels += op.backward_kernels * op.times;
    if (op.group == OpGroup::router && op.kind == OpKind::product) block_launches += launches_per_expert_block;
    if (op.group == OpGroup::expert_product) block_launches += 0.5 * launches_per_local_expert * op.product.batch;  // two products a block
    if (op.kind == OpKind::product) tensor_products_forward += f, tensor_products_backward += bi + bw;
    if (op.kind == OpKind::attention || op.group == OpGroup::attention_core) attention_forward += f, attention_backward += bi;
    if (recompute_full || (job.strategy.recompute != Recompute::full && recomputed(op, job.strategy))) {
      out.recompute += f;
      recompute_kernels += op.forward_kernels * op.times;
    }
  }
  forward_kernels += block_launches;
  backward_kernels += block_launches;
  if (recompute_full) recompute_kernels += block_launches;
  for (const Message& m : layer.messages) {  // a collective launches, records and waits for events
    forward_kernels += launches_per_message * m.forward;
    backward_kernels += launches_per_message * m.backward;
    if (recompute_full) recompute_kernels += launches_per_message * m.recompute;
  }
  if (recompute_full) recompute_kernels += launches_per_checkpoint;
  const double recompute_passes = recompute_full ? 1.0 : 0.0;
  Exposed t = messages_of(layer, Group::tensor, job, placements);
  const bool overlapped = (facts.overlap_tensor && job.strategy.sequence_parallel) || job.task.async_tensor;
  if (overlapped) {
    const double pieces = std::max(2.0, static_cast<double>(job.strategy.tensor_parallel));
    t.forward = pipelined(t.forward, tensor_products_forward, pieces);
    t.recompute = pipelined(t.recompute, tensor_products_forward, pieces);
    t.backward = pipelined(t.backward, out.backward_input, pieces);
  }
  if (facts.overlap_backward_tensor || overlapped) t.hidden = max(Seconds{}, t.hidden - out.backward_weight);
  out.tensor_forward = t.forward;
  out.tensor = t.forward + t.backward + t.hidden + t.recompute * recompute_passes;

  const Exposed c = messages_of(layer, Group::context, job, placements);
  const double under_attention = facts.overlap_context ? 1.0 : 0.0;
  out.context_forward = max(Seconds{}, c.forward - attention_forward * under_attention);
  out.context = out.context_forward * (1.0 + recompute_passes) + max(Seconds{}, c.backward - attention_backward * under_attention);

  Exposed e = messages_of(layer, Group::expert, job, placements);
  const Exposed et = messages_of(layer, Group::expert_tensor, job, placements);
  if (facts.overlap_experts) {  // all-to-all of one half of a batch under the compute of the other
    e.forward = max(Seconds{}, e.forward - out.forward * 0.5);
    e.backward = max(Seconds{}, e.backward - (out.backward_input + out.backward_weight) * 0.5);
  }
  out.expert_forward = e.forward + et.forward;
  const bool again = recompute_full || (job.strategy.recompute == Recompute::modules && names(job.strategy, RecomputeModule::moe));
  const Seconds expert_again = again ? e.recompute + et.recompute : Seconds{};
  out.expert = out.expert_forward + e.backward + et.backward + expert_again;

  if (!facts.cuda_graphs && !facts.traced) {  // the host launches kernels and messages one by one; a pass takes at least that long
    const Seconds forward_messages = out.tensor_forward + out.context_forward + out.expert_forward;
    if (facts.synchronous_launches) out.forward += host * forward_kernels;
    else out.forward = max(out.forward, host * forward_kernels - forward_messages);
    // recomputation runs inside the backward pass: the two share their bound
    const Seconds backward = out.backward_input + out.backward_weight + out.recompute;
    const Seconds backward_messages = out.tensor + out.context + out.expert - forward_messages;
    const Seconds launches = host * (backward_kernels + recompute_kernels);
    const Seconds bound = facts.synchronous_launches ? backward + launches : launches - backward_messages;
    if (backward < bound) {
      const double stretch = bound / backward;
      out.backward_input *= stretch;
      out.backward_weight *= stretch;
      out.recompute *= stretch;
    }
    out.forward += host * layer.blocking_launches;
  }
  const double ranks = shared_processors(job);
  out.forward *= ranks;
  out.backward_input *= ranks;
  out.backward_weight *= ranks;
  out.recompute *= ranks;
  return out;
}

LayerMemory layer_memory(const LoweredLayer& layer, const Strategy& strategy, bool recompute_full) {
  LayerMemory out;
  for (const Op& op : layer.ops) {
    const bool again = recompute_full || (strategy.recompute != Recompute::full && recomputed(op, strategy));
    (again ? out.transient : out.saved) += op.saved * op.times;
  }
  if (recompute_full) out.saved = layer.input;
  return out;
}

}  // namespace reckon
