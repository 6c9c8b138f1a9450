// A file of runs: the rest of each run, and how its blocks must agree.
// SPDX-License-Identifier: Apache-2.0
#include "io/published_runs.hpp"

#include <fmt/format.h>

#include <set>

#include "base/text.hpp"
#include "io/published_completion.hpp"
#include "io/published_fields.hpp"

namespace reckon {
namespace {

constexpr std::array trainings{Training::pretrain, Training::finetune, Training::lora};

std::optional<Bytes> read_memory(const JsonNode& node, const char* key, Bytes unit) {
  const auto found = node.find(key);
  if (!found) return std::nullopt;
  return found->number(1e-3, 1e6) * unit;
}

void read_measured(const JsonNode& node, PublishedRun& run) {
  node.refuse_unknown({"step_time_s", "how", "peak_memory_gb", "peak_memory_gib", "peak_reserved_gib", "time_to_train_min"});
  run.step_time = node.at("step_time_s", "seconds of one step").number(1e-6, 1e7) * seconds;
  run.step_time_derived = node.at("how", "\"measured\"").choice({"measured", "derived"}) == "derived";
  run.peak_memory = read_memory(node, "peak_memory_gib", gibibytes);
  if (const auto decimal = read_memory(node, "peak_memory_gb", gigabytes)) {
    if (run.peak_memory) node.at("peak_memory_gb").fail("peak_memory_gib is stated too", "keep one of them");
    run.peak_memory = decimal;
  }
  run.peak_reserved = read_memory(node, "peak_reserved_gib", gibibytes);
  if (const auto minutes = node.find("time_to_train_min")) run.time_to_train = minutes->number(1e-6, 1e8) * 60.0 * seconds;
}

void read_detail(const JsonNode& node, RunDetail& detail) {
  node.refuse_unknown({"torch_compile", "async_tp", "activation_cpu_offload", "power_limit_w", "container"});
  if (const auto value = node.find("torch_compile")) detail.torch_compile = value->boolean();
  if (const auto value = node.find("async_tp")) detail.async_tensor_parallel = value->boolean();
  if (const auto value = node.find("activation_cpu_offload")) detail.activation_cpu_offload = value->boolean();
  if (const auto value = node.find("power_limit_w")) detail.power_limit = value->number(1.0, 1e5) * watts;
  if (const auto value = node.find("container")) detail.container = value->string();
}

}  // namespace

Cluster run_cluster(const JsonNode& node, const Catalog& catalog, const std::string& source) {
  node.refuse_unknown({"device", "num_devices", "devices_per_node", "fabric"});
  StatedCluster stated;
  stated.device = node.at("device", "the id of a device").string();
  stated.num_devices = size_at(node, "num_devices");
  stated.devices_per_node = node.at("devices_per_node", "a whole number").integer(1, 1024);
  if (stated.num_devices > stated.devices_per_node && stated.num_devices % stated.devices_per_node != 0)
    node.at("num_devices").fail(fmt::format("{} devices are no whole number of nodes of {}", stated.num_devices, stated.devices_per_node));
  const auto fabric = node.find("fabric");
  if (fabric) {
    fabric->refuse_unknown({"nics_per_node", "nic_gbit_per_s", "kind", "stated"});
    StatedCluster::Link link;
    link.nics_per_node = fabric->at("nics_per_node", "a whole number").integer(1, 1024);
    link.nic_bandwidth = BytesPerSecond{fabric->at("nic_gbit_per_s", "gigabit per second").number(0.1, 1e5) * 1e9 / 8.0};
    link.kind = fabric->at("kind", "such as \"infiniband\"").string();
    const auto said = fabric->find("stated");
    const bool assumed = said && !said->boolean();
    stated.fabric = assumed ? known_link(source).value_or(link) : link;
  }
  try {
    catalog.device(stated.device);
  } catch (const TextError& error) {
    node.at("device").fail(error.reason(), error.cure());
  }
  try {
    return catalog.make_cluster(stated);
  } catch (const TextError& error) {
    (fabric ? fabric->at("kind") : node.at("device")).fail(error.reason(), error.cure());
  }
}

namespace {

PublishedRun read_run(const JsonNode& node, const Catalog& catalog, KnownModels& known) {
  node.refuse_unknown(
      {"id", "source", "notes", "stack", "training", "architecture", "cluster", "strategy", "measured", "assumed", "detail"});
  PublishedRun run;
  run.id = node.at("id", "a text").string();
  run.source = node.at("source", "where it was read").string();
  run.stack = node.at("stack", "a software generation").string();
  if (run.id.empty()) node.at("id").fail("the id is empty");
  if (run.source.empty()) node.at("source").fail("the source is empty");
  if (run.stack.empty()) node.at("stack").fail("the stack is empty");
  if (const auto notes = node.find("notes")) run.notes = notes->string();
  run.training = word_at(node, "training", trainings, training_of);

  const JsonNode architecture = node.at("architecture", "{name, family, ...}"), cluster = node.at("cluster", "{device, num_devices, ...}"),
                 strategy = node.at("strategy", "{tensor_parallel, ...}");
  run.architecture = run_architecture(architecture);
  known.complete(run.architecture);
  run.architecture.provenance[""] = Source{run.source, "", true, ""};
  if (const auto params = architecture.find("params"); params && !params->is_null()) run.stated_params = params->number(1.0, 1e18);
  run.cluster = run_cluster(cluster, catalog, run.source);
  const auto fabric = cluster.find("fabric");
  run.fabric_stated = fabric && (!fabric->has("stated") || fabric->at("stated").boolean());
  run.strategy = run_strategy(strategy);
  refuse_run_problems(strategy, problems(run.strategy, run.cluster.max_devices));
  if (const Transformer* transformer = run.architecture.transformer()) refuse_run_problems(strategy, problems(run.strategy, *transformer));

  read_measured(node.at("measured", "{step_time_s, how}"), run);
  run.whole_device_memory = reads_whole_device(run.source);
  if (const auto assumed = node.find("assumed"))
    for (const JsonNode& item : assumed->items()) run.assumed.push_back(item.string());
  if (const auto detail = node.find("detail")) read_detail(*detail, run.detail);
  return run;
}

}  // namespace

PublishedRun published_run(const JsonNode& node, const Catalog& catalog) {
  KnownModels known(catalog.folder());
  return read_run(node, catalog, known);
}

std::vector<PublishedRun> published_runs(const JsonNode& root, const Catalog& catalog) {
  const std::string expected = "reckon/published-runs/1";
  const JsonNode format = root.at("format", "\"" + expected + "\"");
  if (format.string() != expected) format.fail("the format is " + in_quotes(format.string()), "write \"" + expected + "\"");
  root.refuse_unknown({"format", "runs"});

  std::vector<PublishedRun> runs;
  KnownModels known(catalog.folder());
  std::set<std::string> ids;
  for (const JsonNode& node : root.at("runs", "an array of runs").items()) {
    runs.push_back(read_run(node, catalog, known));
    if (!ids.insert(runs.back().id).second) node.at("id").fail("two runs have the id " + in_quotes(runs.back().id), "rename one of them");
  }
  return runs;
}

std::vector<PublishedRun> read_published_runs(const std::filesystem::path& path, const Catalog& catalog) {
  return published_runs(read_json(path).root(), catalog);
}

}  // namespace reckon
