// SPDX-License-Identifier: Apache-2.0
#include "app/strategy_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "report/numbers.hpp"

namespace reckon {
namespace {

std::vector<RecomputeModule> modules_of(const ParsedOptions& options) {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(RecomputeModule::shared_experts); ++i) names.emplace_back(name_of(static_cast<RecomputeModule>(i)));
  std::vector<RecomputeModule> out;
  for (const std::string& name : options.list("recompute-modules", names)) out.push_back(*recompute_module_of(name));
  return out;
}

/// The value of an enumeration's option.
template <class Enum>
Enum named(const ParsedOptions& options, const std::string& option, Enum last, std::optional<Enum> (*value_of)(std::string_view)) {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(last); ++i) names.emplace_back(name_of(static_cast<Enum>(i)));
  return *value_of(options.choice(option, names));
}

/// First and last stage of their own: both, and the layers between divide.
void check_ends(const Strategy& s, const Transformer* model, Problems& found) {
  if (s.first_stage_layers == 0 && s.last_stage_layers == 0) return;
  const std::int64_t between = s.pipeline_parallel - 2;
  const std::int64_t layers = model == nullptr ? 0 : model->num_layers + model->num_encoder_layers - s.first_stage_layers - s.last_stage_layers;
  if (s.first_stage_layers == 0 || s.last_stage_layers == 0 || between < 1 || layers < between || layers % between != 0)
    found.push_back({"first_stage_layers", fmt::format("a first stage of {} and a last of {} layers leave none that divide over the {} stages between",
                                                       s.first_stage_layers, s.last_stage_layers, std::max<std::int64_t>(0, between))});
}

}  // namespace

std::int64_t read_degree(const ParsedOptions& options, const char* option) { return options.count(option, 1, std::int64_t{1} << 20); }

Strategy read_degrees(const ParsedOptions& options) {
  Strategy s;
  s.tensor_parallel = read_degree(options, "tp");
  s.pipeline_parallel = read_degree(options, "pp");
  s.context_parallel = read_degree(options, "cp");
  s.expert_parallel = read_degree(options, "ep");
  s.virtual_stages = read_degree(options, "vpp");
  s.micro_batch_size = read_degree(options, "mb");
  s.sequence_parallel = !options.flag("no-sp") && s.tensor_parallel > 1;
  return s;
}

Schedule usual_schedule(const Strategy& s) {
  return s.pipeline_parallel == 1 ? Schedule::none : s.virtual_stages > 1 ? Schedule::interleaved : Schedule::one_f_one_b;
}

OptionGroup strategy_options() {
  return {
      "The strategy",
      {{.name = "tp", .argument = "N", .fallback = "1", .help = "tensor parallel"},
       {.name = "pp", .argument = "N", .fallback = "1", .help = "pipeline stages"},
       {.name = "cp", .argument = "N", .fallback = "1", .help = "context parallel"},
       {.name = "ep", .argument = "N", .fallback = "1", .help = "expert parallel"},
       {.name = "etp", .argument = "N", .help = "tensor parallel of the experts [default: as --tp]"},
       {.name = "dp", .argument = "N", .fallback = "1", .help = "data parallel"},
       {.name = "devices", .argument = "N", .help = "in place of --dp: all devices", .letter = 'n'},
       {.name = "mb", .argument = "N", .fallback = "1", .help = "micro-batch: sequences or samples"},
       {.name = "gb",
        .argument = "SIZE",
        .help = "global batch: sequences or samples, or '16M tokens' [default: 16M tokens from 20B parameters up, 4M below]"},
       {.name = "vpp", .argument = "N", .fallback = "1", .help = "virtual stages of a pipeline rank"},
       {.name = "schedule",
        .argument = "NAME",
        .help = "none, gpipe, 1f1b, interleaved-1f1b, zb-1p, zb-2p, zb-v, dualpipe [default: by --pp and --vpp]"},
       {.name = "sharding", .argument = "NAME", .fallback = "zero1", .help = "none, zero1, zero2, zero3 (= FSDP)"},
       {.name = "shard-group", .argument = "N", .help = "ranks that share one sharded copy [default: all]"},
       {.name = "recompute", .argument = "NAME", .help = "none, selective, modules, full [default: none]"},
       {.name = "recompute-layers", .argument = "N", .help = "with full: only so many layers of a stage"},
       {.name = "recompute-modules", .argument = "LIST", .help = "core_attn, mlp, moe, moe_act, layernorm, mla_up_proj, shared_experts"},
       {.name = "first-layers", .argument = "N", .help = "layers of the first stage, with --last-layers; those between divide evenly"},
       {.name = "last-layers", .argument = "N", .help = "layers of the last stage"},
       {.name = "order", .argument = "NAME", .help = "neighbours on the machine: tp-cp-dp-pp or tp-cp-pp-dp [default: the first]"},
       {.name = "offload", .argument = "LIST", .help = "to the host: activations, optimizer [default: nothing]"},
       {.name = "no-sp", .help = "no sequence parallelism beside tensor parallelism"}}};
}

Strategy read_strategy(const ParsedOptions& options, const Question& question) {
  Strategy s = read_degrees(options);
  const auto degree = [&options](const char* option) { return read_degree(options, option); };
  if (options.given("etp")) s.expert_tensor_parallel = degree("etp");
  const std::int64_t others = s.tensor_parallel * s.pipeline_parallel * s.context_parallel;
  if (options.given("dp") && options.given("devices"))
    throw UsageError("both --dp and --devices are given", "give one of them; the other follows");
  if (options.given("devices")) {
    const std::int64_t devices = degree("devices");
    if (devices % others != 0) options.fail("devices", fmt::format("not a multiple of tp x pp x cp = {}", others), "choose other degrees");
    s.data_parallel = devices / others;
  } else {
    s.data_parallel = degree("dp");
  }
  s.global_batch_size = question.global_batch_size;
  s.precision = question.precision;
  s.attention = question.attention;
  s.schedule = options.given("schedule") ? named(options, "schedule", Schedule::dualpipe, schedule_of) : usual_schedule(s);
  s.sharding = named(options, "sharding", Sharding::zero3, sharding_of);
  if (options.given("shard-group")) s.shard_group_size = degree("shard-group");
  if (options.given("recompute-modules")) s.recompute_modules = modules_of(options);
  s.recompute = options.given("recompute")    ? named(options, "recompute", Recompute::full, recompute_of)
                : s.recompute_modules.empty() ? Recompute::none
                                              : Recompute::modules;
  if (options.given("recompute-layers")) s.recompute_layers = degree("recompute-layers");
  if (options.given("first-layers")) s.first_stage_layers = degree("first-layers");
  if (options.given("last-layers")) s.last_stage_layers = degree("last-layers");
  if (options.given("order")) s.order = named(options, "order", GroupOrder::pipeline_inside, group_order_of);
  if (options.given("offload"))
    for (const std::string& what : options.list("offload", {"activations", "optimizer"}))
      (what == "optimizer" ? s.offload_optimizer : s.offload_activations) = true;
  return s;
}

void check_strategy(const Strategy& s, const Scene& scene) {
  Problems found = problems(s, s.num_devices());
  check_ends(s, scene.architecture.transformer(), found);
  if (found.empty())
    if (const Transformer* t = scene.architecture.transformer()) found = problems(s, *t);
  if (found.empty() && scene.cluster.max_devices > 0 && s.num_devices() > scene.cluster.max_devices)
    found.push_back({"devices", fmt::format("{} has {} devices, the strategy takes {}", scene.cluster.id,
                                            grouped(scene.cluster.max_devices), grouped(s.num_devices()))});
  if (found.empty()) return;
  std::vector<std::string> all;
  for (const Problem& p : found) all.push_back(p.message);
  throw UsageError("the strategy is not sound: " + join(all, "; "),
                   "see 'reckon predict --help' for the degrees, and 'reckon plan' to search them");
}

}  // namespace reckon
