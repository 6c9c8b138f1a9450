// SPDX-License-Identifier: Apache-2.0
#include "plan/strategy_space.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace reckon {
namespace {

using Values = std::vector<std::int64_t>;

Values powers_of_two(std::int64_t most) {
  Values out;
  for (std::int64_t v = 1; v <= most; v *= 2) out.push_back(v);
  return out;
}

Values divisors(std::int64_t n, std::int64_t most) {
  Values out;
  for (std::int64_t v = 1; v <= std::min(n, most); ++v)
    if (n % v == 0) out.push_back(v);
  return out;
}

Values or_default(const Values& given, Values otherwise) { return given.empty() ? otherwise : given; }

/// The sets of modules that this architecture can recompute: an MLP or its experts (activations alone, or all), norms, attention.
std::vector<std::vector<RecomputeModule>> module_sets(const Transformer& model) {
  using M = RecomputeModule;
  std::vector<std::vector<M>> sets{{}};
  const auto either = [&sets](std::vector<std::vector<M>> choices) {
    std::vector<std::vector<M>> out;
    for (const auto& set : sets)
      for (const auto& more : choices) {
        out.push_back(set);
        out.back().insert(out.back().end(), more.begin(), more.end());
      }
    sets = std::move(out);
  };
  either({{}, {M::core_attention}});
  either({{}, {M::mlp}});
  if (model.experts) either({{}, {M::moe_act}, {M::moe}});
  either({{}, {M::layernorm}});
  if (model.latent_attention) either({{}, {M::mla_up_proj}});
  sets.erase(sets.begin());
  return sets;
}

class Blocks {
 public:
  Blocks(const Question& q, std::int64_t devices, const std::function<void(const StrategyBlock&)>& visit)
      : q_(q), devices_(devices), visit_(visit), model_(q.architecture->transformer()) {
    if (model_ != nullptr) sets_ = module_sets(*model_);
  }

  void run() {
    Strategy s;
    s.attention = q_.attention;
    s.global_batch_size = q_.global_batch_size;
    for (const Precision precision : q_.space.precision.empty() ? std::vector{q_.precision} : q_.space.precision) {
      s.precision = precision;
      degrees(s);
    }
  }

 private:
  void degrees(Strategy s) {
    for (const std::int64_t t : tensor_degrees(q_)) {
      if (devices_ % t != 0) continue;
      s.tensor_parallel = t;
      for (const std::int64_t c : context_values()) {
        if ((devices_ / t) % c != 0) continue;
        s.context_parallel = c;
        for (const std::int64_t p : or_default(q_.space.pipeline, divisors(devices_ / (t * c), layers()))) {
          if (p > layers() || (devices_ / (t * c)) % p != 0) continue;
          s.pipeline_parallel = p;
          s.data_parallel = devices_ / (t * c * p);
          experts(s);
        }
      }
    }
  }

  std::int64_t layers() const { return model_ == nullptr ? 1 : model_->num_layers + model_->num_encoder_layers; }
  std::int64_t sequence() const { return q_.task.seq_len > 0 ? q_.task.seq_len : (model_ == nullptr ? 1 : model_->seq_len); }

  Values context_values() const {
    if (model_ == nullptr || !model_->causal || model_->num_encoder_layers > 0) return {1};
    return or_default(q_.space.context, powers_of_two(std::clamp<std::int64_t>(sequence() / 2048, 1, 16)));
  }

  void experts(Strategy s) {
    if (model_ == nullptr || !model_->experts) return micro_batches(s);
    const std::int64_t ranks = s.tensor_parallel * s.context_parallel * s.data_parallel;
    for (const std::int64_t e : or_default(q_.space.expert, divisors(model_->experts->num_experts, 64))) {
      if (model_->experts->num_experts % e != 0) continue;
      s.expert_parallel = e;
      for (const std::int64_t et : or_default(q_.space.expert_tensor, s.tensor_parallel > 1 ? Values{1, s.tensor_parallel} : Values{1})) {
        if (et > s.tensor_parallel || ranks % (e * et) != 0) continue;
        s.expert_tensor_parallel = et;
        micro_batches(s);
      }
    }
  }

  void micro_batches(Strategy s) {
    for (const std::int64_t b : or_default(q_.space.micro_batch, model_ == nullptr ? powers_of_two(1024) : powers_of_two(8))) {
      if (q_.global_batch_size / s.data_parallel < b || q_.global_batch_size % (s.data_parallel * b) != 0) continue;
      s.micro_batch_size = b;
      for (const bool split : q_.space.sequence_parallel) {
        s.sequence_parallel = split && s.tensor_parallel > 1;
        if (!split && s.tensor_parallel == 1 && q_.space.sequence_parallel.size() > 1) continue;  // the same strategy
        for (const Recompute r : q_.space.recompute) recompute(s, r);
      }
    }
  }

  void recompute(Strategy s, Recompute r) {
    if (model_ == nullptr && r != Recompute::none) return;
    if (r == Recompute::selective && s.attention == AttentionKind::flash) return;  // flash attention already recomputes its scores
    s.recompute = r;
    if (r != Recompute::modules) return ends(s);
    for (const auto& set : sets_) {
      s.recompute_modules = set;
      ends(s);
    }
  }

  void ends(Strategy s) {
    for (const GroupOrder order : q_.space.orders) {
      if (order != q_.space.orders.front() && (s.pipeline_parallel == 1 || s.data_parallel == 1)) continue;
      s.order = order;
      block(s);
      const std::int64_t between = s.pipeline_parallel - 2;
      if (!q_.space.uneven_ends || between < 1) continue;
      uneven(s, between);
    }
  }

  /// First and last stage with up to `most_fewer` layers less or one more than the others, where those divide.
  void uneven(Strategy s, std::int64_t between) {
    constexpr std::int64_t most_fewer = 3;
    for (std::int64_t inner = std::max<std::int64_t>(1, layers() / s.pipeline_parallel); inner <= layers() / s.pipeline_parallel + 2; ++inner) {
      const std::int64_t rest = layers() - inner * between;
      for (std::int64_t first = std::max<std::int64_t>(1, inner - most_fewer); first <= inner + 1; ++first) {
        const std::int64_t last = rest - first;
        if (last < std::max<std::int64_t>(1, inner - most_fewer) || last > inner + 1) continue;
        if (first == inner && last == inner) continue;
        s.first_stage_layers = first;
        s.last_stage_layers = last;
        block(s);
      }
    }
  }

  void block(const Strategy& s) {
    StrategyBlock out;
    out.base = s;
    if (!divides(s)) return;
    work_choices(s, out.work);
    pipeline_choices(s, out.pipeline);
    out.state = state_choices(s);
    if (out.size() > 0) visit_(out);
  }

  /// The rules of catalog/strategy.hpp between strategy and transformer, without their messages.
  bool divides(const Strategy& s) const {
    if (model_ == nullptr) return true;
    const std::int64_t t = s.tensor_parallel, c = s.context_parallel;
    return model_->ffn_hidden_size % t == 0 && sequence() % c == 0 && (!s.sequence_parallel || (sequence() / c) % t == 0);
  }

  void work_choices(const Strategy& s, std::vector<WorkChoice>& out) const {
    const std::int64_t most = s.recompute == Recompute::full && q_.space.recompute_layers ? (layers() - 1) / s.pipeline_parallel : 0;
    for (const bool offload : q_.space.offload_activations) {
      if (offload && (model_ == nullptr || s.recompute == Recompute::full || !(q_.cluster->device.pcie_bandwidth.base() > 0))) continue;
      for (std::int64_t n = 0; n <= most; ++n) out.push_back({n, offload});
    }
  }

  /// Layers that interleaved stages share: all of them, or two more where the first and the last stage hold one layer fewer, as Llama 3 was
  /// trained (arXiv 2407.21783, section 3.3.2) and stages_of divides; 0 when neither divides.
  std::int64_t padded_layers(const Strategy& s) const {
    const std::int64_t p = s.pipeline_parallel;
    if (layers() % p == 0) return layers();
    return p > 2 && (layers() + 2) % p == 0 && !q_.stack->facts.balanced_stages ? layers() + 2 : 0;
  }

  void pipeline_choices(const Strategy& s, std::vector<PipelineChoice>& out) const {
    if (s.pipeline_parallel == 1) {
      out.push_back({Schedule::none, 1});
      return;
    }
    const std::int64_t padded = padded_layers(s), per_stage = padded / s.pipeline_parallel;
    for (const Schedule schedule : q_.space.schedules) {
      if (schedule == Schedule::none) continue;
      if (schedule != Schedule::interleaved) {
        if (schedule == Schedule::dualpipe && s.pipeline_parallel % 2 != 0) continue;  // it pairs the stages
        out.push_back({schedule, 1});
        continue;
      }
      if (s.first_stage_layers > 0 || padded == 0 || s.num_micro_batches() % s.pipeline_parallel != 0) continue;
      for (const std::int64_t v : or_default(q_.space.virtual_stages, divisors(per_stage, 8)))
        if (v >= 2 && per_stage % v == 0) out.push_back({schedule, v});
    }
  }

  /// The same for all blocks of one number of replicas, so worked out once.
  const std::vector<StateChoice>& state_choices(const Strategy& s) {
    const auto [at, fresh] =
        states_.try_emplace({s.data_parallel * s.context_parallel, s.pipeline_parallel > 1 || s.expert_parallel > 1, s.num_micro_batches() > 1});
    if (fresh) add_state_choices(s, at->second);
    return at->second;
  }

  void add_state_choices(const Strategy& s, std::vector<StateChoice>& out) const {
    const std::int64_t replicas = s.data_parallel * s.context_parallel;
    const Values groups = divisors(replicas, replicas / 2);
    for (const Sharding z : q_.space.sharding) {
      // gathers would repeat for every micro-batch of the pipeline
      if (z == Sharding::zero3 && !q_.space.sharded_pipelines && (s.pipeline_parallel > 1 || s.expert_parallel > 1)) continue;
      if (z == Sharding::zero2 && !q_.space.zero2_accumulates && s.num_micro_batches() > 1) continue;
      for (const bool offload : q_.space.offload_optimizer) {
        if (offload && !(q_.cluster->device.pcie_bandwidth.base() > 0)) continue;
        out.push_back({z, 0, offload});
        if (!q_.space.shard_groups || z == Sharding::none || (model_ != nullptr && model_->experts)) continue;
        for (const std::int64_t g : groups)
          if (g > 1) out.push_back({z, g, offload});
      }
    }
  }

  const Question& q_;
  std::int64_t devices_;
  const std::function<void(const StrategyBlock&)>& visit_;
  const Transformer* model_;
  std::vector<std::vector<RecomputeModule>> sets_;
  std::map<std::tuple<std::int64_t, bool, bool>, std::vector<StateChoice>> states_;
};

}  // namespace

SearchSpace whole_space() {
  SearchSpace out;
  out.expert_tensor = {};
  out.recompute = {Recompute::none, Recompute::selective, Recompute::modules, Recompute::full};
  out.sharding = {Sharding::none, Sharding::zero1, Sharding::zero2, Sharding::zero3};
  out.schedules = {Schedule::gpipe, Schedule::one_f_one_b, Schedule::interleaved, Schedule::zb_h1, Schedule::zb_h2, Schedule::zb_v, Schedule::dualpipe};
  out.orders = {GroupOrder::data_inside, GroupOrder::pipeline_inside};
  out.sequence_parallel = {true, false};
  out.offload_activations = out.offload_optimizer = {false, true};
  out.zero2_accumulates = false;
  out.recompute_layers = out.shard_groups = out.uneven_ends = out.sharded_pipelines = true;
  return out;
}

Strategy StrategyBlock::at(std::size_t w, std::size_t p, std::size_t c) const {
  Strategy s = base;
  s.recompute_layers = work[w].recompute_layers;
  s.offload_activations = work[w].offload_activations;
  s.schedule = pipeline[p].schedule;
  s.virtual_stages = pipeline[p].virtual_stages;
  s.sharding = state[c].sharding;
  s.shard_group_size = state[c].shard_group_size;
  s.offload_optimizer = state[c].offload_optimizer;
  return s;
}

std::vector<std::int64_t> tensor_degrees(const Question& question) {
  const Transformer* model = question.architecture->transformer();
  if (model == nullptr) return {1};
  const std::int64_t domain = std::max(question.cluster->node.devices_per_node, question.cluster->node.scale_up_domain);
  Values out = or_default(question.space.tensor, powers_of_two(std::min<std::int64_t>(16, domain)));
  std::erase_if(out, [model](std::int64_t t) { return model->num_heads % t != 0 || (model->num_kv_heads % t != 0 && t % model->num_kv_heads != 0); });
  return out;
}

void for_each_block(const Question& question, std::int64_t num_devices, const std::function<void(const StrategyBlock&)>& visit) {
  Blocks(question, num_devices, visit).run();
}

std::int64_t space_size(const Question& question, std::int64_t num_devices) {
  std::int64_t out = 0;
  for_each_block(question, num_devices, [&out](const StrategyBlock& block) { out += block.size(); });
  return out;
}

void for_each_strategy(const Question& question, std::int64_t num_devices, const std::function<void(const Strategy&)>& visit) {
  for_each_block(question, num_devices, [&visit](const StrategyBlock& block) {
    for (std::size_t w = 0; w < block.work.size(); ++w)
      for (std::size_t p = 0; p < block.pipeline.size(); ++p)
        for (std::size_t c = 0; c < block.state.size(); ++c) visit(block.at(w, p, c));
  });
}

}  // namespace reckon
