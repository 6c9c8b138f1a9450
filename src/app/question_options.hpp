// The options that say what is trained and where, shared by plan and predict, and what they mean once the scene is loaded.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/options.hpp"
#include "app/scene.hpp"
#include "io/plan_results.hpp"
#include "plan/question.hpp"

namespace reckon {

/// --model, --as, --name, --seq-len, --training, --lora-rank, --optimizer, --precision, --attention, --batch.
OptionGroup training_options();
/// --cluster, --device, --stack, --memory-margin.
OptionGroup place_options();

/// The names of the scene.  Throws UsageError unless exactly one of --cluster and --device is given.
SceneNames scene_names(const ParsedOptions& options);

/// The question without its search space, which points into `scene`; every value that was chosen goes into `assumptions`.  Sets the
/// sequence length of the scene's architecture.  `batch_option` names the option with the batch ("batch" or "gb"), which may be missing
/// from a command line; the default is then that of default_batch_size.
Question read_question(const ParsedOptions& options, Scene& scene, const std::string& batch_option, std::vector<Assumption>& assumptions);

/// Tokens of a training sequence where nobody says: the model's own, or as many as it has positions, at most 8,192.
std::int64_t usual_sequence_length(const Transformer& model);

/// Sequences or samples of a step from text such as `2048` or `16M tokens`.  A number of tokens that is no whole number of sequences
/// becomes the roundest number of sequences (most factors of two) within 5 %.  Throws TextError.
std::int64_t batch_size(std::string_view text, std::int64_t seq_len);

/// What is usual: 16M tokens a step for pre-training from 20B parameters up, 4M below, 1M for fine-tuning; 1024 samples without tokens.
std::int64_t default_batch_size(Training training, double parameters, std::int64_t seq_len, bool counts_tokens);

/// True when the model is trained on tokens, not on samples.
bool counts_tokens(const Architecture& architecture);

/// The question as results keep it, without run and demands.
PlanQuestion plan_question(const Question& question, const Scene& scene);

/// What stands behind the prediction: calibrations with their date and whether they are measured or derived, the stack's constants, and
/// figures of the place that were not read in a source.  The interval of the step time is that of a step on `devices` devices.
void add_evidence(const Scene& scene, const Question& question, std::int64_t devices, std::vector<Assumption>& assumptions);

}  // namespace reckon
