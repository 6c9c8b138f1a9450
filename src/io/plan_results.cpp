// SPDX-License-Identifier: Apache-2.0
#include "io/plan_results.hpp"

#include <algorithm>

#include "plan/search.hpp"

namespace reckon {
namespace {

const PlanPoint* first_of(const std::vector<PlanPoint>& points, std::int64_t devices) {
  const auto at = std::find_if(points.begin(), points.end(), [devices](const PlanPoint& p) { return p.devices == devices; });
  return at == points.end() ? nullptr : &*at;
}

}  // namespace

const PlanPoint* PlanResults::best_of(std::int64_t devices) const { return first_of(candidates, devices); }
const PlanPoint* PlanResults::nearest_miss_of(std::int64_t devices) const { return first_of(nearest_misses, devices); }

std::vector<const PlanPoint*> PlanResults::best_points() const {
  std::vector<const PlanPoint*> out;
  for (const PlanSize& size : sizes)
    if (const PlanPoint* p = best_of(size.devices)) out.push_back(p);
  return out;
}

void mark_front(PlanResults& results) {
  std::vector<double> time, cost;
  std::vector<std::size_t> index;
  for (std::size_t i = 0; i < results.sizes.size(); ++i) {
    results.sizes[i].on_front = false;
    const PlanPoint* best = results.best_of(results.sizes[i].devices);
    if (best == nullptr) continue;
    time.push_back(best->projection.wall_time.base());
    cost.push_back(static_cast<double>(best->projection.cost_micro_usd));
    index.push_back(i);
  }
  for (const std::size_t i : pareto_front(time, cost)) results.sizes[index[i]].on_front = true;
}

}  // namespace reckon
