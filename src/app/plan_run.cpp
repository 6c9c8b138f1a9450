// SPDX-License-Identifier: Apache-2.0
#include "app/plan_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "app/progress.hpp"
#include "app/say.hpp"
#include "app/shared_work.hpp"
#include "app/together.hpp"
#include "io/journal.hpp"
#include "report/numbers.hpp"

namespace reckon {
namespace {

/// Key and value, one after the other, each behind its length.
std::string to_bytes(const std::map<std::string, std::string>& map) {
  std::string out;
  for (const auto& [key, value] : map)
    for (const std::string& text : {key, value}) {
      const std::uint64_t size = text.size();
      out.append(reinterpret_cast<const char*>(&size), sizeof size);
      out += text;
    }
  return out;
}

std::string take(std::string_view& bytes) {
  std::uint64_t size = 0;
  if (bytes.size() < sizeof size) throw InternalError("a message between ranks is too short");
  std::memcpy(&size, bytes.data(), sizeof size);
  bytes.remove_prefix(sizeof size);
  if (size > bytes.size()) throw InternalError("a message between ranks is too short");
  std::string out(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return out;
}

void from_bytes(std::string_view bytes, std::map<std::string, std::string>& map) {
  while (!bytes.empty()) {
    std::string key = take(bytes);
    map[std::move(key)] = take(bytes);
  }
}

JournalRecords earlier_work(const PlanRunSettings& settings) {
  try {
    return read_journals(settings.journal, settings.run);
  } catch (const ConfigError&) {
    if (!settings.replace) throw;
    remove_journals(settings.journal);
    return {};
  }
}

}  // namespace

PlanRun::PlanRun(const Question& question, const RunPlan& run, PlanRunSettings settings, const MpiSession& session, const StopWatch& stop)
    : question_(question), run_(run), settings_(std::move(settings)), session_(session), stop_(stop), planner_(question, settings_.keep) {
  if (settings_.journal.empty()) return;
  std::string keys;
  together(session_, [&] {
    if (!session_.is_root()) return;
    JournalRecords records = earlier_work(settings_);
    if (records.dropped > 0 && !settings_.quiet)
      say(fmt::format("reckon: {} damaged line{} of the journal left out; that work is done again\n", records.dropped, records.dropped == 1 ? "" : "s"));
    done_ = std::move(records.values);
    std::map<std::string, std::string> names;
    for (const auto& [key, value] : done_) names[key] = "";
    keys = to_bytes(names);
  });
  session_.broadcast(keys);
  if (!session_.is_root()) from_bytes(keys, done_);
  resumed_ = static_cast<std::int64_t>(done_.size());
}

std::vector<PlannedSize> PlanRun::plan(const std::vector<std::int64_t>& devices) {
  const std::vector<PlanPart> parts = plan_parts(question_, devices);
  std::vector<PlanPart> todo;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (static_cast<std::int64_t>(i) % settings_.array.tasks == settings_.array.task && done_.find(parts[i].key()) == done_.end())
      todo.push_back(parts[i]);
  std::map<std::string, std::string> own;
  together(session_, [&] { own = work(todo); });
  gather(own);
  // other tasks of an array may have finished meanwhile
  if (settings_.array.tasks > 1) together(session_, [&] {
    if (session_.is_root()) done_ = read_journals(settings_.journal, settings_.run).values;
  });

  require_all(parts);
  std::vector<PlannedSize> out;
  together(session_, [&] {
    if (!session_.is_root()) return;
    for (const std::int64_t n : devices) out.push_back(join_parts(question_, run_, parts, done_, n, settings_.keep));
  });
  return out;
}

void PlanRun::require_all(const std::vector<PlanPart>& parts) const {
  const bool stopped = session_.all_reduce_max(stop_.requested() ? 1 : 0) != 0;
  std::string message;
  const auto finished = std::count_if(parts.begin(), parts.end(), [this](const PlanPart& p) { return done_.count(p.key()) != 0; });
  if (session_.is_root() && finished < static_cast<std::int64_t>(parts.size())) {
    const std::string how_far = fmt::format("{} of {} parts", grouped(finished), grouped(static_cast<std::int64_t>(parts.size())));
    const std::string how_on = settings_.journal.empty() ? "; with --out the same command would go on from here" : "; resume with the same command";
    message = stopped ? "stopped at " + how_far + (stop_.reason().empty() ? "" : " by " + stop_.reason()) + how_on
                      : "this task's share is done, " + how_far + " in all; the last task of the array writes the answer";
  }
  session_.broadcast(message);
  if (message.empty()) return;
  if (stopped) throw StoppedError(message);
  throw ShareDone(message);
}

std::map<std::string, std::string> PlanRun::work(const std::vector<PlanPart>& todo) {
  std::map<std::string, std::string> out;
  std::optional<JournalWriter> journal;
  if (!settings_.journal.empty())
    journal.emplace(settings_.journal, fmt::format("{}.{}", settings_.array.task, session_.rank()), settings_.run);
  const auto total = static_cast<std::int64_t>(todo.size());
  Progress progress("planning", "parts", (total + session_.size() - 1) / session_.size(), settings_.quiet || !session_.is_root());
  share_work(session_, total, stop_, [&](std::int64_t number, const std::function<bool()>& go_on) {
    const PlanPart& part = todo[static_cast<std::size_t>(number)];
    const std::optional<std::string> result = planner_.plan(part, go_on);
    if (!result) return;
    if (journal) journal->append(part.key(), *result);
    out[part.key()] = *result;
    progress.advance();
  });
  if (journal) journal->sync();
  return out;
}

void PlanRun::gather(const std::map<std::string, std::string>& own) {
  for (const std::string& part : session_.gather(to_bytes(own))) from_bytes(part, done_);
  if (session_.is_root()) return;
  for (const auto& [key, value] : own) done_[key] = "";
}

}  // namespace reckon
