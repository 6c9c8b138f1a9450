// SPDX-License-Identifier: Apache-2.0
#include "app/planner.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "app/cures.hpp"
#include "base/error.hpp"
#include "io/results_columns.hpp"
#include "plan/search.hpp"

namespace reckon {
namespace {

constexpr double least_goodput = 0.01;  // the floor of goodput(), where its first-order model ends

PlanPoint point_of(const Candidate& candidate, std::int64_t devices, std::int64_t place, const RunPlan& run) {
  return {devices, place, candidate.strategy, candidate.cost,
          project(candidate.cost.time.total(), candidate.cost.tokens_per_step, devices, run)};
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

PlannedSize plan_size(const Question& question, const RunPlan& run, std::int64_t devices, std::size_t keep) {
  PlannedSize out;
  out.size.devices = devices;
  if (whole_nodes(*question.cluster, devices)) {
    const SearchResult found = search(question, devices, keep);
    out.size.considered = found.considered;
    out.size.too_large = found.too_large;
    out.size.status = !found.best.empty() ? SizeStatus::fits : found.nearest_miss ? SizeStatus::does_not_fit : SizeStatus::no_strategy;
    for (const Candidate& c : found.best)
      out.candidates.push_back(point_of(c, devices, static_cast<std::int64_t>(out.candidates.size()) + 1, run));
    if (found.nearest_miss) out.nearest_misses.push_back(point_of(*found.nearest_miss, devices, 1, run));
  }
  if (out.size.status != SizeStatus::fits)
    out.size.remark = remark_on(question, out);
  else if (out.candidates[0].projection.goodput.value <= least_goodput)
    out.size.remark = "interruptions leave almost no time to train; days and dollars are at least so many.";
  return out;
}

std::string pack(const std::vector<PlannedSize>& planned) {
  std::string message;
  append(message, static_cast<std::int64_t>(planned.size()));
  for (const PlannedSize& p : planned) {
    append(message, p.size.devices);
    append(message, static_cast<std::int64_t>(p.size.status));
    append(message, p.size.considered);
    append(message, p.size.too_large);
    append(message, p.size.remark);
    append(message, pack(p.candidates));
    append(message, pack(p.nearest_misses));
  }
  return message;
}

std::vector<PlannedSize> unpack_planned(std::string_view message) {
  std::vector<PlannedSize> out;
  for (std::int64_t left = take_whole(message); left > 0; --left) {
    PlannedSize& p = out.emplace_back();
    p.size.devices = take_whole(message);
    p.size.status = static_cast<SizeStatus>(take_whole(message));
    p.size.considered = take_whole(message);
    p.size.too_large = take_whole(message);
    p.size.remark = take_text(message);
    p.candidates = unpack_points(take_text(message));
    p.nearest_misses = unpack_points(take_text(message));
  }
  if (!message.empty()) throw InternalError("a message between ranks is too long");
  return out;
}

std::vector<PlannedSize> plan_share(const Question& question, const RunPlan& run, const std::vector<std::int64_t>& devices,
                                    std::size_t keep, int rank, int num_ranks, const std::function<void()>& finished) {
  std::vector<PlannedSize> out;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (static_cast<int>(i % static_cast<std::size_t>(num_ranks)) != rank) continue;
    out.push_back(plan_size(question, run, devices[devices.size() - 1 - i], keep));
    finished();
  }
  return out;
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
