// The catalogue of networks: every entry reads, names and paths are told apart, entries are strict.
// SPDX-License-Identifier: Apache-2.0
#include "io/architecture_files.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "hugging_face_samples.hpp"
#include "temporary_folder.hpp"

namespace reckon {
namespace {

using namespace samples;

const std::filesystem::path models = RECKON_SOURCE_DIR "/models";

TEST(ArchitectureFiles, EveryEntryReadsAndIsPlausible) {
  const std::vector<std::string> names = architecture_names(models);
  EXPECT_GE(names.size(), 90u);

  for (const std::string& name : names) {
    const Architecture a = read_architecture(name, models);
    const ParameterCount p = parameter_count(a);
    EXPECT_EQ(a.name, name);
    EXPECT_GT(p.total(), 1e7) << name;
    EXPECT_LT(p.total(), 3e12) << name;
    EXPECT_LE(p.active(), p.total()) << name;
    EXPECT_GT(model_flops_per_token(a, 512), 2 * p.active()) << name;
    EXPECT_FALSE(a.family.empty()) << name;
    const Source& source = a.provenance.at("");
    EXPECT_GE(source.date.size(), 4u) << name;
    EXPECT_TRUE(!source.read || source.url.rfind("https://", 0) == 0) << name;
  }
}

TEST(ArchitectureFiles, NamesAreUniqueAndSpelledAnyCase) {
  std::set<std::string> seen;
  for (const std::string& name : architecture_names(models)) {
    const JsonDocument file = read_json(models / "architectures" / (name + ".json"));
    EXPECT_TRUE(seen.insert(name).second) << name;
    const auto aliases = file.root().find("aliases");
    if (!aliases) continue;
    for (const JsonNode& alias : aliases->items()) EXPECT_TRUE(seen.insert(alias.string()).second) << alias.string();
  }

  EXPECT_EQ(read_architecture("SDXL", models).name, "stable-diffusion-xl");
  EXPECT_EQ(read_architecture("Llama3-8B", models).name, "llama-3-8b");
}

TEST(ArchitectureFiles, ReadsFilesAndFoldersByPath) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "my-model" / "unet");
  std::filesystem::create_directories(folder.path() / "pipeline" / "unet");
  std::ofstream(folder.path() / "my-model" / "config.json") << object(llama());
  std::ofstream(folder.path() / "pipeline" / "unet" / "config.json") << object(unet());

  EXPECT_EQ(read_architecture((folder.path() / "my-model").string(), models).name, "my-model");
  EXPECT_EQ(read_architecture((folder.path() / "my-model" / "config.json").string(), models).transformer()->num_layers, 2);
  EXPECT_EQ(read_architecture((folder.path() / "pipeline").string(), models).name, "pipeline");
  EXPECT_EQ(read_architecture((folder.path() / "my-model").string(), models, "qwen3").transformer()->qk_norm, true);
  EXPECT_THROW(read_architecture((folder.path() / "absent" / "config.json").string(), models), ConfigError);
  EXPECT_THROW(read_architecture("absent.json", models), ConfigError);
}

TEST(ArchitectureFiles, AnUnknownNameIsAnsweredWithTheNearest) {
  try {
    read_architecture("llama-3-9b", models);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'llama-3-8b'"), std::string::npos) << error.what();
  }
}

TEST(ArchitectureFiles, EntriesAreStrict) {
  const std::string config = object(llama()), source = R"({"title": "t", "url": "https://x", "date": "2024", "read": true})";
  const Members entry{{"format", "\"reckon/architecture/1\""}, {"name", "\"x\""}, {"source", source}, {"config", config}};
  const auto place = [](const Members& members) {
    try {
      architecture_from_document(parse_json(object(members), "x.json").root(), "x");
    } catch (const ConfigError& error) {
      return error.place() + ": " + error.reason();
    }
    return std::string("accepted");
  };

  EXPECT_EQ(place(entry), "accepted");
  EXPECT_EQ(place(with(entry, {{"format", "\"reckon/architecture/2\""}})).rfind("/format", 0), 0u);
  EXPECT_EQ(place(with(entry, {{"note", "[]"}})).rfind("/note: unknown key", 0), 0u);
  EXPECT_EQ(place(with(entry, {{"config", object(without(llama(), "hidden_size"))}})).rfind("/config/hidden_size: missing", 0), 0u);
  EXPECT_EQ(place(with(entry, {{"source", R"({"title": "t", "date": "2024", "read": true})"}})).rfind("/source: a source that was read", 0),
            0u);
  EXPECT_NE(place(without(entry, "source")).find("'source' is missing"), std::string::npos);
  EXPECT_NE(place(without(entry, "config")).find("'config' is missing"), std::string::npos);
}

}  // namespace
}  // namespace reckon
