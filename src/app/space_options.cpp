// SPDX-License-Identifier: Apache-2.0
#include "app/space_options.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace reckon {
namespace {

constexpr std::int64_t largest_degree = 1 << 20;

/// The values of a list of names; `all` are those that may be written.
template <class Enum>
std::vector<Enum> values(const ParsedOptions& options, const std::string& option, const std::vector<Enum>& all,
                         std::optional<Enum> (*value_of)(std::string_view)) {
  std::vector<std::string> names;
  for (const Enum e : all) names.emplace_back(name_of(e));
  std::vector<Enum> out;
  for (const std::string& name : options.list(option, names)) out.push_back(*value_of(name));
  return out;
}

/// Each thing that is named may go to the host; `none` says that it need not.
void read_offload(const ParsedOptions& options, SearchSpace& out) {
  const std::vector<std::string> names = options.list("offload", {"none", "activations", "optimizer"});
  const auto has = [&names](const char* name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  const auto choices = [&](const char* name) { return !has(name) ? std::vector<bool>{false} : has("none") || names.size() > 1 ? std::vector<bool>{false, true} : std::vector<bool>{true}; };
  out.offload_activations = choices("activations");
  out.offload_optimizer = choices("optimizer");
}

}  // namespace

OptionGroup space_options() {
  return {"Strategies to search (lists such as 4,8; all that make sense when left out)",
          {{.name = "space",
            .argument = "usual|whole",
            .fallback = "usual",
            .help = "usual: what common stacks do; whole: every dimension that can be priced, proved all the same (zero2 with one micro-batch alone)"},
           {.name = "tp", .argument = "LIST", .help = "tensor-parallel degrees"},
           {.name = "pp", .argument = "LIST", .help = "pipeline stages"},
           {.name = "cp", .argument = "LIST", .help = "context-parallel degrees"},
           {.name = "ep", .argument = "LIST", .help = "expert-parallel degrees"},
           {.name = "etp", .argument = "LIST", .help = "tensor-parallel degrees of experts [default: 1; whole: and that of the rest]"},
           {.name = "vpp", .argument = "LIST", .help = "virtual stages of a pipeline rank; 1 = no interleaving"},
           {.name = "mb", .argument = "LIST", .help = "micro-batch sizes"},
           {.name = "recompute", .argument = "LIST", .help = "none, selective, modules, full [default: all but modules]"},
           {.name = "sharding", .argument = "LIST", .help = "none, zero1, zero2, zero3 [default: zero1,zero3]"},
           {.name = "schedule",
            .argument = "LIST",
            .help = "gpipe, 1f1b, interleaved-1f1b, zb-1p, zb-2p, zb-v, dualpipe [default: 1f1b,interleaved-1f1b]"},
           {.name = "order", .argument = "LIST", .help = "neighbours on the machine: tp-cp-dp-pp, tp-cp-pp-dp [default: the first]"},
           {.name = "precisions", .argument = "LIST", .help = "formats of the matrix products, e.g. bf16,fp8 [default: that of --precision]"},
           {.name = "offload", .argument = "LIST", .help = "none, activations, optimizer: what may go to the host [default: none]"}}};
}

SearchSpace read_space(const ParsedOptions& options) {
  const bool whole = options.choice("space", {"usual", "whole"}) == "whole";
  SearchSpace out = whole ? whole_space() : SearchSpace();
  const auto counts = [&](const char* option, std::vector<std::int64_t>& list) {
    if (options.given(option)) list = options.counts(option, 1, largest_degree);
  };
  counts("tp", out.tensor);
  counts("pp", out.pipeline);
  counts("cp", out.context);
  counts("ep", out.expert);
  counts("etp", out.expert_tensor);
  counts("vpp", out.virtual_stages);
  counts("mb", out.micro_batch);
  if (options.given("recompute"))
    out.recompute = values<Recompute>(options, "recompute", {Recompute::none, Recompute::selective, Recompute::modules, Recompute::full}, recompute_of);
  if (options.given("sharding"))
    out.sharding = values<Sharding>(options, "sharding", {Sharding::none, Sharding::zero1, Sharding::zero2, Sharding::zero3}, sharding_of);
  if (options.given("schedule"))
    out.schedules = values<Schedule>(options, "schedule",
                                     {Schedule::gpipe, Schedule::one_f_one_b, Schedule::interleaved, Schedule::zb_h1, Schedule::zb_h2,
                                      Schedule::zb_v, Schedule::dualpipe},
                                     schedule_of);
  else if (!out.virtual_stages.empty() && !whole) {  // the degrees that were asked for, and no others
    const auto& v = out.virtual_stages;
    if (v.back() == 1)
      out.schedules = {Schedule::one_f_one_b};
    else if (v.front() > 1)
      out.schedules = {Schedule::interleaved};
  }
  if (options.given("order")) out.orders = values<GroupOrder>(options, "order", {GroupOrder::data_inside, GroupOrder::pipeline_inside}, group_order_of);
  if (options.given("precisions"))
    out.precision = values<Precision>(options, "precisions", {all_precisions.begin(), all_precisions.end()}, precision_of);
  if (options.given("offload")) read_offload(options, out);
  return out;
}

std::string restrictions(const ParsedOptions& options) {
  std::vector<std::string> out;
  for (const OptionSpec& option : space_options().options)
    if (options.given(option.name)) out.push_back("--" + option.name + " " + options.text(option.name));
  return join(out, " ");
}

}  // namespace reckon
