// SPDX-License-Identifier: Apache-2.0
#include "app/job_options.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "base/text.hpp"

namespace reckon {
namespace {

constexpr double token_bytes = 4.0, image_bytes = 100e3;  // as models/costs/defaults.json stores them
constexpr double generated_bytes = 2.0;                   // a weight or a cached value

struct RolloutValue {
  const char* name;
  double RolloutLoop::*value;
  double least, most;
};
constexpr RolloutValue rollout_values[]{{"prompt", &RolloutLoop::prompt, 0, 1e7},         {"response", &RolloutLoop::response, 1, 1e7},
                                        {"concurrent", &RolloutLoop::concurrent, 1, 1e6}, {"devices", &RolloutLoop::devices, 1, 1e5},
                                        {"scored", &RolloutLoop::scored, 0, 100},         {"critics", &RolloutLoop::critics, 0, 10},
                                        {"epochs", &RolloutLoop::epochs, 0.01, 1000}};

RolloutLoop kind_of(const ParsedOptions& options, const std::string& name) {
  RolloutLoop loop;
  if (name == "ppo")
    loop.scored = 3, loop.critics = 1;  // reference, reward and critic score; the critic is trained
  else if (name == "grpo")
    loop.scored = 1;  // the reference
  else
    options.fail("rollout", in_quotes(name) + " is no kind of loop", "begin with ppo or grpo, e.g. 'ppo,prompt=512,response=1024'");
  return loop;
}

}  // namespace

OptionGroup job_options() {
  return {"Beside the steps",
          {{.name = "unit-bytes", .argument = "BYTES", .help = "stored bytes of a token or sample [default: 4 B, 100 kB]"},
           {.name = "node-read", .argument = "RATE", .help = "data that a node can read, e.g. '2 GB/s' [default: as much as it needs]"},
           {.name = "storage-read", .argument = "RATE", .help = "data that all nodes can read together [default: as much as they need]"},
           {.name = "loader-rate", .argument = "NUMBER", .help = "tokens or samples a second that a node's loader decodes [default: all]"},
           {.name = "rollout",
            .argument = "LOOP",
            .help = "reinforcement learning: ppo or grpo, then prompt=, response= (tokens), concurrent= (sequences a copy), devices= (of a "
                    "copy), scored=, critics=, epochs="}}};
}

DataFeed read_data_feed(const ParsedOptions& options, const Scene& scene, bool counts_tokens) {
  DataFeed feed;
  const double a_node = static_cast<double>(std::max<std::int64_t>(1, scene.cluster.node.devices_per_node));
  feed.per_unit = options.given("unit-bytes") ? options.quantity<Bytes>("unit-bytes") : Bytes{counts_tokens ? token_bytes : image_bytes};
  if (feed.per_unit.base() <= 0) options.fail("unit-bytes", "nothing to read", "give e.g. 100 kB");
  const auto rate = [&](const char* option) {
    if (!options.given(option)) return BytesPerSecond{};
    const BytesPerSecond read = options.quantity<BytesPerSecond>(option);
    if (read.base() <= 0) options.fail(option, "nothing can be read", "give e.g. '2 GB/s'");
    return read;
  };
  feed.per_device = rate("node-read") / a_node;
  feed.shared = rate("storage-read");
  if (options.given("loader-rate")) feed.units_per_device_second = options.number("loader-rate", 1e-6, 1e15) / a_node;
  return feed;
}

std::optional<RolloutLoop> read_rollout(const ParsedOptions& options) {
  if (!options.given("rollout")) return std::nullopt;
  const std::vector<std::string> words = options.list("rollout");
  RolloutLoop loop = kind_of(options, words.empty() ? "" : words[0]);
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::size_t sign = words[i].find('=');
    const std::string name(trim(std::string_view(words[i]).substr(0, sign)));
    const auto* const known =
        std::find_if(std::begin(rollout_values), std::end(rollout_values), [&](const RolloutValue& v) { return name == v.name; });
    if (sign == std::string::npos || known == std::end(rollout_values))
      options.fail("rollout", in_quotes(words[i]) + " is no value of a loop", "write e.g. response=1024; see --help");
    try {
      loop.*(known->value) = parse_number(std::string_view(words[i]).substr(sign + 1), known->least, known->most);
    } catch (const TextError& error) {
      options.fail("rollout", name + ": " + error.reason(), error.cure());
    }
  }
  return loop;
}

RolloutPolicy rollout_policy(const ParsedOptions& options, const Scene& scene) {
  const Transformer* t = scene.architecture.transformer();
  if (t == nullptr || t->vocab_size == 0 || !t->causal)
    options.fail("rollout", scene.architecture.name + " generates no text", "reinforcement learning needs a language model");
  RolloutPolicy policy;
  const ParameterCount count = parameter_count(scene.architecture);
  policy.parameters = count.active();
  policy.weights = Bytes{generated_bytes * count.total()};
  const double cached = t->latent_attention ? static_cast<double>(t->latent_attention->kv_lora_rank + t->latent_attention->qk_rope_head_dim)
                                            : 2.0 * static_cast<double>(t->num_kv_heads * t->head_dim);
  policy.cache_per_token = Bytes{generated_bytes * cached * static_cast<double>(t->num_layers)};
  policy.bandwidth = scene.compute.stream.bandwidth * scene.compute.stream.efficiency;
  return policy;
}

}  // namespace reckon
