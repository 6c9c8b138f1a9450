// Looks up and reads descriptions of networks.
// SPDX-License-Identifier: Apache-2.0
#include "io/architecture_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.hpp"
#include "io/hugging_face.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view entry_format = "reckon/architecture/1";

/// What a bare config.json is called: the folder it lies in, and for unet/config.json the one above.
std::string name_of_file(const fs::path& path) {
  const fs::path full = fs::absolute(path).lexically_normal();
  if (full.filename() != "config.json") return full.stem().string();
  const fs::path folder = full.parent_path();
  return (folder.filename() == "unet" ? folder.parent_path() : folder).filename().string();
}

Source read_source(const JsonNode& node) {
  node.refuse_unknown({"title", "url", "date", "read"});
  Source source{.title = node.at("title").string(), .date = node.at("date").string(), .read = node.at("read").boolean(), .url = ""};
  if (const auto url = node.find("url")) source.url = url->string();
  if (source.read && source.url.empty()) node.fail("a source that was read needs its address", "add \"url\", or write \"read\": false");
  return source;
}

std::vector<std::string> texts(const JsonNode& entry, std::string_view key) {
  std::vector<std::string> values;
  if (const auto node = entry.find(key))
    for (const JsonNode& item : node->items()) values.push_back(item.string());
  return values;
}

Architecture read_entry(const JsonNode& root, const std::string& as) {
  root.at("format").choice({std::string(entry_format)});
  root.refuse_unknown({"format", "name", "aliases", "source", "config", "notes"});
  Architecture out =
      architecture_from_config(root.at("config", "a Hugging Face config"), root.at("name", "the name of the entry").string(), as);
  out.provenance[""] = read_source(root.at("source", "{\"title\", \"url\", \"date\", \"read\"}"));
  std::vector<std::string> notes = texts(root, "notes");
  notes.insert(notes.end(), out.notes.begin(), out.notes.end());
  out.notes = std::move(notes);
  return out;
}

std::vector<fs::path> entry_files(const fs::path& data_folder) {
  std::vector<fs::path> files;
  std::error_code error;
  const fs::path folder = data_folder / "architectures";
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator(); it.increment(error))
    if (it->path().extension() == ".json") files.push_back(it->path());
  if (error) throw ConfigError(folder.string(), "", "cannot list the folder of architectures: " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

Architecture read_file(const fs::path& path, const std::string& as) {
  return architecture_from_document(read_json(path).root(), name_of_file(path), as);
}

/// The config.json of a folder.
fs::path config_in(const fs::path& folder) {
  std::error_code ignored;
  const fs::path plain = folder / "config.json", unet = folder / "unet" / "config.json";
  if (!fs::exists(plain, ignored) && fs::exists(unet, ignored)) return unet;
  return plain;
}

std::optional<fs::path> entry_named(const std::string& word, const std::vector<fs::path>& files) {
  const std::string wanted = lower(word);
  for (const fs::path& file : files)
    if (lower(file.stem().string()) == wanted) return file;
  for (const fs::path& file : files)
    for (const std::string& alias : texts(read_json(file).root(), "aliases"))
      if (lower(alias) == wanted) return file;
  return std::nullopt;
}

}  // namespace

Architecture architecture_from_document(const JsonNode& root, const std::string& name, const std::string& as) {
  if (root.is_object() && root.has("format")) return read_entry(root, as);
  return architecture_from_config(root, name, as);
}

std::vector<std::string> architecture_names(const fs::path& data_folder) {
  std::vector<std::string> names;
  for (const fs::path& file : entry_files(data_folder)) names.push_back(file.stem().string());
  return names;
}

fs::path architecture_path(const std::string& reference, const fs::path& data_folder) {
  if (reference.empty()) throw UsageError("the architecture is empty", "name a network of the catalogue or a config.json");
  const fs::path path(reference);
  const bool is_path = reference.find('/') != std::string::npos || path.extension() == ".json";
  std::error_code ignored;
  if (is_path) return fs::is_directory(path, ignored) ? config_in(path) : path;
  if (const auto file = entry_named(reference, entry_files(data_folder))) return *file;
  if (fs::is_directory(path, ignored)) return config_in(path);
  if (fs::is_regular_file(path, ignored)) return path;
  throw ConfigError((data_folder / "architectures").string(), "", "unknown architecture " + in_quotes(reference),
                    suggestion(reference, architecture_names(data_folder)) + "; a Hugging Face config.json is read by its path");
}

Architecture read_architecture(const std::string& reference, const fs::path& data_folder, const std::string& as) {
  return read_file(architecture_path(reference, data_folder), as);
}

}  // namespace reckon
