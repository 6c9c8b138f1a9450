// The strategy block of a run.
// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "io/published_fields.hpp"
#include "io/published_runs.hpp"

namespace reckon {
namespace {

constexpr std::array schedules{Schedule::none,  Schedule::gpipe, Schedule::one_f_one_b, Schedule::interleaved,
                               Schedule::zb_h1, Schedule::zb_h2, Schedule::zb_v,        Schedule::dualpipe};
constexpr std::array shardings{Sharding::none, Sharding::zero1, Sharding::zero2, Sharding::zero3};
constexpr std::array recomputes{Recompute::none, Recompute::selective, Recompute::modules, Recompute::full};
constexpr std::array attentions{AttentionKind::flash, AttentionKind::unfused};
constexpr std::array modules{RecomputeModule::core_attention, RecomputeModule::mlp,       RecomputeModule::moe,
                             RecomputeModule::moe_act,        RecomputeModule::layernorm, RecomputeModule::mla_up_proj,
                             RecomputeModule::shared_experts};

std::vector<RecomputeModule> read_modules(const JsonNode& node) {
  std::vector<std::string> known;
  for (const RecomputeModule module : modules) known.emplace_back(name_of(module));
  std::vector<RecomputeModule> read;
  for (const JsonNode& item : node.items()) {
    const auto module = recompute_module_of(item.string());
    if (!module) item.fail("unknown module " + in_quotes(item.string()), suggestion(item.string(), known));
    for (const RecomputeModule other : read)
      if (other == *module) item.fail("the module is named twice", "remove one of them");
    read.push_back(*module);
  }
  return read;
}

}  // namespace

Strategy run_strategy(const JsonNode& node) {
  node.refuse_unknown({"tensor_parallel", "pipeline_parallel", "context_parallel", "expert_parallel", "data_parallel", "virtual_stages",
                       "schedule", "sequence_parallel", "sharding", "recompute", "recompute_modules", "recompute_layers",
                       "micro_batch_size", "global_batch_size", "precision", "attention", "shard_group_size", "expert_tensor_parallel"});
  Strategy s;
  s.tensor_parallel = size_at(node, "tensor_parallel");
  s.pipeline_parallel = size_at(node, "pipeline_parallel");
  s.context_parallel = size_at(node, "context_parallel");
  s.expert_parallel = size_at(node, "expert_parallel");
  s.data_parallel = size_at(node, "data_parallel");
  s.virtual_stages = size_at(node, "virtual_stages");
  s.micro_batch_size = size_at(node, "micro_batch_size");
  s.global_batch_size = size_at(node, "global_batch_size");
  s.expert_tensor_parallel = size_or_zero(node, "expert_tensor_parallel");
  s.shard_group_size = size_or_zero(node, "shard_group_size");
  s.recompute_layers = size_or_zero(node, "recompute_layers");
  s.sequence_parallel = node.at("sequence_parallel", "true or false").boolean();
  s.schedule = word_at(node, "schedule", schedules, schedule_of);
  s.sharding = word_at(node, "sharding", shardings, sharding_of);
  s.recompute = word_at(node, "recompute", recomputes, recompute_of);
  s.precision = word_at(node, "precision", all_precisions, precision_of);
  if (node.has("attention")) s.attention = word_at(node, "attention", attentions, attention_of);
  if (const auto list = node.find("recompute_modules")) s.recompute_modules = read_modules(*list);
  return s;
}

}  // namespace reckon
