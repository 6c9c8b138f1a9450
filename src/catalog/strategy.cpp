// Words of a strategy, and the one-line form that logs and reports print.  The rules are in strategy_rules.cpp.
// SPDX-License-Identifier: Apache-2.0
#include "catalog/strategy.hpp"

#include <fmt/format.h>

#include "catalog/names.hpp"

namespace reckon {
namespace {

constexpr Names<Schedule, 10> schedule_names{{{
    {Schedule::none, "none"},
    {Schedule::gpipe, "gpipe"},
    {Schedule::one_f_one_b, "1f1b"},
    {Schedule::interleaved, "interleaved-1f1b"},
    {Schedule::zb_h1, "zb-1p"},
    {Schedule::zb_h1, "zb-h1"},
    {Schedule::zb_h2, "zb-2p"},
    {Schedule::zb_h2, "zb-h2"},
    {Schedule::zb_v, "zb-v"},
    {Schedule::dualpipe, "dualpipe"},
}}};
constexpr Names<Sharding, 4> sharding_names{{{
    {Sharding::none, "none"},
    {Sharding::zero1, "zero1"},
    {Sharding::zero2, "zero2"},
    {Sharding::zero3, "zero3"},
}}};
constexpr Names<Recompute, 4> recompute_names{{{
    {Recompute::none, "none"},
    {Recompute::selective, "selective"},
    {Recompute::modules, "modules"},
    {Recompute::full, "full"},
}}};
constexpr Names<AttentionKind, 2> attention_names{{{
    {AttentionKind::flash, "flash"},
    {AttentionKind::unfused, "unfused"},
}}};
constexpr Names<Training, 3> training_names{{{
    {Training::pretrain, "pretrain"},
    {Training::finetune, "finetune"},
    {Training::lora, "lora"},
}}};
constexpr Names<GroupOrder, 2> order_names{{{
    {GroupOrder::data_inside, "tp-cp-dp-pp"},
    {GroupOrder::pipeline_inside, "tp-cp-pp-dp"},
}}};
// The names of Megatron-Core's --recompute-modules.
constexpr Names<RecomputeModule, 8> module_names{{{
    {RecomputeModule::core_attention, "core_attn"},
    {RecomputeModule::core_attention, "core_attention"},
    {RecomputeModule::mlp, "mlp"},
    {RecomputeModule::moe, "moe"},
    {RecomputeModule::moe_act, "moe_act"},
    {RecomputeModule::layernorm, "layernorm"},
    {RecomputeModule::mla_up_proj, "mla_up_proj"},
    {RecomputeModule::shared_experts, "shared_experts"},
}}};

}  // namespace

std::string_view name_of(Schedule v) { return schedule_names.name(v); }
std::string_view name_of(Sharding v) { return sharding_names.name(v); }
std::string_view name_of(Recompute v) { return recompute_names.name(v); }
std::string_view name_of(AttentionKind v) { return attention_names.name(v); }
std::string_view name_of(Training v) { return training_names.name(v); }
std::string_view name_of(RecomputeModule v) { return module_names.name(v); }
std::string_view name_of(GroupOrder v) { return order_names.name(v); }
std::optional<GroupOrder> group_order_of(std::string_view name) { return order_names.value(name); }
std::optional<Schedule> schedule_of(std::string_view name) { return schedule_names.value(name); }
std::optional<Sharding> sharding_of(std::string_view name) { return sharding_names.value(name); }
std::optional<Recompute> recompute_of(std::string_view name) { return recompute_names.value(name); }
std::optional<AttentionKind> attention_of(std::string_view name) { return attention_names.value(name); }
std::optional<Training> training_of(std::string_view name) { return training_names.value(name); }
std::optional<RecomputeModule> recompute_module_of(std::string_view name) { return module_names.value(name); }

std::string describe(const Strategy& s) {
  std::string text =
      fmt::format("tp{} pp{} vp{} cp{} ep{} dp{} mb{} {}", s.tensor_parallel, s.pipeline_parallel, s.virtual_stages, s.context_parallel,
                  s.expert_parallel, s.data_parallel, s.micro_batch_size, s.sharding == Sharding::none ? "zero0" : name_of(s.sharding));
  if (s.schedule != Schedule::none) text += fmt::format(" {}", name_of(s.schedule));
  if (s.sequence_parallel) text += " sp";
  if (s.recompute != Recompute::none) text += fmt::format(" {}", name_of(s.recompute));
  if (s.recompute_layers > 0) text += fmt::format("-{}", s.recompute_layers);
  for (const RecomputeModule m : s.recompute_modules) text += fmt::format("+{}", name_of(m));
  if (s.expert_tensor_parallel > 0 && s.expert_tensor_parallel != s.tensor_parallel && s.expert_parallel > 1)
    text += fmt::format(" etp{}", s.expert_tensor_parallel);
  if (s.shard_group_size > 0) text += fmt::format(" shards{}", s.shard_group_size);
  if (s.first_stage_layers > 0) text += fmt::format(" ends{}-{}", s.first_stage_layers, s.last_stage_layers);
  if (s.order != GroupOrder::data_inside) text += fmt::format(" {}", name_of(s.order));
  if (s.offload_activations) text += " offload-act";
  if (s.offload_optimizer) text += " offload-opt";
  return text;
}

}  // namespace reckon
