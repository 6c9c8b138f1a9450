// What can be trained, and the learning rate.
// SPDX-License-Identifier: Apache-2.0
#include "train/training_job.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace reckon::train {
namespace {

/// The parts of `m` that the trainer lacks.
std::vector<std::string> missing_parts(const Transformer& m) {
  std::vector<std::string> out;
  const auto lacks = [&](bool has, const char* part) {
    if (has) out.emplace_back(part);
  };
  lacks(!m.causal, "attention without a causal mask");
  lacks(m.qk_norm, "norms of queries and keys");
  lacks(m.attention_sinks, "attention sinks");
  lacks(m.parallel_residual, "attention beside the MLP");
  lacks(m.norms_per_layer != 2 || m.num_final_norms != 1 || m.num_embedding_norms != 0,
        "norms in other places than before attention, MLP and head");
  lacks(!m.norm_weight, "norms without weights");
  lacks(m.norm == NormKind::layer_norm && !m.norm_bias, "layer norms without bias");
  lacks(m.output_bias, "a bias of the output head");
  lacks(m.embedding_dim != 0 && m.embedding_dim != m.hidden_size, "embeddings narrower than the hidden size");
  lacks(m.latent_attention.has_value(), "latent attention");
  lacks(m.num_mtp_layers > 0, "multi-token prediction");
  lacks(m.num_encoder_layers > 0 || m.pooler || m.mlm_head || m.patch_size > 0 || m.relative_buckets > 0, "encoders");
  lacks(m.positions == PositionKind::rotary && m.head_dim % 2 != 0, "rotary positions of an odd head_dim");
  if (m.experts) {
    lacks(m.experts->shared_ffn_hidden_size > 0, "shared experts");
    lacks(m.experts->num_groups > 1, "groups of experts");
    lacks(m.experts->router_bias, "a router bias");
    lacks(m.mlp_bias, "experts with biases");
  }
  return out;
}

void need(bool held, const std::string& reason, const std::string& cure) {
  if (!held) throw UsageError(reason, cure);
}

void check_division(const TrainingJob& job) {
  const Strategy& s = job.strategy;
  const Transformer& m = job.model();
  const auto divides = [](std::int64_t parts, std::int64_t of, const char* what, const char* option) {
    need(of % parts == 0, fmt::format("{} of {} are not divided by {} {}", of, what, option, parts),
         fmt::format("choose another {}", option));
  };
  divides(s.tensor_parallel, m.num_heads, "heads", "--tp");
  divides(s.tensor_parallel, m.num_kv_heads, "key heads", "--tp");
  divides(s.tensor_parallel, m.ffn_hidden_size, "values of the MLP", "--tp");
  if (m.experts) divides(s.tensor_parallel, m.experts->expert_ffn_hidden_size, "values of an expert", "--tp");
  divides(s.pipeline_parallel * s.virtual_stages, m.num_layers, "layers", "--pp x --vpp");
  if (s.context_parallel > 1) divides(2 * s.context_parallel, job.seq_len, "tokens of a sequence", "2 x --cp");
  const std::int64_t tokens = s.micro_batch_size * job.seq_len / s.context_parallel;
  if (s.sequence_parallel) divides(s.tensor_parallel, tokens, "tokens of a micro-batch", "--tp");
  need(s.expert_parallel == 1 || m.experts.has_value(), "the model has no experts to divide by --ep",
       "choose --ep 1, or a model with experts");
  if (m.experts) divides(s.expert_parallel, m.experts->num_experts, "experts", "--ep");
  divides(s.expert_parallel, s.data_parallel, "data-parallel ranks", "--ep");
  divides(s.data_parallel * s.micro_batch_size, s.global_batch_size, "sequences of a global batch", "--dp x --mb");
}

}  // namespace

double learning_rate(const OptimizerSettings& settings, std::int64_t step, std::int64_t steps) {
  if (step <= settings.warmup_steps) return settings.learning_rate * double(step) / double(settings.warmup_steps);
  const double left = double(std::max<std::int64_t>(1, steps - settings.warmup_steps));
  const double done = std::min(1.0, double(step - settings.warmup_steps) / left);
  return settings.least_learning_rate +
         (settings.learning_rate - settings.least_learning_rate) * 0.5 * (1 + std::cos(std::numbers::pi * done));
}

void check_job(const TrainingJob& job) {
  const Transformer* m = job.architecture.transformer();
  need(m != nullptr, job.architecture.name + " is no transformer; the trainer trains decoder transformers",
       "choose a GPT- or Llama-style model, such as gpt2");
  const std::vector<std::string> missing = missing_parts(*m);
  need(missing.empty(), fmt::format("{} has parts that the trainer lacks: {}", job.architecture.name, join(missing, ", ")),
       "choose a GPT- or Llama-style model, such as gpt2, llama-2-7b or mixtral-8x7b, or a file of that form");
  need(job.seq_len >= 1, "a sequence without tokens", "give --seq-len");
  need(m->positions != PositionKind::learned || job.seq_len <= m->max_positions,
       fmt::format("sequences of {} tokens are longer than the model's {} positions", job.seq_len, m->max_positions),
       fmt::format("give --seq-len {} or less", m->max_positions));
  need(m->sliding_window == 0 || m->sliding_window >= job.seq_len,
       "the sequence is longer than the model's attention window, which the trainer lacks",
       fmt::format("give --seq-len {} or less", m->sliding_window));
  need(m->vocab_size >= 256, fmt::format("a vocabulary of {} has no place for the 256 bytes", m->vocab_size),
       "the trainer reads text byte by byte; choose a vocabulary of 256 or more");
  need(job.strategy.precision == Precision::fp32 || job.strategy.precision == Precision::bf16,
       fmt::format("the trainer computes in fp32 or bf16, not {}", name_of(job.strategy.precision)), "give --precision fp32 or bf16");
  need(job.strategy.recompute != Recompute::modules, "the trainer recomputes nothing, attention alone or whole layers",
       "give --recompute none, selective or full");
  need(job.strategy.shard_group_size == 0, "the trainer shards over all data-parallel ranks", "leave --shard-group away");
  need(job.strategy.attention == AttentionKind::flash || job.strategy.context_parallel == 1,
       "unfused attention does not go with context parallelism", "give --attention flash");
  check_division(job);
}

}  // namespace reckon::train
