// SPDX-License-Identifier: Apache-2.0
#include "app/cures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "plan/strategy_space.hpp"
#include "plan/search.hpp"
#include "report/numbers.hpp"
#include "report/plan_report.hpp"

namespace reckon {
namespace {

constexpr std::int64_t most_tries = 48;  // nodes away from the size that was asked for
constexpr std::int64_t most_devices = 1 << 20;

std::string gib(Bytes size) { return significant(size.in(gibibytes)) + " GiB"; }

bool divides(const Question& question, std::int64_t devices) {
  if (devices < 1 || !whole_nodes(*question.cluster, devices)) return false;
  std::int64_t strategies = 0;
  for_each_strategy(question, devices, [&strategies](const Strategy&) { ++strategies; });
  return strategies > 0;
}

/// The nearest size below (step < 0) or above that some strategy divides; 0 when none is near.
std::int64_t nearest_size(const Question& question, std::int64_t devices, std::int64_t step) {
  const std::int64_t node = std::abs(step);
  std::int64_t size = devices / node * node;
  if (step > 0 || size == devices) size += step;
  for (std::int64_t i = 0; i < most_tries && size > 0; ++i, size += step)
    if (divides(question, size)) return size;
  return 0;
}

std::string division_remark(const Question& question, std::int64_t devices) {
  const std::int64_t node = question.cluster->node.devices_per_node;
  std::string out;
  if (whole_nodes(*question.cluster, devices)) {
    out = fmt::format(
        "no strategy divides {} devices and {} samples of a step exactly (data_parallel x micro_batch_size must divide the batch, "
        "tensor_parallel the heads)",
        grouped(devices), grouped(question.global_batch_size));
  } else {
    out = fmt::format("{} devices are not whole nodes of {}", grouped(devices), node);
  }
  std::vector<std::string> near;
  for (const std::int64_t step : {-node, node})
    if (const std::int64_t size = nearest_size(question, devices, step); size > 0) near.push_back(grouped(size));
  if (!near.empty()) return out + "; the nearest sizes that work are " + join(near, " and ") + ".";
  return out + "; choose another --batch, or lift restrictions of the strategies.";
}

/// The search space with one restriction lifted.
struct Relaxation {
  const char* words;
  std::function<void(SearchSpace&)> lift;
};

std::vector<Relaxation> relaxations(const SearchSpace& space) {
  const SearchSpace free;
  std::vector<Relaxation> out;
  if (std::find(space.recompute.begin(), space.recompute.end(), Recompute::full) == space.recompute.end())
    out.push_back({"--recompute full", [](SearchSpace& s) { s.recompute = {Recompute::full}; }});
  if (std::find(space.sharding.begin(), space.sharding.end(), Sharding::zero3) == space.sharding.end())
    out.push_back({"--sharding zero3", [](SearchSpace& s) { s.sharding = {Sharding::zero3}; }});
  if (space.sharding == std::vector<Sharding>{Sharding::none})
    out.push_back({"--sharding zero1", [](SearchSpace& s) { s.sharding = {Sharding::zero1}; }});
  if (!space.micro_batch.empty()) out.push_back({"another --mb", [](SearchSpace& s) { s.micro_batch.clear(); }});
  if (!space.tensor.empty()) out.push_back({"another --tp", [](SearchSpace& s) { s.tensor.clear(); }});
  if (!space.pipeline.empty()) out.push_back({"another --pp", [](SearchSpace& s) { s.pipeline.clear(); }});
  if (!space.context.empty()) out.push_back({"another --cp", [](SearchSpace& s) { s.context.clear(); }});
  if (!space.expert.empty()) out.push_back({"another --ep", [](SearchSpace& s) { s.expert.clear(); }});
  if (out.size() > 1) out.push_back({"no restriction of the strategies", [free](SearchSpace& s) { s = free; }});
  return out;
}

/// The first doubling of `devices` on which something fits, as a sentence; empty when none does.
std::string larger_cure(const Question& question, std::int64_t devices, const std::string& condition) {
  const std::int64_t limit = std::min(question.cluster->max_devices > 0 ? question.cluster->max_devices : most_devices, devices * 64);
  for (std::int64_t more = devices * 2; more <= limit; more *= 2) {
    if (!whole_nodes(*question.cluster, more)) continue;
    const SearchResult found = search(question, more, 1);
    if (!found.best.empty())
      return fmt::format("{}{} devices fit in {} as {}.", condition, grouped(more), gib(found.best[0].cost.memory.total()),
                         short_strategy(found.best[0].strategy));
  }
  return "";
}

std::string memory_cure(const Question& question, std::int64_t devices) {
  const std::vector<Relaxation> lifted = relaxations(question.space);
  for (const Relaxation& r : lifted) {
    Question relaxed = question;
    r.lift(relaxed.space);
    const SearchResult found = search(relaxed, devices, 1);
    if (!found.best.empty())
      return fmt::format("With {} it fits in {} as {}.", r.words, gib(found.best[0].cost.memory.total()),
                         short_strategy(found.best[0].strategy));
  }
  std::string cure = larger_cure(question, devices, "");
  if (cure.empty() && !lifted.empty()) {
    Question free = question;
    free.space = SearchSpace();
    cure = larger_cure(free, devices, "Without restrictions of the strategies ");
  }
  return cure.empty() ? "More devices do not help; choose devices with more memory, shorter sequences or a smaller model." : cure;
}

}  // namespace

bool whole_nodes(const Cluster& cluster, std::int64_t devices) {
  const std::int64_t node = cluster.node.devices_per_node;
  return devices % node == 0 || (devices < node && node % devices == 0);
}

std::string remark_on(const Question& question, const PlannedSize& planned) {
  const std::int64_t devices = planned.size.devices;
  if (planned.nearest_misses.empty()) return division_remark(question, devices);
  const PlanPoint& miss = planned.nearest_misses[0];
  const Bytes usable = question.cluster->device.memory * (1.0 - question.memory_margin), needed = miss.cost.memory.total();
  return fmt::format("the smallest of {} strategies, {}, needs {} of {} ({} too much). {}", grouped(planned.size.considered),
                     short_strategy(miss.strategy), gib(needed), gib(usable), gib(needed - usable), memory_cure(question, devices));
}

}  // namespace reckon
