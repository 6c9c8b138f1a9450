// The catalogue of networks, and networks from files: one entry point for both.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "catalog/architecture.hpp"
#include "io/json.hpp"

namespace reckon {

/// The network that a user means by `reference`:
///   a file         a Hugging Face config.json, or an entry in the catalogue's form
///   a folder       its config.json, or the unet/config.json of a diffusers pipeline
///   another word   the entry `<data_folder>/architectures/<word>.json` (case does not count), or the one that has it as alias
/// A word with a '/' or ending in ".json" is always a path.  `as` reads a Hugging Face file as that family (`--as llama`).
/// Throws ConfigError for a bad file (with JSON pointer) and for a name that is not known (with the nearest one).
Architecture read_architecture(const std::string& reference, const std::filesystem::path& data_folder, const std::string& as = "");

/// The file that `reference` means; the same errors for unknown names, but the file is not opened.
std::filesystem::path architecture_path(const std::string& reference, const std::filesystem::path& data_folder);

/// An entry of the catalogue: {"format": "reckon/architecture/1", "name", "source": {"title", "url", "date", "read"}, "config": {a Hugging
/// Face config as published}, optional "aliases", "notes"}; or a bare Hugging Face config, which is then called `name`.
Architecture architecture_from_document(const JsonNode& root, const std::string& name, const std::string& as = "");

/// The names in the catalogue, sorted.
std::vector<std::string> architecture_names(const std::filesystem::path& data_folder);

}  // namespace reckon
