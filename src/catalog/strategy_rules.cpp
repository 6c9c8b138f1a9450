// Which strategies are sound, in exact integers.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <initializer_list>
#include <string_view>

#include "base/error.hpp"
#include "catalog/strategy.hpp"

namespace reckon {
namespace {

/// The product, or nothing when it leaves 64 bits.
std::optional<std::int64_t> product(std::initializer_list<std::int64_t> factors) {
  std::int64_t result = 1;
  for (const std::int64_t factor : factors)
    if (__builtin_mul_overflow(result, factor, &result)) return std::nullopt;
  return result;
}

/// Collects broken rules.
class Rules {
 public:
  void require(bool holds, std::string_view field, std::string message) {
    if (!holds) problems_.push_back({std::string(field), std::move(message)});
  }
  void at_least_one(std::int64_t value, std::string_view field) {
    require(value >= 1, field, fmt::format("{} is {}, expected 1 or more", field, value));
  }
  void not_negative(std::int64_t value, std::string_view field) {
    require(value >= 0, field, fmt::format("{} is {}, expected 0 or more", field, value));
  }
  bool sound() const { return problems_.empty(); }
  Problems take() { return std::move(problems_); }

 private:
  Problems problems_;
};

void check_signs(const Strategy& s, Rules& rules) {
  rules.at_least_one(s.tensor_parallel, "tensor_parallel");
  rules.at_least_one(s.pipeline_parallel, "pipeline_parallel");
  rules.at_least_one(s.context_parallel, "context_parallel");
  rules.at_least_one(s.expert_parallel, "expert_parallel");
  rules.at_least_one(s.data_parallel, "data_parallel");
  rules.at_least_one(s.virtual_stages, "virtual_stages");
  rules.at_least_one(s.micro_batch_size, "micro_batch_size");
  rules.at_least_one(s.global_batch_size, "global_batch_size");
  rules.not_negative(s.expert_tensor_parallel, "expert_tensor_parallel");
  rules.not_negative(s.shard_group_size, "shard_group_size");
  rules.not_negative(s.recompute_layers, "recompute_layers");
  rules.not_negative(s.first_stage_layers, "first_stage_layers");
  rules.not_negative(s.last_stage_layers, "last_stage_layers");
}

void check_products(const Strategy& s, std::int64_t num_devices, Rules& rules) {
  const auto devices = product({s.tensor_parallel, s.pipeline_parallel, s.context_parallel, s.data_parallel});
  rules.require(
      devices == num_devices, "tensor_parallel",
      fmt::format("tensor {} x pipeline {} x context {} x data {} = {}, but there are {} devices", s.tensor_parallel, s.pipeline_parallel,
                  s.context_parallel, s.data_parallel, devices ? fmt::to_string(*devices) : "more than 2^63", num_devices));

  const auto samples = product({s.data_parallel, s.micro_batch_size});
  rules.require(samples && s.global_batch_size % *samples == 0, "global_batch_size",
                fmt::format("global_batch_size {} is not a multiple of data_parallel {} x micro_batch_size {}", s.global_batch_size,
                            s.data_parallel, s.micro_batch_size));

  const auto ranks = product({s.tensor_parallel, s.context_parallel, s.data_parallel});
  const std::int64_t expert_tensor = s.expert_tensor_parallel > 0 ? s.expert_tensor_parallel : 1;
  const auto experts = product({s.expert_parallel, expert_tensor});
  rules.require(ranks && experts && *ranks % *experts == 0, "expert_parallel",
                fmt::format("expert_parallel {}{} does not divide tensor {} x context {} x data {}", s.expert_parallel,
                            expert_tensor > 1 ? fmt::format(" x expert_tensor_parallel {}", expert_tensor) : "", s.tensor_parallel,
                            s.context_parallel, s.data_parallel));

  if (s.shard_group_size > 0) {
    const auto shards = product({s.data_parallel, s.context_parallel});
    rules.require(shards && *shards % s.shard_group_size == 0, "shard_group_size",
                  fmt::format("shard_group_size {} does not divide data_parallel {} x context_parallel {}", s.shard_group_size,
                              s.data_parallel, s.context_parallel));
  }
}

void check_pipeline(const Strategy& s, Rules& rules) {
  const std::string_view schedule = name_of(s.schedule);
  rules.require(s.pipeline_parallel == 1 || s.schedule != Schedule::none, "schedule",
                fmt::format("schedule is none with pipeline_parallel {}", s.pipeline_parallel));
  rules.require(s.schedule != Schedule::interleaved || (s.pipeline_parallel > 1 && s.virtual_stages > 1), "schedule",
                fmt::format("schedule {} needs pipeline_parallel > 1 and virtual_stages > 1, they are {} and {}", schedule,
                            s.pipeline_parallel, s.virtual_stages));
  const bool two_chunks = (s.schedule == Schedule::zb_v || s.schedule == Schedule::dualpipe) && s.virtual_stages == 2;
  rules.require(s.virtual_stages == 1 || s.schedule == Schedule::interleaved || two_chunks, "virtual_stages",
                fmt::format("virtual_stages is {} with schedule {}; only interleaved-1f1b splits a stage so", s.virtual_stages, schedule));
  const bool uneven = s.first_stage_layers > 0 || s.last_stage_layers > 0;
  rules.require(!uneven || (s.first_stage_layers > 0 && s.last_stage_layers > 0 && s.pipeline_parallel > 1), "first_stage_layers",
                fmt::format("first_stage_layers {} and last_stage_layers {} go together and need pipeline_parallel > 1", s.first_stage_layers,
                            s.last_stage_layers));
  rules.require(!uneven || s.virtual_stages == 1, "first_stage_layers", "uneven ends go with virtual_stages 1");
}

void check_recompute(const Strategy& s, Rules& rules) {
  rules.require((s.recompute == Recompute::modules) == !s.recompute_modules.empty(), "recompute_modules",
                s.recompute_modules.empty() ? "recompute is modules, but recompute_modules names none"
                                            : fmt::format("recompute_modules is given, but recompute is {}", name_of(s.recompute)));
  rules.require(s.recompute_layers == 0 || s.recompute == Recompute::full, "recompute_layers",
                fmt::format("recompute_layers is {}, but recompute is {}, not full", s.recompute_layers, name_of(s.recompute)));
}

void throw_first(const Problems& found) {
  if (!found.empty()) throw UsageError(found.front().message);
}

}  // namespace

Problems problems(const Strategy& strategy, std::int64_t num_devices) {
  Rules rules;
  rules.at_least_one(num_devices, "num_devices");
  check_signs(strategy, rules);
  if (!rules.sound()) return rules.take();  // the rules below divide

  check_products(strategy, num_devices, rules);
  check_pipeline(strategy, rules);
  check_recompute(strategy, rules);
  return rules.take();
}

Problems problems(const Strategy& s, const Transformer& t) {
  Rules rules;
  const auto divides = [&rules](std::int64_t part, std::string_view part_name, std::int64_t whole, std::string_view whole_name) {
    rules.require(whole % part == 0, part_name, fmt::format("{} {} does not divide {} {}", part_name, part, whole_name, whole));
  };
  divides(s.tensor_parallel, "tensor_parallel", t.num_heads, "num_heads");
  const std::int64_t groups = t.num_kv_heads;
  rules.require(groups > 0 && (groups % s.tensor_parallel == 0 || s.tensor_parallel % groups == 0), "tensor_parallel",
                fmt::format("tensor_parallel {} neither divides nor is a multiple of num_kv_heads {}", s.tensor_parallel, groups));
  divides(s.tensor_parallel, "tensor_parallel", t.ffn_hidden_size, "ffn_hidden_size");
  divides(s.context_parallel, "context_parallel", t.seq_len, "seq_len");
  if (s.sequence_parallel && t.seq_len % s.context_parallel == 0)
    rules.require((t.seq_len / s.context_parallel) % s.tensor_parallel == 0, "sequence_parallel",
                  fmt::format("sequence_parallel with tensor_parallel {} does not divide the {} tokens of a context rank",
                              s.tensor_parallel, t.seq_len / s.context_parallel));
  if (t.experts)
    divides(s.expert_parallel, "expert_parallel", t.experts->num_experts, "num_experts");
  else
    rules.require(s.expert_parallel == 1, "expert_parallel",
                  fmt::format("expert_parallel is {}, but the architecture has no experts", s.expert_parallel));

  const std::int64_t layers = t.num_layers + t.num_encoder_layers + 2;
  const auto stages = product({s.pipeline_parallel, s.virtual_stages});
  rules.require(stages && *stages <= layers, "pipeline_parallel",
                fmt::format("pipeline_parallel {} x virtual_stages {} leaves stages empty: {} layers, the embedding and the head",
                            s.pipeline_parallel, s.virtual_stages, layers - 2));
  if (s.first_stage_layers > 0) {
    const std::int64_t inner = t.num_layers + t.num_encoder_layers - s.first_stage_layers - s.last_stage_layers, between = s.pipeline_parallel - 2;
    rules.require(between == 0 ? inner == 0 : inner >= between && inner % between == 0, "first_stage_layers",
                  fmt::format("{} layers less {} on the first and {} on the last stage do not divide over {} stages between", layers - 2,
                              s.first_stage_layers, s.last_stage_layers, between));
  }
  return rules.take();
}

void validate(const Strategy& strategy, std::int64_t num_devices) { throw_first(problems(strategy, num_devices)); }

void validate(const Strategy& strategy, std::int64_t num_devices, const Transformer& transformer) {
  validate(strategy, num_devices);
  throw_first(problems(strategy, transformer));
}

}  // namespace reckon
