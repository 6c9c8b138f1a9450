// Finds the family of a Hugging Face config and reads it.
// SPDX-License-Identifier: Apache-2.0
#include "io/hugging_face.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "io/hugging_face_families.hpp"
#include "io/hugging_face_images.hpp"

namespace reckon {
namespace {

/// The object that describes the stack, the type it is of, and what lies beside it in the file.
struct Tower {
  JsonNode node;
  std::string model_type;
  std::optional<bool> outer_tied;
  std::vector<std::string> left_out;
};

bool has_layers(const JsonNode& node) {
  for (const char* key : {"num_hidden_layers", "n_layer", "num_layers", "n_layers"})
    if (node.has(key)) return true;
  return false;
}

std::string type_of(const JsonNode& node) {
  const auto found = node.find("model_type");
  return found && !found->is_null() ? found->string() : "";
}

bool known(const std::vector<std::string>& types, const std::string& type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

[[noreturn]] void unknown_type(const JsonNode& node, const std::string& type, const std::vector<std::string>& types) {
  const std::string near = nearest_word(type, types);
  const std::string cure = fmt::format("{}known are {}; --as llama reads the file as that family",
                                       near.empty() ? "" : "did you mean '" + near + "'? ", join(types, ", "));
  const std::string place = node.pointer() + "/model_type";
  if (type.empty()) throw ConfigError(node.file(), place, "missing: the model_type, which names the family", cure);
  throw ConfigError(node.file(), place, "unknown model_type " + in_quotes(type), cure);
}

/// Multi-modal files keep the language model in an object of its own.
Tower find_tower(const JsonNode& root) {
  Tower tower{root, type_of(root), std::nullopt, {}};
  const std::vector<std::string> types = known_model_types();
  if (const auto thinker = root.find("thinker_config"); thinker && thinker->is_object()) tower.node = *thinker;
  if (has_layers(tower.node)) return tower;
  for (const char* key : {"text_config", "llm_config", "language_config"}) {
    const auto inner = tower.node.find(key);
    if (!inner || !inner->is_object()) continue;
    if (const auto tied = root.find("tie_word_embeddings"); tied && tied->is_boolean() && !inner->has("tie_word_embeddings"))
      tower.outer_tied = tied->boolean();
    for (const auto& [name, value] : tower.node.members())
      if (name != key && value.is_object() && name.size() > 7 && name.compare(name.size() - 7, 7, "_config") == 0 &&
          name != "generation_config" && name != "quantization_config")
        tower.left_out.push_back(name);
    const std::string outer = tower.model_type;
    tower.node = *inner;
    tower.model_type = type_of(*inner);
    if (tower.model_type.empty()) tower.model_type = outer + "_text";
    if (!known(types, tower.model_type) && known(types, tower.model_type + "_text")) tower.model_type += "_text";
    return tower;
  }
  return tower;
}

Architecture finish(Architecture out, Fields& f, const std::string& name) {
  out.name = name;
  if (f.any("quantization_config")) f.note("the published weights are quantised; parameters are counted as numbers, whatever their format");
  for (const std::string& note : f.notes()) out.notes.push_back(note);
  const std::vector<std::string> unused = f.unused();
  if (!unused.empty())
    out.notes.push_back(
        fmt::format("{} key{} without effect on size or time: {}", unused.size(), unused.size() == 1 ? "" : "s", join(unused, ", ")));
  out.provenance[""] = {.title = "config.json", .date = "", .read = true, .url = f.node().file()};
  return out;
}

Architecture read_transformer(const Tower& tower, const Family& family, const std::string& name) {
  Fields f(tower.node);
  f.any("model_type");
  f.texts("architectures");
  Transformer t = family.start;
  if (tower.outer_tied) t.tied_embeddings = *tower.outer_tied;
  if (!family.own_names) read_stack(f, t, family.ffn_from_hidden);
  family.adjust(f, t);
  if (!tower.left_out.empty()) f.note(fmt::format("the text tower is planned; left out: {}", join(tower.left_out, ", ")));
  Architecture out;
  out.family = family.group;
  out.body = t;
  return finish(std::move(out), f, name);
}

Architecture read_unet_file(const JsonNode& config, const std::string& name) {
  Fields f(config);
  f.any("_class_name");
  Architecture out;
  out.family = "unet";
  out.body = read_unet(f);
  return finish(std::move(out), f, name);
}

Architecture read_resnet_file(const JsonNode& config, const std::string& name) {
  Fields f(config);
  f.any("model_type");
  f.texts("architectures");
  Architecture out;
  out.family = "resnet";
  out.body = read_resnet(f);
  return finish(std::move(out), f, name);
}

}  // namespace

std::vector<std::string> known_model_types() {
  std::vector<std::string> types{"resnet", "unet"};
  for (const Family& family : families()) types.emplace_back(family.model_type);
  std::sort(types.begin(), types.end());
  return types;
}

Architecture architecture_from_config(const JsonNode& config, const std::string& name, const std::string& as) {
  if (!config.is_object()) config.fail("expected an object, the content of a config.json");
  const std::vector<std::string> types = known_model_types();
  if (!as.empty() && !known(types, as)) throw UsageError("--as " + in_quotes(as) + " is no known model_type", suggestion(as, types));
  if (as.empty()) {
    if (const auto type = config.find("_class_name")) {
      const std::string kind = type->string();
      if (kind == "UNet2DConditionModel" || kind == "FlaxUNet2DConditionModel") return read_unet_file(config, name);
      type->fail("unknown diffusers class " + in_quotes(kind), "UNet2DConditionModel is read; of a pipeline, name its unet/config.json");
    }
  }
  Tower tower = find_tower(config);
  if (!as.empty()) tower.model_type = as;
  if (tower.model_type == "unet") return read_unet_file(config, name);
  if (tower.model_type == "resnet") return read_resnet_file(tower.node, name);
  for (const Family& family : families())
    if (family.model_type == tower.model_type) return read_transformer(tower, family, name);
  unknown_type(tower.node, tower.model_type, types);
}

}  // namespace reckon
