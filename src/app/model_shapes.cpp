// SPDX-License-Identifier: Apache-2.0
#include "app/model_shapes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/question_options.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "io/architecture_files.hpp"
#include "io/data_path.hpp"
#include "io/stack_files.hpp"
#include "report/numbers.hpp"

namespace reckon {
namespace {

constexpr std::int64_t longest_sequence = 1 << 24, most_ranks = 1 << 20;

Strategy strategy_of(std::int64_t micro_batch, std::int64_t tensor, std::int64_t context, Precision precision) {
  Strategy s;
  s.tensor_parallel = tensor, s.context_parallel = context;
  s.micro_batch_size = s.global_batch_size = micro_batch;
  s.sequence_parallel = tensor > 1;
  s.precision = precision;
  return s;
}

/// Nothing where the model can be split so.
Problems problems_of(const Strategy& s, const Architecture& architecture) {
  Problems found = problems(s, s.num_devices());
  if (found.empty())
    if (const Transformer* t = architecture.transformer()) found = problems(s, *t);
  return found;
}

/// Tokens of a sequence; images and latents have none and keep their own.
std::vector<std::int64_t> lengths_of(const Architecture& architecture, const ParsedOptions& options) {
  const Transformer* const t = architecture.transformer();
  if (t == nullptr || t->vocab_size == 0) return {t != nullptr ? t->seq_len : 0};
  if (options.given("seq-len")) return options.counts("seq-len", 1, longest_sequence);
  return {usual_sequence_length(*t)};
}

void check_size(const ParsedOptions& options, const KernelShapes& shapes, Flops most, Bytes room) {
  const auto check = [&](Flops work, double values, const std::string& what) {
    const std::string cure = "give fewer tokens with --seq-len and --mb, or more ranks to split it with --tp";
    if (work > most) options.fail("model", fmt::format("{} is {} FLOP, too long to measure here", what, significant(work.base(), 3)), cure);
    if (Bytes{4 * values} > room) options.fail("model", fmt::format("{} takes {} GB, too large to measure here", what, significant(4e-9 * values, 3)), cure);
  };
  for (const auto& [role, s] : shapes.products)
    check(flops_of(s), std::max({s.m * s.n, s.m * s.k, s.n * s.k}), fmt::format("a product of {} x {} over {}", s.m, s.n, s.k));
  constexpr double places = 9;  // of results in turn (measure/attention_run.cpp)
  for (const AttentionShape& a : shapes.attention)
    check(attention_flops(a, Pass::backward), places * a.batch * a.heads * a.head_dim * (a.seq_q + 2 * a.seq_kv),
          fmt::format("attention of {} heads over {} tokens", a.batch * a.heads, a.seq_kv));
}

}  // namespace

OptionGroup model_shape_options() {
  return {"Shapes of your own models, measured beside the grid",
          {{.name = "model", .argument = "LIST", .help = "names of the catalogue or config.json files"},
           {.name = "seq-len", .argument = "LIST", .help = "tokens in a sequence [default: the model's own]"},
           {.name = "mb", .argument = "LIST", .fallback = "1", .help = "micro-batches in sequences"},
           {.name = "tp", .argument = "LIST", .fallback = "1", .help = "tensor-parallel degrees; those that do not divide the model are left out"},
           {.name = "cp", .argument = "LIST", .fallback = "1", .help = "context-parallel degrees, likewise"}}};
}

KernelShapes read_model_shapes(const ParsedOptions& options, Precision precision, Flops most, Bytes room) {
  KernelShapes out;
  if (!options.given("model")) {
    for (const char* name : {"seq-len", "mb", "tp", "cp"})
      if (options.given(name)) options.fail(name, "goes with --model", "name the model whose shapes are measured");
    return out;
  }
  const StackFacts facts = read_stacks(data_folder() / "calibrations" / "stacks.json").entries.at("reckon-train").facts;
  for (const std::string& name : options.list("model")) {
    const Architecture architecture = read_architecture(name, data_folder());
    Problems refused;
    bool any = false;
    for (const std::int64_t length : lengths_of(architecture, options))
      for (const std::int64_t micro_batch : options.counts("mb", 1, most_ranks))
        for (const std::int64_t tensor : options.counts("tp", 1, most_ranks))
          for (const std::int64_t context : options.counts("cp", 1, most_ranks)) {
            const Strategy strategy = strategy_of(micro_batch, tensor, context, precision);
            Task task;
            task.seq_len = length;
            if (const Problems found = problems_of(strategy, architecture); !found.empty()) {
              refused = found;
              continue;
            }
            any = true;
            add_new(out, kernel_shapes(architecture, strategy, task, facts));
          }
    if (!any) options.fail("model", fmt::format("{} cannot be split so: {}", name, refused.front().message), "give a smaller --tp or --cp");
  }
  check_size(options, out, most, room);
  return out;
}

}  // namespace reckon
