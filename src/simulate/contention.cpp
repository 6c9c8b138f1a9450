// SPDX-License-Identifier: Apache-2.0
#include "simulate/contention.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "base/random.hpp"

namespace reckon {
namespace {

constexpr std::size_t most_loads = 8;

/// Where the job's nodes are among the cluster's: side by side, or shuffled (Fisher and Yates).
std::vector<std::int64_t> node_places(std::int64_t nodes, bool scatter, std::uint64_t seed) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(nodes));
  std::iota(out.begin(), out.end(), 0);
  Philox random(seed, 0);
  for (std::size_t i = out.size(); scatter && i > 1; --i) std::swap(out[i - 1], out[random.next() % i]);
  return out;
}

class Links {
 public:
  Links(const Job& job, bool scatter, std::uint64_t seed)
      : strategy_(job.strategy),
        per_node_(std::max<std::int64_t>(1, job.cluster->node.devices_per_node)),
        cluster_(*job.cluster),
        places_(node_places((job.strategy.num_devices() + per_node_ - 1) / per_node_, scatter, seed)),
        topology_(Topology::switched(network_, cluster_, static_cast<std::int64_t>(places_.size()) * per_node_)) {}

  /// The rings of a stage's data group: `bytes` over every edge.
  CollectiveFlow rings(std::int64_t stage, double bytes) const {
    std::map<std::int64_t, std::vector<std::int64_t>> nodes;  // place of the node -> members
    const std::int64_t members = strategy_.context_parallel * strategy_.data_parallel;
    for (std::int64_t k = 0; k < members; ++k) {
      const std::int64_t d = (stage * members + k) * strategy_.tensor_parallel;
      nodes[places_[static_cast<std::size_t>(d / per_node_)]].push_back(places_[static_cast<std::size_t>(d / per_node_)] * per_node_ +
                                                                        d % per_node_);
    }
    std::map<std::uint32_t, double> load;
    const auto add = [&](std::int64_t from, std::int64_t to, double times) {
      std::vector<Crossing> route;
      topology_.add_route(from, to, times, route);
      for (const Crossing& c : route) load[c.link] += c.times;
    };
    for (auto at = nodes.begin(); at != nodes.end(); ++at) {
      const std::vector<std::int64_t>& own = at->second;
      auto after = std::next(at);
      const std::vector<std::int64_t>& next = (after == nodes.end() ? nodes.begin() : after)->second;
      const double r = static_cast<double>(own.size());
      if (nodes.size() > 1)
        for (std::size_t k = 0; k < own.size(); ++k) add(own[k], next[k % next.size()], 1.0 / r);
      for (std::size_t k = 0; k < own.size() && own.size() > 1; ++k)
        add(own[k], own[(k + 1) % own.size()], nodes.size() > 1 ? (r - 1.0) / r : 1.0);
    }
    CollectiveFlow out{bytes, {}, 0};
    for (const auto& [link, times] : load) out.route.push_back({link, times});
    return out;
  }

  FlowNetwork& network() { return network_; }
  const std::vector<std::int64_t>& places() const { return places_; }

  /// The rate of a flow that has all links to itself.
  double rate_alone(const CollectiveFlow& flow) const {
    double rate = std::numeric_limits<double>::infinity();
    for (const Crossing& c : flow.route) rate = std::min(rate, network_.capacity(c.link) / c.times);
    return rate;
  }

  std::vector<LinkLoad> loads(double active) const {
    std::vector<LinkLoad> out;
    for (std::int64_t node = 0; node < static_cast<std::int64_t>(places_.size()); ++node)
      for (std::int64_t d = 0; d < per_node_; ++d) {
        const std::uint32_t up = topology_.nic_up(node * per_node_ + d);
        for (const bool down : {false, true})
          add(out, up + (down ? 1 : 0), fmt::format("node {}, NIC {}, {}", node, d, down ? "down" : "up"), active);
        const std::uint32_t leaf = topology_.leaf_up(node * per_node_ + d);
        if (leaf == FlowNetwork::nothing || node % cluster_.fabric.nodes_per_leaf != 0) continue;
        for (const bool down : {false, true})
          add(out, leaf + (down ? 1 : 0), fmt::format("leaf of node {}, rail {}, {} the spine", node, d, down ? "from" : "to"), active);
      }
    std::stable_sort(out.begin(), out.end(), [](const LinkLoad& a, const LinkLoad& b) { return a.share > b.share; });
    if (out.size() > most_loads) out.resize(most_loads);
    return out;
  }

 private:
  void add(std::vector<LinkLoad>& out, std::uint32_t link, std::string name, double active) const {
    const double bytes = network_.carried(link);
    if (bytes > 0 && active > 0) out.push_back({std::move(name), bytes, bytes / (network_.capacity(link) * active)});
  }

  const Strategy& strategy_;
  std::int64_t per_node_;
  const Cluster& cluster_;
  FlowNetwork network_;
  std::vector<std::int64_t> places_;
  Topology topology_;
};

}  // namespace

Contention simulate_contention(const StepPlan& plan, const StepSimulation& simulation, const Job& job, bool scatter, std::uint64_t seed) {
  Contention out;
  out.reduce_end = simulation.reduce_end;
  const double members = static_cast<double>(job.strategy.context_parallel * job.strategy.data_parallel);
  // times of the messages on a fabric without oversubscription: what sharing costs is found here, not assumed
  Cluster open = *job.cluster;
  open.fabric.oversubscription = 1.0;
  Job alone = job;
  alone.cluster = &open;
  const StepPlan base = job.cluster->fabric.oversubscription > 1.0 ? step_plan(alone) : plan;

  Links scene(job, scatter, seed);
  out.messages = message_contention(job, scene.places());
  const bool slower = std::any_of(out.messages.begin(), out.messages.end(), [](const MessageContention& m) { return m.slowdown > 1.0; });
  if (slower) out.added_messages = simulate_step(with_slower_messages(base, out.messages)).seconds.total() - simulate_step(base).seconds.total();
  if (members < 2) return out;
  const Links roomy(alone, scatter, seed);
  // a message that takes `length` alone: where that is faster than rings can be (trees, reduction in switches), its bytes are fewer
  const auto message = [&](std::size_t stage, double start, double edge, double length) {
    TimedCollective one{start, {}};
    if (length <= 0 || edge <= 0) return one;
    CollectiveFlow flow = scene.rings(static_cast<std::int64_t>(stage), edge);
    flow.bytes = std::min(edge, length * roomy.rate_alone(roomy.rings(static_cast<std::int64_t>(stage), edge)));
    one.limit = flow.bytes / length;
    one.phases.push_back(std::move(flow));
    return one;
  };
  std::vector<TimedCollective> reduces, gathers;
  double first = simulation.timeline.makespan, before_gather = 0;
  for (std::size_t i = 0; i < plan.finish.size(); ++i) {
    const StageFinish& f = base.finish[i];
    const double halves = f.gather > 0 ? 1.0 : 2.0, edge = halves * (members - 1.0) / members * f.reduce_bytes;
    const double start = std::max(0.0, simulation.reduce_end[i] - plan.finish[i].exposed_reduce - (f.reduce - f.exposed_reduce));
    first = std::min(first, start);
    reduces.push_back(message(i, start, edge, f.reduce));
    gathers.push_back(message(i, 0.0, (members - 1.0) / members * f.gather_bytes, f.gather));
    before_gather = std::max(before_gather, f.exposed_gather);
  }
  const std::vector<double> reduced = finish_times(scene.network(), reduces);
  double end = simulation.timeline.makespan;
  for (std::size_t i = 0; i < reduced.size(); ++i) {
    // what an overlap leaves visible stays visible; contention can only add
    const double hidden_end = simulation.reduce_end[i] - plan.finish[i].exposed_reduce + base.finish[i].exposed_reduce;
    out.reduce_end[i] = std::max(hidden_end, reduced[i]);
    end = std::max(end, out.reduce_end[i]);
  }
  double gather = 0, exposed = 0;
  const std::vector<double> gathered = finish_times(scene.network(), gathers);
  for (std::size_t i = 0; i < gathered.size(); ++i) {
    gather = std::max(gather, gathered[i]);
    exposed = std::max(exposed, base.finish[i].exposed_gather + std::max(0.0, gathered[i] - base.finish[i].gather));
  }
  double calm_end = simulation.timeline.makespan;
  for (std::size_t i = 0; i < reduced.size(); ++i)
    calm_end = std::max(calm_end, simulation.reduce_end[i] - plan.finish[i].exposed_reduce + base.finish[i].exposed_reduce);
  out.added = std::max(0.0, end - calm_end) + std::max(0.0, exposed - before_gather);
  if (out.added < 1e-9 * simulation.seconds.total()) out.added = 0;  // rounding
  out.gather = gather;
  out.loads = scene.loads(end - first + gather);
  return out;
}

}  // namespace reckon
