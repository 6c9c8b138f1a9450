// SPDX-License-Identifier: Apache-2.0
#include "io/published_completion.hpp"

#include <algorithm>
#include <cctype>

#include "io/architecture_files.hpp"

namespace reckon {
namespace {

/// "DeepSeek-V2, layers cut" -> "deepseek-v2", "Llama 3.1 8B (MLPerf)" -> "llama-3.1-8b".
std::string plain_name(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (c == ',' || c == '(') break;
    out += c == ' ' || c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

}  // namespace

KnownModels::KnownModels(const std::filesystem::path& models) : models_(models) {
  if (!models.empty()) names_ = architecture_names(models);
}

std::optional<std::string> KnownModels::entry_of(const std::string& name) const {
  const std::string plain = plain_name(name);
  std::optional<std::string> best;  // the longest entry that the name is, or goes on from ("deepseek-v3" of "deepseek-v3-671b")
  for (const std::string& entry : names_) {
    const bool begins = plain.compare(0, entry.size(), entry) == 0 && (plain.size() == entry.size() || plain[entry.size()] == '-');
    if (begins && (!best || entry.size() > best->size())) best = entry;
  }
  return best;
}

const Transformer* KnownModels::read(const std::string& entry) {
  auto it = read_.find(entry);
  if (it == read_.end()) it = read_.emplace(entry, read_architecture(entry, models_)).first;
  return it->second.transformer();
}

void KnownModels::complete(Architecture& architecture) {
  auto* t = std::get_if<Transformer>(&architecture.body);
  if (t == nullptr || !t->experts) return;  // only mixtures of experts have had such gaps
  const auto entry = entry_of(architecture.name);
  if (!entry) return;
  const Transformer* known = read(*entry);
  if (known == nullptr || known->hidden_size != t->hidden_size || known->num_heads != t->num_heads) return;
  if (!t->latent_attention) t->latent_attention = known->latent_attention;
  t->sliding_window = known->sliding_window;
  t->window_period = known->window_period;
  t->attention_sinks = known->attention_sinks;
  t->qk_norm = known->qk_norm;
  t->qkv_bias = known->qkv_bias;
  t->attention_output_bias = known->attention_output_bias;
  t->mlp_bias = known->mlp_bias;
  if (known->experts) {
    t->experts->num_groups = known->experts->num_groups;
    t->experts->groups_per_token = known->experts->groups_per_token;
    t->experts->router_bias = known->experts->router_bias;
    t->experts->shared_gate = known->experts->shared_gate;
  }
  architecture.notes.push_back("attention, biases and routing as in the catalogue's " + *entry);
}

bool reads_whole_device(const std::string& source) {
  // "Checking the actual GPU allocations (nvidia-smi)", train/tr11-176B-ml/chronicles-prequel.md
  return source.find("bigscience-workshop/bigscience") != std::string::npos;
}

std::optional<StatedCluster::Link> known_link(const std::string& source) {
  // slurm_launcher.py of the repository trains from Amazon FSx paths (/fsx/...) on H100 nodes: AWS P5, 32 EFA cards of 100 Gb/s.
  if (source.compare(0, 21, "huggingface/nanotron@") == 0)
    return StatedCluster::Link{.nics_per_node = 32, .nic_bandwidth = BytesPerSecond{100e9 / 8.0}, .kind = "efa"};
  return std::nullopt;
}

}  // namespace reckon
