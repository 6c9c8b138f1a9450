// SPDX-License-Identifier: Apache-2.0
#include "plan/regret.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace reckon {

std::vector<RegretGroup> regret_groups(const std::vector<PublishedRun>& runs, const std::vector<Replay>& replays, std::size_t least) {
  std::map<std::string, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (replays[i].status == ReplayStatus::unsupported) continue;
    const PublishedRun& r = runs[i];
    const Transformer* t = r.architecture.transformer();
    members[fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", r.architecture.name, r.cluster.device.id, r.strategy.num_devices(),
                        r.strategy.global_batch_size, t != nullptr ? t->seq_len : 0, name_of(r.strategy.precision), r.stack,
                        r.detail.container)]
        .push_back(i);
  }
  std::vector<RegretGroup> out;
  for (const auto& [key, indices] : members) {
    std::set<std::string> strategies;
    for (const std::size_t i : indices) strategies.insert(describe(runs[i].strategy));
    if (strategies.size() < least) continue;
    const auto predicted = [&](std::size_t i) { return replays[i].cost.time.total(); };
    const std::size_t pick = *std::min_element(indices.begin(), indices.end(), [&](auto a, auto b) { return predicted(a) < predicted(b); });
    Seconds best = runs[pick].step_time;
    for (const std::size_t i : indices) best = min(best, runs[i].step_time);
    const PublishedRun& r = runs[pick];
    out.push_back({fmt::format("{}, {} {}, batch {}", r.architecture.name, r.strategy.num_devices(), r.cluster.device.id,
                               r.strategy.global_batch_size),
                   strategies.size(), runs[pick].step_time / best - 1.0});
  }
  return out;
}

}  // namespace reckon
