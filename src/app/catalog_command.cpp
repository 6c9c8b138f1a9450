// reckon catalog: what is known, and where it comes from.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "app/catalog_listing.hpp"
#include "app/command.hpp"
#include "base/text.hpp"
#include "calibration/derive_missing.hpp"
#include "io/calibration_files.hpp"
#include "io/catalog_files.hpp"
#include "io/data_path.hpp"
#include "io/stack_files.hpp"
#include "report/listing_report.hpp"

namespace reckon {
namespace {

/// Throws for a name that no kind has, with the nearest that some kind has.
[[noreturn]] void refuse_name(const KnownThings& known, const std::vector<std::string>& kinds, const std::string& name) {
  std::vector<std::string> all = kinds == catalog_kinds() ? catalog_kinds() : std::vector<std::string>{};
  for (const std::string& kind : kinds) {
    const Listing listing = listing_of(known, kind);
    for (const auto& row : listing.rows) all.push_back(row[0]);
    if (kind == "devices")
      for (const auto& [alias, id] : known.catalog.aliases()) all.push_back(alias);
  }
  throw UsageError(in_quotes(name) + " is not in the catalogue", suggestion(name, all));
}

}  // namespace

CommandSpec catalog_spec() {
  return {"catalog",
          "what is known of hardware, prices and models, with sources",
          {"reckon catalog", "reckon catalog clusters", "reckon catalog devices h100", "reckon catalog llama-3-70b --json"},
          {{"Output", {{.name = "json", .help = "as JSON"}}}},
          {"WORD", "a kind (devices, nodes, fabrics, clusters, prices, architectures, stacks, calibrations), a name, or both", 0, 2},
          "A name alone is looked up in every kind, in that order.  Figures marked 'recalled' were not read in their source."};
}

CommandResult run_catalog(const ParsedOptions& options, const MpiSession&) {
  const std::filesystem::path models = data_folder();
  KnownThings known{open_catalog(models), read_compute_calibrations(models / "calibrations"),
                    read_stacks(models / "calibrations" / "stacks.json").entries, models};
  derive_missing(known.compute, known.catalog);

  std::vector<std::string> words = options.words(), kinds = catalog_kinds();
  if (!words.empty() && std::find(kinds.begin(), kinds.end(), words[0]) != kinds.end()) {
    kinds = {words[0]};
    words.erase(words.begin());
  }
  if (words.size() > 1) throw UsageError(in_quotes(words[0]) + " is not a kind of entry", suggestion(words[0], catalog_kinds()));
  if (words.empty()) {
    std::vector<Listing> listings;
    for (const std::string& kind : kinds) listings.push_back(listing_of(known, kind));
    if (options.flag("json")) return {listing_json(listings)};
    std::vector<std::string> texts;
    for (const Listing& listing : listings) texts.push_back(listing_report(listing));
    return {join(texts, "\n")};
  }
  for (const std::string& kind : kinds)
    if (const auto details = details_of(known, kind, words[0]))
      return {options.flag("json") ? details_json(*details) : details_report(*details)};
  refuse_name(known, kinds, words[0]);
}

}  // namespace reckon
