// What a run's row does not say of a well-known model.  Internal to src/io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/architecture.hpp"
#include "catalog/catalog.hpp"

namespace reckon {

/// Rows of tables name a model ("DeepSeek-V2, layers cut", "GPT-OSS-120B") and print its sizes, but not latent attention, windows, sinks,
/// expert biases or routing groups.  This takes them from the catalogue's architecture of that name where hidden size and heads agree.
class KnownModels {
 public:
  explicit KnownModels(const std::filesystem::path& models);

  /// Fills what the row leaves open; leaves an unknown model as it is.  Says in `notes` what was taken from where.
  void complete(Architecture& architecture);

 private:
  std::optional<std::string> entry_of(const std::string& name) const;
  const Transformer* read(const std::string& entry);

  std::filesystem::path models_;
  std::vector<std::string> names_;
  std::map<std::string, Architecture> read_;
};

/// Whether a source read its peak memory from the driver (nvidia-smi) instead of the framework's allocator.
bool reads_whole_device(const std::string& source);

/// The network of a source whose rows do not state one, where the source's own files tell whose machines it ran on; nothing otherwise.
std::optional<StatedCluster::Link> known_link(const std::string& source);

}  // namespace reckon
