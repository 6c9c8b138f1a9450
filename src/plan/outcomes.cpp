// SPDX-License-Identifier: Apache-2.0
#include "plan/outcomes.hpp"

#include <functional>
#include <tuple>

namespace reckon {
namespace {

using Key = std::tuple<double, double, double>;

std::optional<std::size_t> least(const std::vector<Outcome>& outcomes, const std::function<bool(const Outcome&)>& allowed,
                                 const std::function<Key(const Outcome&)>& key) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    if (allowed(outcomes[i]) && (!best || key(outcomes[i]) < key(outcomes[*best]))) best = i;
  return best;
}

Key by_time(const Outcome& o) { return {o.time.base(), o.cost.base(), o.devices}; }
Key by_cost(const Outcome& o) { return {o.cost.base(), o.time.base(), o.devices}; }
Key by_energy(const Outcome& o) { return {o.energy.base(), o.cost.base(), o.time.base()}; }

bool beats(const Outcome& a, const Outcome& b) {
  if (a.devices > b.devices || a.time > b.time || a.cost > b.cost) return false;
  return a.devices < b.devices || a.time < b.time || a.cost < b.cost;
}

}  // namespace

std::vector<Wish> best_by_wish(const std::vector<Outcome>& outcomes, std::optional<Seconds> deadline, std::optional<Dollars> budget) {
  const auto any = [](const Outcome&) { return true; };
  std::vector<Wish> out{{"fastest", least(outcomes, any, by_time)}, {"cheapest", least(outcomes, any, by_cost)}, {"least energy", least(outcomes, any, by_energy)}};
  if (deadline) out.push_back({"cheapest by the deadline", least(outcomes, [&](const Outcome& o) { return o.time <= *deadline; }, by_cost)});
  if (budget) out.push_back({"fastest within the budget", least(outcomes, [&](const Outcome& o) { return o.cost <= *budget; }, by_time)});
  return out;
}

std::vector<std::size_t> outcome_front(const std::vector<Outcome>& outcomes) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    bool beaten = false;
    for (std::size_t k = 0; k < outcomes.size() && !beaten; ++k) beaten = beats(outcomes[k], outcomes[i]);
    if (!beaten) out.push_back(i);
  }
  return out;
}

}  // namespace reckon
