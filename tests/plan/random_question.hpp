// Random small planning questions, for property tests: everything that a space may hold, by seed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "../cost/scene.hpp"
#include "base/random.hpp"
#include "plan/search.hpp"
#include "plan/strategy_space.hpp"

namespace reckon {

class RandomQuestion {
 public:
  explicit RandomQuestion(std::uint64_t seed) : random_(seed, 5) {
    make_architecture();
    static const std::vector<std::string> places{"h100", "a100-sxm-80gb", "h200-sxm-141gb", "v100-sxm2-32gb"};
    static const std::vector<std::string> stacks{"default", "megatron-core-2025", "torchtitan", "llm-foundry"};
    cluster = shipped().catalog.cluster_for(places[pick(places.size())]);
    const Stack& stack = shipped().set.stack(stacks[pick(stacks.size())]);
    links = link_calibration(shipped().set.links, cluster.device, cluster.fabric, stack.facts);
    question = {&architecture, &cluster, &shipped().set.device(cluster.device.id), &links, &stack, {}, Precision::bf16, AttentionKind::flash, 1, 0.06, {}};
    question.task.seq_len = architecture.transformer()->seq_len;
    question.global_batch_size = std::int64_t{1} << (3 + pick(5));
    if (cluster.device.architecture == "volta") question.precision = Precision::fp16;
    if (pick(3) == 0) question.attention = AttentionKind::unfused;
    devices = std::int64_t{1} << pick(6);
    if (pick(4) == 0) devices = 24;
    // from nothing fits to everything does
    question.memory_margin = std::vector<double>{0.06, 0.06, 0.5, 0.8, 0.9}[pick(5)];
    make_space();
  }

  Architecture architecture;
  Cluster cluster;
  LinkCalibration links;
  Question question{};
  std::int64_t devices = 1;

 private:
  std::size_t pick(std::size_t of) { return std::min(of - 1, static_cast<std::size_t>(random_.uniform() * static_cast<double>(of))); }
  bool coin() { return pick(2) == 0; }

  void make_architecture() {
    architecture = small_llama();
    architecture.name = "random";
    Transformer& m = std::get<Transformer>(architecture.body);
    m.num_layers = 2 + static_cast<std::int64_t>(pick(15));
    m.num_heads = coin() ? 16 : 24;
    m.num_kv_heads = coin() ? 8 : m.num_heads;
    m.head_dim = 64;
    m.hidden_size = m.num_heads * 64;
    m.ffn_hidden_size = m.hidden_size * 4;
    m.vocab_size = coin() ? 32000 : 128256;
    m.seq_len = m.max_positions = coin() ? 2048 : 8192;
    m.tied_embeddings = coin();
    if (pick(3) == 0) {
      m.experts = Experts{.num_experts = 8, .experts_per_token = 2, .expert_ffn_hidden_size = m.hidden_size};
      m.experts->num_dense_layers = static_cast<std::int64_t>(pick(3));
    }
  }

  void make_space() {
    const SearchSpace whole = whole_space();
    SearchSpace& s = question.space;
    if (coin()) s.expert_tensor = {};
    if (coin()) s.recompute = whole.recompute;
    if (coin()) s.sharding = whole.sharding;
    if (coin()) s.schedules = whole.schedules;
    if (coin()) s.orders = whole.orders;
    if (coin()) s.sequence_parallel = whole.sequence_parallel;
    if (coin()) s.offload_activations = whole.offload_activations;
    if (coin()) s.offload_optimizer = whole.offload_optimizer;
    s.recompute_layers = coin();
    s.shard_groups = coin();
    s.uneven_ends = coin();
    s.sharded_pipelines = coin();
    if (coin()) s.micro_batch = {1, 2};
    if (coin() && cluster.device.architecture == "hopper") s.precision = {Precision::bf16, Precision::fp8};
    // from a host that holds nothing to one that holds everything, or does not say
    cluster.node.host_memory = Bytes{std::vector<double>{0.0, 4e9, 64e9, 2e12}[pick(4)]};
    if (coin()) s.tensor = {1, 2, 8};
  }

  Philox random_;
};

}  // namespace reckon
