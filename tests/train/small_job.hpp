// Models and jobs small enough to train in milliseconds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "train/text_data.hpp"
#include "train/training_job.hpp"

namespace reckon::train {

enum class Shape { gpt, llama, experts };

inline Architecture small_model(Shape shape, std::int64_t layers = 4) {
  Transformer m;
  m.num_layers = layers;
  m.hidden_size = 32;
  m.num_heads = 4;
  m.head_dim = 8;
  m.num_kv_heads = 4;
  m.ffn_hidden_size = 48;
  m.vocab_size = 259;  // not divided by 2 or 4
  m.max_positions = 32;
  if (shape == Shape::gpt) {
    m.positions = PositionKind::learned;
    m.tied_embeddings = m.qkv_bias = m.attention_output_bias = m.mlp_bias = true;
  } else {
    m.positions = PositionKind::rotary;
    m.norm = NormKind::rms_norm;
    m.norm_bias = false;
    m.gated_mlp = true;
    m.num_kv_heads = shape == Shape::llama ? 4 : 2;
  }
  if (shape == Shape::experts) m.experts = Experts{.num_experts = 4, .experts_per_token = 2, .expert_ffn_hidden_size = 24};
  Architecture out;
  out.name = "small";
  out.body = m;
  return out;
}

inline TrainingJob small_job(Shape shape, std::int64_t layers = 4) {
  TrainingJob job;
  job.architecture = small_model(shape, layers);
  job.strategy.precision = Precision::fp32;
  job.strategy.global_batch_size = 8;
  job.seq_len = 16;
  job.steps = 20;
  job.optimizer.learning_rate = 3e-3;
  job.optimizer.least_learning_rate = 3e-4;
  job.optimizer.warmup_steps = 4;
  return job;
}

/// Text with structure, so that the loss falls.
inline std::string small_text() {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "line " + std::to_string(i * i % 97) + " of the log: the ship sails on;\n";
  return text;
}

}  // namespace reckon::train
