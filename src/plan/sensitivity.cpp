// SPDX-License-Identifier: Apache-2.0
#include "plan/sensitivity.hpp"

#include <algorithm>
#include <functional>

namespace reckon {
namespace {

struct Changed {
  Cluster cluster;
  Stack stack;
};

struct Input {
  const char* name;
  std::function<void(Changed&, double better)> improve;  ///< better = 1.1 for a tenth
};

const std::vector<Input>& inputs() {
  static const std::vector<Input> all{
      {"matrix products and attention", [](Changed& c, double b) { c.stack.constants.product_slowdown /= b; }},
      {"memory bandwidth", [](Changed& c, double b) { c.stack.constants.stream_slowdown /= b; }},
      {"links inside a node", [](Changed& c, double b) { c.cluster.device.link_bandwidth *= b; }},
      {"NICs", [](Changed& c, double b) { c.cluster.fabric.nic_bandwidth *= b; }},
      {"device memory", [](Changed& c, double b) { c.cluster.device.memory *= b; }},
      {"launches from the host", [](Changed& c, double b) { c.stack.constants.host_time = c.stack.constants.host_time / b; }},
      {"stragglers and noise", [](Changed& c, double b) { c.stack.constants.scale_jitter /= b; }},
  };
  return all;
}

}  // namespace

std::vector<InputEffect> input_effects(const Question& question, const Candidate& base, double share) {
  std::vector<InputEffect> out;
  const Seconds before = base.cost.time.total();
  for (const Input& input : inputs()) {
    Changed changed{*question.cluster, *question.stack};
    input.improve(changed, 1.0 + share);
    Question other = question;
    other.cluster = &changed.cluster;
    other.stack = &changed.stack;
    const SearchResult found = search(other, base.strategy.num_devices(), 1);
    if (found.best.empty()) continue;
    InputEffect s{input.name, found.best[0].cost.time.total() / before - 1.0, found.best[0].strategy, false, 0.0};
    s.same = describe(s.best) == describe(base.strategy) && s.best.precision == base.strategy.precision;
    s.kept = step_cost(other.job(base.strategy)).time.total() / before - 1.0;
    out.push_back(std::move(s));
  }
  std::stable_sort(out.begin(), out.end(), [](const InputEffect& a, const InputEffect& b) { return a.change < b.change; });
  return out;
}

}  // namespace reckon
