// SPDX-License-Identifier: Apache-2.0
#include "app/keep_all.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "app/plan_run.hpp"
#include "app/planner.hpp"
#include "app/progress.hpp"
#include "app/shared_work.hpp"
#include "app/together.hpp"
#include "io/strategy_batches.hpp"
#include "plan/search.hpp"
#include "plan/strategy_space.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;

/// Of one part; nothing more than what is whole when `go_on` says no.
std::int64_t keep_part(const Question& question, const PlanPart& part, const PlanProvenance& provenance, const fs::path& folder,
                       const std::function<bool()>& go_on) {
  Question own = question;
  own.space.tensor = {part.tensor};
  StrategyBatches batches(folder, fmt::format("{}.devices-{}.tensor-{}", provenance.uuid, part.devices, part.tensor), part.devices,
                          provenance);
  const auto each = [&](const EvaluatedRow& row) {
    for (std::size_t i = 0; i < row.count; ++i)
      batches.add({row.block->at(row.work, row.pipeline, i), Seconds{row.seconds[i]}, Bytes{row.bytes[i]}, row.fits[i] != 0});
  };
  const SearchResult found = Searcher(own).search(part.devices, {.keep = 0, .prune = false, .each = each, .go_on = go_on});
  if (found.stopped) return 0;
  batches.finish();
  return batches.rows();
}

}  // namespace

void check_batch_folder(const fs::path& folder, const std::string& uuid) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  if (!fs::is_directory(folder, error)) throw UsageError(folder.string() + " is no folder", "name a new folder");
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().rfind(uuid + ".", 0) != 0)
      throw UsageError(folder.string() + " holds " + entry.path().filename().string() + ", which is not of this run", "name a new folder");
}

std::int64_t keep_all(const Question& question, const std::vector<std::int64_t>& devices, const PlanProvenance& provenance,
                      const fs::path& folder, const MpiSession& session, const StopWatch& stop, bool quiet) {
  const std::vector<PlanPart> parts = plan_parts(question, devices);
  const auto total = static_cast<std::int64_t>(parts.size());
  Progress progress("writing all strategies", "parts", (total + session.size() - 1) / session.size(), quiet || !session.is_root());
  std::int64_t strategies = 0;
  together(session, [&] {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw FileError(folder.string(), "cannot make the folder: " + error.message());
    share_work(session, total, stop, [&](std::int64_t number, const std::function<bool()>& go_on) {
      strategies += keep_part(question, parts[static_cast<std::size_t>(number)], provenance, folder, go_on);
      progress.advance();
    });
  });
  if (session.all_reduce_max(stop.requested() ? 1 : 0) != 0)
    throw StoppedError("stopped while writing all strategies; the same command goes on with the batches that are not there yet");
  std::int64_t sum = 0;
  for (const std::string& part : session.gather(std::to_string(strategies))) sum += std::stoll(part);
  std::string all = std::to_string(sum);
  session.broadcast(all);
  return std::stoll(all);
}

}  // namespace reckon
