// SPDX-License-Identifier: Apache-2.0
#include "app/train_options.hpp"

#include <fmt/format.h>

#include "app/strategy_options.hpp"
#include "io/architecture_files.hpp"
#include "io/data_path.hpp"

namespace reckon {
namespace {

constexpr std::int64_t longest_sequence = 1 << 24;
const std::vector<std::string> optimizer_names{"adamw", "sgd", "lamb"};

template <class Enum>
Enum named(const ParsedOptions& options, const std::string& option, const std::vector<std::string>& names,
           std::optional<Enum> (*value_of)(std::string_view)) {
  return *value_of(options.choice(option, names));
}

Strategy read_strategy(const ParsedOptions& options, int ranks) {
  Strategy s = read_degrees(options);
  const std::int64_t others = s.tensor_parallel * s.pipeline_parallel * s.context_parallel;
  s.data_parallel = options.given("dp") ? read_degree(options, "dp") : std::max<std::int64_t>(1, ranks / others);
  s.global_batch_size =
      options.given("gb") ? read_degree(options, "gb") : s.data_parallel * s.micro_batch_size * s.pipeline_parallel;
  s.precision = named(options, "precision", {"fp32", "bf16"}, precision_of);
  s.attention = named(options, "attention", {"flash", "unfused"}, attention_of);
  s.sharding = named(options, "sharding", {"none", "zero1", "zero2", "zero3"}, sharding_of);
  s.recompute = named(options, "recompute", {"none", "selective", "full"}, recompute_of);
  s.schedule = options.given("schedule") ? named(options, "schedule", {"none", "gpipe", "1f1b", "interleaved-1f1b"}, schedule_of) : usual_schedule(s);
  return s;
}

train::OptimizerSettings read_optimizer(const ParsedOptions& options, std::int64_t steps) {
  train::OptimizerSettings o;
  const std::string kind = options.choice("optimizer", optimizer_names);
  o.kind = kind == "adamw" ? train::OptimizerKind::adamw : kind == "sgd" ? train::OptimizerKind::sgd : train::OptimizerKind::lamb;
  o.learning_rate = options.number("learning-rate", 0, 1e3);
  o.least_learning_rate = options.given("least-learning-rate") ? options.number("least-learning-rate", 0, 1e3) : o.learning_rate / 10;
  o.warmup_steps = options.given("warmup") ? options.count("warmup", 0, std::int64_t{1} << 40) : std::min<std::int64_t>(10, steps / 2);
  o.beta1 = options.number("beta1", 0, 0.999999);
  o.beta2 = options.number("beta2", 0, 0.999999);
  o.weight_decay = options.number("weight-decay", 0, 100);
  o.clip = options.number("clip", 0, 1e9);
  return o;
}

}  // namespace

std::string_view name_of(train::OptimizerKind kind) { return optimizer_names[std::size_t(kind)]; }

std::vector<OptionGroup> train_option_groups() {
  return {{"What is trained",
           {{.name = "model", .argument = "NAME", .fallback = "gpt2", .help = "a decoder of the catalogue, or a config.json"},
            {.name = "as", .argument = "FAMILY", .help = "read a config.json as that family"},
            {.name = "byte-vocabulary", .help = "256 rows in the tables: all that a text of bytes needs"},
            {.name = "text", .argument = "FILE", .help = "any file; its bytes are the tokens"},
            {.name = "held-back", .argument = "SHARE", .fallback = "0.1", .help = "the end of the text that is kept for validation"},
            {.name = "seq-len", .argument = "N", .fallback = "64", .help = "tokens in a sequence"},
            {.name = "steps", .argument = "N", .fallback = "20", .help = "steps, from the first of the run"},
            {.name = "gb", .argument = "N", .help = "global batch in sequences [default: one micro-batch a rank and stage]"},
            {.name = "mb", .argument = "N", .fallback = "4", .help = "micro-batch in sequences; the rest is accumulated"},
            {.name = "precision", .argument = "NAME", .fallback = "fp32", .help = "fp32, or bf16 with fp32 master weights"},
            {.name = "attention", .argument = "NAME", .fallback = "flash", .help = "flash, unfused"},
            {.name = "backend", .argument = "NAME", .fallback = "cpu", .help = "cpu, or cuda: a GPU for each rank"},
            {.name = "seed", .argument = "N", .fallback = "1", .help = "of weights and order of the text"}}},
          {"Optimiser",
           {{.name = "optimizer", .argument = "NAME", .fallback = "adamw", .help = "adamw, sgd, lamb"},
            {.name = "learning-rate", .argument = "X", .fallback = "0.0006", .help = "after the warm-up"},
            {.name = "least-learning-rate", .argument = "X", .help = "at the last step, along a cosine [default: a tenth]"},
            {.name = "warmup", .argument = "N", .help = "steps of linear warm-up [default: 10, or half the run]"},
            {.name = "beta1", .argument = "X", .fallback = "0.9", .help = "first moment; momentum of sgd"},
            {.name = "beta2", .argument = "X", .fallback = "0.95", .help = "second moment"},
            {.name = "weight-decay", .argument = "X", .fallback = "0.1", .help = "of matrices"},
            {.name = "clip", .argument = "X", .fallback = "1", .help = "largest norm of the gradient; 0 = no clipping"}}},
          {"The strategy",
           {{.name = "tp", .argument = "N", .fallback = "1", .help = "tensor parallel"},
            {.name = "pp", .argument = "N", .fallback = "1", .help = "pipeline stages"},
            {.name = "cp", .argument = "N", .fallback = "1", .help = "context parallel (ring attention)"},
            {.name = "ep", .argument = "N", .fallback = "1", .help = "expert parallel"},
            {.name = "dp", .argument = "N", .help = "data parallel [default: all other ranks]"},
            {.name = "vpp", .argument = "N", .fallback = "1", .help = "virtual stages of a pipeline rank"},
            {.name = "schedule", .argument = "NAME", .help = "none, gpipe, 1f1b, interleaved-1f1b [default: by --pp and --vpp]"},
            {.name = "sharding", .argument = "NAME", .fallback = "none", .help = "none, zero1, zero2, zero3 (= FSDP)"},
            {.name = "recompute", .argument = "NAME", .fallback = "none", .help = "none, selective, full"},
            {.name = "no-sp", .help = "no sequence parallelism beside tensor parallelism"},
            {.name = "threads", .argument = "N", .help = "threads of a rank [default: the node's processors over its ranks]"}}}};
}

train::TrainingJob read_training_job(const ParsedOptions& options, int ranks) {
  train::TrainingJob job;
  job.steps = options.count("steps", 1, std::int64_t{1} << 40);
  job.seq_len = options.count("seq-len", 1, longest_sequence);
  job.backend = options.choice("backend", {"cpu", "cuda"}) == "cuda" ? Backend::cuda : Backend::cpu;
  job.seed = std::uint64_t(options.count("seed", 0, std::int64_t{1} << 40));
  job.strategy = read_strategy(options, ranks);
  job.optimizer = read_optimizer(options, job.steps);
  job.architecture = read_architecture(options.text("model"), data_folder(), options.find("as").value_or(""));
  if (options.flag("byte-vocabulary")) {
    if (auto* body = std::get_if<Transformer>(&job.architecture.body)) body->vocab_size = 256;
  }
  return job;
}

}  // namespace reckon
