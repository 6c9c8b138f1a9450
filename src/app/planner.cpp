// SPDX-License-Identifier: Apache-2.0
#include "app/planner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "app/cures.hpp"
#include "base/error.hpp"
#include "io/results_columns.hpp"
#include "plan/search.hpp"
#include "plan/strategy_space.hpp"

namespace reckon {
namespace {

constexpr std::array counted{&SearchCounts::space, &SearchCounts::evaluated, &SearchCounts::cut_by_memory, &SearchCounts::cut_by_compute,
                             &SearchCounts::cut_by_pipeline};
static_assert(sizeof(SearchCounts) == counted.size() * sizeof(std::int64_t), "a member of SearchCounts is missing in counted");

constexpr double least_goodput = 0.01;  // the floor of goodput(), where its first-order model ends

/// Without its projection: parts hold strategies that the whole size has better ones than, and a run with those may be absurd.
PlanPoint point_of(const Candidate& candidate, std::int64_t devices) { return {devices, 1, candidate.strategy, candidate.cost, {}}; }

void project_all(std::vector<PlanPoint>& points, const RunPlan& run) {
  for (PlanPoint& p : points) p.projection = project(p.cost.time.total(), p.cost.tokens_per_step, p.devices, run);
}

void append(std::string& message, std::int64_t value) { message.append(reinterpret_cast<const char*>(&value), sizeof value); }

void append(std::string& message, const std::string& text) {
  append(message, static_cast<std::int64_t>(text.size()));
  message += text;
}

std::int64_t take_whole(std::string_view& message) {
  std::int64_t value = 0;
  if (message.size() < sizeof value) throw InternalError("a message between ranks is too short");
  std::memcpy(&value, message.data(), sizeof value);
  message.remove_prefix(sizeof value);
  return value;
}

bool in_time(const PlannedSize& p, Seconds deadline) { return !p.candidates.empty() && p.candidates[0].projection.wall_time <= deadline; }

void sort_by_size(std::vector<PlannedSize>& planned) {
  std::sort(planned.begin(), planned.end(), [](const PlannedSize& a, const PlannedSize& b) { return a.size.devices < b.size.devices; });
}

std::string_view take_text(std::string_view& message) {
  const std::int64_t size = take_whole(message);
  if (size < 0 || static_cast<std::uint64_t>(size) > message.size()) throw InternalError("a message between ranks is too short");
  const std::string_view text = message.substr(0, static_cast<std::size_t>(size));
  message.remove_prefix(text.size());
  return text;
}

}  // namespace

std::string PlanPart::key() const { return fmt::format("devices {} tensor {}", devices, tensor); }

std::vector<PlanPart> plan_parts(const Question& question, const std::vector<std::int64_t>& devices) {
  std::vector<PlanPart> out;
  for (const std::int64_t tensor : tensor_degrees(question))
    for (auto n = devices.rbegin(); n != devices.rend(); ++n)
      if (*n % tensor == 0 && whole_nodes(*question.cluster, *n)) out.push_back({*n, tensor});
  return out;
}

struct PartPlanner::Cut {
  explicit Cut(Question part) : question(std::move(part)), searcher(question) {}
  Question question;
  Searcher searcher;
};

PartPlanner::PartPlanner(const Question& question, std::size_t keep) : question_(question), keep_(keep) {}
PartPlanner::~PartPlanner() = default;

std::optional<std::string> PartPlanner::plan(const PlanPart& part, const std::function<bool()>& go_on) {
  std::unique_ptr<Cut>& cut = cuts_[part.tensor];
  if (!cut) {
    Question own = question_;
    own.space.tensor = {part.tensor};
    cut = std::make_unique<Cut>(std::move(own));
  }
  const SearchResult found = cut->searcher.search(part.devices, {.keep = keep_, .prune = true, .each = {}, .go_on = go_on});
  if (found.stopped) return std::nullopt;
  std::string message;
  for (const auto member : counted) append(message, found.counts.*member);
  append(message, found.too_large);
  std::vector<PlanPoint> best, miss;
  for (const Candidate& c : found.best) best.push_back(point_of(c, part.devices));
  if (found.nearest_miss) miss.push_back(point_of(*found.nearest_miss, part.devices));
  append(message, pack(best));
  append(message, pack(miss));
  return message;
}

PlannedSize join_parts(const Question& question, const RunPlan& run, const std::vector<PlanPart>& parts,
                       const std::map<std::string, std::string>& results, std::int64_t devices, std::size_t keep) {
  PlannedSize out;
  out.size.devices = devices;
  for (const PlanPart& part : parts) {
    if (part.devices != devices) continue;
    const auto result = results.find(part.key());
    if (result == results.end()) throw InternalError("no result of " + part.key());
    std::string_view message = result->second;
    for (const auto member : counted) out.size.counts.*member += take_whole(message);
    out.size.too_large += take_whole(message);
    for (PlanPoint& p : unpack_points(take_text(message))) out.candidates.push_back(std::move(p));
    for (PlanPoint& p : unpack_points(take_text(message)))
      if (out.nearest_misses.empty() || p.cost.memory.total() < out.nearest_misses[0].cost.memory.total()) out.nearest_misses = {std::move(p)};
    if (!message.empty()) throw InternalError("the result of " + part.key() + " is too long");
  }
  std::stable_sort(out.candidates.begin(), out.candidates.end(),
                   [](const PlanPoint& a, const PlanPoint& b) { return a.cost.time.total() < b.cost.time.total(); });
  if (out.candidates.size() > keep) out.candidates.resize(keep);
  for (std::size_t i = 0; i < out.candidates.size(); ++i) out.candidates[i].place = static_cast<std::int64_t>(i) + 1;
  if (!out.candidates.empty()) out.nearest_misses.clear();
  project_all(out.candidates, run);
  project_all(out.nearest_misses, run);
  out.size.considered = out.size.counts.space;
  out.size.status = !out.candidates.empty() ? SizeStatus::fits : !out.nearest_misses.empty() ? SizeStatus::does_not_fit : SizeStatus::no_strategy;
  if (out.size.status != SizeStatus::fits)
    out.size.remark = remark_on(question, out);
  else if (out.candidates[0].projection.goodput.value <= least_goodput)
    out.size.remark = "interruptions leave almost no time to train; days and dollars are at least so many.";
  return out;
}

PlannedSize plan_size(const Question& question, const RunPlan& run, std::int64_t devices, std::size_t keep) {
  PartPlanner planner(question, keep);
  const std::vector<PlanPart> parts = plan_parts(question, {devices});
  std::map<std::string, std::string> results;
  for (const PlanPart& part : parts) results[part.key()] = planner.plan(part, {}).value();
  return join_parts(question, run, parts, results, devices, keep);
}

std::vector<std::int64_t> sizes_between(const std::vector<PlannedSize>& planned, Seconds deadline, std::int64_t devices_per_node) {
  constexpr std::int64_t most = 16;
  std::int64_t low = 0, high = 0;
  for (const PlannedSize& p : planned)
    if (in_time(p, deadline) && (high == 0 || p.size.devices < high)) high = p.size.devices;
  for (const PlannedSize& p : planned)
    if (!p.candidates.empty() && p.size.devices < high) low = std::max(low, p.size.devices);
  if (low == 0) return {};
  const std::int64_t step = std::max<std::int64_t>(1, ((high - low) / most + devices_per_node - 1) / devices_per_node) * devices_per_node;
  std::vector<std::int64_t> out;
  for (std::int64_t n = low + step; n < high; n += step) out.push_back(n);
  return out;
}

void keep_nearest(std::vector<PlannedSize>& planned, std::vector<PlannedSize> extra, Seconds deadline) {
  std::erase_if(extra, [](const PlannedSize& p) { return p.candidates.empty(); });
  sort_by_size(extra);
  const auto enough = std::find_if(extra.begin(), extra.end(), [deadline](const PlannedSize& p) { return in_time(p, deadline); });
  if (enough != extra.begin()) planned.push_back(*(enough - 1));
  if (enough != extra.end()) planned.push_back(*enough);
}

void collect(std::vector<PlannedSize> planned, PlanResults& results) {
  sort_by_size(planned);
  for (PlannedSize& p : planned) {
    results.sizes.push_back(std::move(p.size));
    results.candidates.insert(results.candidates.end(), p.candidates.begin(), p.candidates.end());
    results.nearest_misses.insert(results.nearest_misses.end(), p.nearest_misses.begin(), p.nearest_misses.end());
  }
  mark_front(results);
}

}  // namespace reckon
