// SPDX-License-Identifier: Apache-2.0
#include "plan/search.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "plan/enumerate.hpp"

namespace reckon {
namespace {

/// The settings that price_model reads.
using PriceKey = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, Recompute, bool, bool>;

PriceKey key_of(const Strategy& s) {
  return {s.tensor_parallel, s.context_parallel, s.expert_parallel, s.expert_tensor(), s.micro_batch_size, s.recompute, s.sequence_parallel, s.num_micro_batches() > 1};
}

}  // namespace

SearchResult search(const Question& question, std::int64_t num_devices, std::size_t keep) {
  SearchResult out;
  out.num_devices = num_devices;
  const Bytes capacity = question.cluster->device.memory * (1.0 - question.memory_margin);
  std::map<PriceKey, PricedModel> priced;
  for_each_strategy(question, num_devices, [&](const Strategy& s) {
    const Job job = question.job(s);
    auto [it, fresh] = priced.try_emplace(key_of(s));
    if (fresh) it->second = price_model(job);
    const StepCost cost = step_cost(job, it->second);
    ++out.considered;
    if (!cost.fits(capacity)) {
      ++out.too_large;
      if (!out.nearest_miss || cost.memory.total() < out.nearest_miss->cost.memory.total()) out.nearest_miss = Candidate{s, cost};
      return;
    }
    const auto at = std::upper_bound(out.best.begin(), out.best.end(), cost.time.total(),
                                     [](Seconds t, const Candidate& c) { return t < c.cost.time.total(); });
    if (at - out.best.begin() >= static_cast<std::ptrdiff_t>(keep)) return;
    out.best.insert(at, Candidate{s, cost});
    if (out.best.size() > keep) out.best.pop_back();
  });
  if (!out.best.empty()) out.nearest_miss.reset();
  return out;
}

std::vector<std::size_t> pareto_front(const std::vector<double>& first, const std::vector<double>& second) {
  std::vector<std::size_t> order(first.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return first[a] != first[b] ? first[a] < first[b] : second[a] < second[b]; });
  std::vector<std::size_t> out;
  for (const std::size_t i : order)
    if (out.empty() || second[i] < second[out.back()]) out.push_back(i);
  return out;
}

}  // namespace reckon
