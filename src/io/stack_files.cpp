// SPDX-License-Identifier: Apache-2.0
#include "io/stack_files.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "catalog/device.hpp"

namespace reckon {
namespace {

struct FlagName {
  const char* key;
  bool StackFacts::*field;
};
constexpr FlagName flags[] = {{"dropout", &StackFacts::dropout},
                              {"fused_elementwise", &StackFacts::fused_elementwise},
                              {"fused_loss", &StackFacts::fused_loss},
                              {"fused_wgrad_accumulation", &StackFacts::fused_wgrad_accumulation},
                              {"overlap_tensor", &StackFacts::overlap_tensor},
                              {"overlap_backward_tensor", &StackFacts::overlap_backward_tensor},
                              {"overlap_gradients", &StackFacts::overlap_gradients},
                              {"overlap_parameters", &StackFacts::overlap_parameters},
                              {"gathers_by_tensor", &StackFacts::gathers_by_tensor},
                              {"balanced_stages", &StackFacts::balanced_stages},
                              {"overlap_pipeline", &StackFacts::overlap_pipeline},
                              {"overlap_experts", &StackFacts::overlap_experts},
                              {"fused_dispatch", &StackFacts::fused_dispatch},
                              {"fp16_gradients", &StackFacts::fp16_gradients},
                              {"flat_gradient_copy", &StackFacts::flat_gradient_copy},
                              {"low_precision_weights", &StackFacts::low_precision_weights},
                              {"cuda_graphs", &StackFacts::cuda_graphs}};

/// Facts that a file may leave out.
constexpr FlagName rare_flags[] = {{"separate_bias", &StackFacts::separate_bias},
                                   {"batch_first", &StackFacts::batch_first},
                                   {"fused_clip", &StackFacts::fused_clip},
                                   {"reductions_by_layer", &StackFacts::reductions_by_layer},
                                   {"messages_by_parameter", &StackFacts::messages_by_parameter},
                                   {"wide_reductions", &StackFacts::wide_reductions},
                                   {"parameter_lists", &StackFacts::parameter_lists},
                                   {"traced", &StackFacts::traced},
                                   {"synchronous_launches", &StackFacts::synchronous_launches},
                                   {"optimizer_by_tensor", &StackFacts::optimizer_by_tensor},
                                   {"fused_batch_norm", &StackFacts::fused_batch_norm},
                                   {"in_network_reduction", &StackFacts::in_network_reduction},
                                   {"overlap_context", &StackFacts::overlap_context}};

struct SizeName {
  const char* key;
  double StackFacts::*field;
  double least, most;
};
constexpr SizeName sizes[] = {{"gradient_bytes", &StackFacts::gradient_bytes, 1, 8},
                              {"bf16_gradient_bytes", &StackFacts::bf16_gradient_bytes, 0, 8},
                              {"reduced_gradient_bytes", &StackFacts::reduced_gradient_bytes, 0.5, 8},
                              {"gradient_bucket", &StackFacts::gradient_bucket, 0, 1e12},
                              {"packed_sequences", &StackFacts::packed_sequences, 1, 64},
                              {"vocabulary_multiple", &StackFacts::vocabulary_multiple, 1, 4096},
                              {"master_bytes", &StackFacts::master_bytes, 0, 8},
                              {"moment_bytes", &StackFacts::moment_bytes, 0, 16}};

struct ConstantName {
  const char* key;
  double StackConstants::*field;
  double least, most;
};
constexpr ConstantName constants[] = {{"product_slowdown", &StackConstants::product_slowdown, 0.5, 3},
                                      {"stream_slowdown", &StackConstants::stream_slowdown, 0.3, 6},
                                      {"tensor_slowdown", &StackConstants::tensor_slowdown, 0.05, 6},
                                      {"exposed_data", &StackConstants::exposed_data, 0, 1},
                                      {"scale_jitter", &StackConstants::scale_jitter, 0, 0.2}};

std::vector<std::string> with(std::vector<std::string> keys, std::initializer_list<const char*> more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

std::vector<std::string> constant_names() {
  std::vector<std::string> names{"host_time"};
  for (const ConstantName& c : constants) names.emplace_back(c.key);
  return names;
}

StackFacts read_facts(const JsonNode& node) {
  StackFacts out;
  std::vector<std::string> known;
  for (const FlagName& f : flags) {
    out.*f.field = node.at(f.key, "true or false").boolean();
    known.push_back(f.key);
  }
  for (const FlagName& f : rare_flags) {
    if (const auto value = node.find(f.key)) out.*f.field = value->boolean();
    known.push_back(f.key);
  }
  for (const SizeName& s : sizes) {
    out.*s.field = node.at(s.key, "bytes a parameter").number(s.least, s.most);
    known.push_back(s.key);
  }
  for (const auto& [architecture, value] : node.at("attention", "kernel by device architecture").members()) {
    const auto kernel = attention_kernel_of(value.choice({"flash1", "flash2", "flash3", "cudnn"}));
    if (kernel) out.attention[architecture] = *kernel;
  }
  node.refuse_unknown(with(known, {"attention"}));
  return out;
}

StackConstants read_constants(const JsonNode& node) {
  StackConstants out;
  std::vector<std::string> known;
  for (const ConstantName& c : constants) {
    out.*c.field = node.at(c.key, "a number").number(c.least, c.most);
    known.push_back(c.key);
  }
  out.host_time = node.at("host_time", "a time such as \"6 us\"").quantity(Seconds{}, Seconds{1e-2});
  node.refuse_unknown(with(known, {"host_time"}));
  return out;
}

StackResiduals read_residuals(const JsonNode& node) {
  node.refuse_unknown({"runs", "spread", "most_devices", "devices"});
  StackResiduals out;
  out.runs = node.at("runs", "a whole number").integer(1, 1'000'000);
  out.spread = node.at("spread", "mean |ln(measured / predicted)|").number(0, 10);
  out.most_devices = node.at("most_devices", "a whole number").integer(1, 100'000'000);
  for (const JsonNode& device : node.at("devices", "ids of devices").items()) out.devices.push_back(device.string());
  return out;
}

IntervalRule read_interval(const JsonNode& node) {
  node.refuse_unknown({"factor", "pooled", "unseen_stack", "unseen_device", "per_doubling"});
  return {.factor = node.at("factor", "a number").number(0.1, 20),
          .pooled = node.at("pooled", "a number").number(0, 5),
          .unseen_stack = node.at("unseen_stack", "a number").number(0, 5),
          .unseen_device = node.at("unseen_device", "a number").number(0, 5),
          .per_doubling = node.at("per_doubling", "a number").number(0, 5)};
}

Stack read_stack(const std::string& id, const JsonNode& node) {
  Stack out;
  out.id = id;
  out.name = node.at("name").string();
  if (out.name.empty()) node.at("name").fail("the name is empty");
  out.facts = read_facts(node.at("facts"));
  out.constants = read_constants(node.at("constants"));
  for (const JsonNode& item : node.at("fitted", "a list of fitted constants").items()) out.fitted.push_back(item.choice(constant_names()));
  out.fit_note = node.at("fit_note").string();
  const JsonNode source = node.at("source");
  out.provenance[""] = {
      .title = source.at("title").string(), .date = source.at("date").string(), .read = source.at("read").boolean(), .url = ""};
  source.refuse_unknown({"title", "date", "read"});
  if (source.at("title").string().empty()) source.at("title").fail("the title is empty");
  const std::string date = source.at("date").string();
  const bool years = date.size() == 9 && date[4] == '-' && is_date(date.substr(0, 4)) && is_date(date.substr(5));
  if (!is_date(date) && !years) source.at("date").fail(in_quotes(date) + " is not a date", "write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-YYYY");
  if (const auto list = node.find("median_of"))
    for (const JsonNode& item : list->items()) out.median_of.push_back(item.string());
  if (const auto residuals = node.find("residuals")) out.residuals = read_residuals(*residuals);
  node.refuse_unknown({"name", "facts", "constants", "fitted", "fit_note", "median_of", "residuals", "source"});
  return out;
}

StackGeneration read_generation(const JsonNode& node, const std::map<std::string, Stack>& stacks) {
  node.refuse_unknown({"of", "id", "container", "stack"});
  StackGeneration out;
  out.of = node.at("of", "the stack that the runs' files name").string();
  if (const auto id = node.find("id")) out.id = id->string();
  if (const auto container = node.find("container")) out.container = container->string();
  if (out.id.empty() && out.container.empty()) node.fail("it would take every run of " + in_quotes(out.of), "give \"id\" or \"container\"");
  out.stack = node.at("stack", "an id of \"stacks\"").string();
  if (!stacks.contains(out.stack)) node.at("stack").fail("no stack has the id " + in_quotes(out.stack));
  return out;
}

}  // namespace

StackTable read_stacks(const JsonDocument& document) {
  const JsonNode root = document.root();
  root.at("format").choice({"reckon/stacks/1"});
  root.refuse_unknown({"format", "notes", "interval", "generations", "stacks"});
  StackTable out;
  for (const auto& [id, node] : root.at("stacks", "an object of stacks").members()) out.entries[id] = read_stack(id, node);
  for (const auto& [id, node] : root.at("stacks").members())
    if (const auto list = node.find("median_of"))
      for (const JsonNode& item : list->items())
        if (!out.entries.contains(item.string())) item.fail("no stack has the id " + in_quotes(item.string()));
  if (const auto interval = root.find("interval")) out.interval = read_interval(*interval);
  if (const auto list = root.find("generations"))
    for (const JsonNode& node : list->items()) out.generations.push_back(read_generation(node, out.entries));
  return out;
}

StackTable read_stacks(const std::filesystem::path& path) { return read_stacks(read_json(path)); }

std::string write_stacks(const StackTable& stacks) {
  nlohmann::ordered_json all;
  for (const auto& [id, stack] : stacks.entries) {
    nlohmann::ordered_json facts, numbers, attention = nlohmann::ordered_json::object();
    for (const auto& [architecture, kernel] : stack.facts.attention) attention[architecture] = std::string(name_of(kernel));
    facts["attention"] = attention;
    for (const FlagName& f : flags) facts[f.key] = stack.facts.*f.field;
    for (const FlagName& f : rare_flags)
      if (stack.facts.*f.field != StackFacts{}.*f.field) facts[f.key] = stack.facts.*f.field;
    for (const SizeName& s : sizes) facts[s.key] = stack.facts.*s.field;
    const auto rounded = [](double v) { return std::stod(fmt::format("{:.4g}", v)); };
    for (const ConstantName& c : constants) numbers[c.key] = rounded(stack.constants.*c.field);
    numbers["host_time"] = fmt::format("{:.4g} us", stack.constants.host_time.in(microseconds));
    const auto source = stack.provenance.find("");
    nlohmann::ordered_json origin{{"title", ""}, {"date", ""}, {"read", false}};
    if (source != stack.provenance.end())
      origin = {{"title", source->second.title}, {"date", source->second.date}, {"read", source->second.read}};
    all[id] = {{"name", stack.name}, {"facts", facts}, {"constants", numbers}, {"fitted", stack.fitted}, {"fit_note", stack.fit_note}};
    if (!stack.median_of.empty()) all[id]["median_of"] = stack.median_of;
    const StackResiduals& r = stack.residuals;
    if (r.runs > 0)
      all[id]["residuals"] = {{"runs", r.runs}, {"spread", rounded(r.spread)}, {"most_devices", r.most_devices}, {"devices", r.devices}};
    all[id]["source"] = origin;
  }
  nlohmann::ordered_json generations = nlohmann::ordered_json::array();
  for (const StackGeneration& g : stacks.generations) {
    nlohmann::ordered_json one{{"of", g.of}};
    if (!g.id.empty()) one["id"] = g.id;
    if (!g.container.empty()) one["container"] = g.container;
    one["stack"] = g.stack;
    generations.push_back(one);
  }
  const auto short_number = [](double v) { return std::stod(fmt::format("{:.3g}", v)); };
  const IntervalRule& rule = stacks.interval;
  const nlohmann::ordered_json interval{{"factor", short_number(rule.factor)},
                                        {"pooled", short_number(rule.pooled)},
                                        {"unseen_stack", short_number(rule.unseen_stack)},
                                        {"unseen_device", short_number(rule.unseen_device)},
                                        {"per_doubling", short_number(rule.per_doubling)}};
  return dump_json({{"format", "reckon/stacks/1"}, {"interval", interval}, {"generations", generations}, {"stacks", all}});
}

}  // namespace reckon
