// Reads measured training runs: experiments/published/*.json, format reckon/published-runs/1 (experiments/published/FORMAT.md).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/published_run.hpp"
#include "io/json.hpp"

namespace reckon {

/// The runs of a file, in its order.  Throws ConfigError, with file and JSON pointer, for unknown and missing keys, wrong types, values out
/// of range, unknown names, parallel degrees that do not multiply up to the devices or divide the architecture, and ids that appear twice.
std::vector<PublishedRun> read_published_runs(const std::filesystem::path& path, const Catalog& catalog);

/// The same for a parsed file, and for one element of its `runs`.
std::vector<PublishedRun> published_runs(const JsonNode& root, const Catalog& catalog);
PublishedRun published_run(const JsonNode& run, const Catalog& catalog);

/// The blocks of a run.  Other readers of descriptions use them as they are.
///
/// `family` decides what the block does not say.  gpt: layer norm, learned positions, biases everywhere, tied embeddings; bert the same as
/// an encoder with the masked-language head; llama and moe: RMSNorm, rotary positions, no biases, untied.  Where `params` is stated,
/// `tied_embeddings` is not, and the other choice agrees much better with `params`, that choice is taken and noted.
Architecture run_architecture(const JsonNode& node);
Cluster run_cluster(const JsonNode& node, const Catalog& catalog, const std::string& source = "");
Strategy run_strategy(const JsonNode& node);

}  // namespace reckon
