// SPDX-License-Identifier: Apache-2.0
#include "simulate/link_use.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.hpp"
#include "base/random.hpp"

namespace reckon {
namespace {

using Members = std::vector<std::int64_t>;

/// Where the job's nodes are among the cluster's: side by side, or shuffled (Fisher and Yates).
std::vector<std::int64_t> node_places(std::int64_t nodes, const ClusterLayout& layout) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(nodes));
  std::iota(out.begin(), out.end(), 0);
  Philox random(layout.seed, 0);
  for (std::size_t i = out.size(); layout.scatter && i > 1; --i) std::swap(out[i - 1], out[random.next() % i]);
  return out;
}

std::int64_t pair_of(std::int64_t from, std::int64_t to) { return from << 32 | to; }

Topology topology_of(FlowNetwork& network, const Cluster& cluster, std::int64_t devices, const std::vector<std::int64_t>& torus) {
  if (torus.empty()) return Topology::switched(network, cluster, devices);
  const double ways = 2.0 * static_cast<double>(torus.size());  // a device's bandwidth is the sum of its links
  return Topology::torus(network, torus, cluster.device.link_bandwidth * (1.0 / ways));
}

}  // namespace

/// Loads of all links, kind by kind.
class LinkUse::Loader {
 public:
  Loader(const Job& job, const ClusterLayout& layout)
      : order_(job.strategy),
        per_node_(layout.torus.empty() ? std::max<std::int64_t>(1, job.cluster->node.devices_per_node) : 1),
        places_(node_places((job.strategy.num_devices() + per_node_ - 1) / per_node_, layout)),
        topology_(topology_of(network_, *job.cluster, static_cast<std::int64_t>(places_.size()) * per_node_, layout.torus)),
        torus_(!layout.torus.empty()) {
    Cluster open = *job.cluster;
    open.fabric.oversubscription = 1.0;
    topology_of(open_, open, static_cast<std::int64_t>(places_.size()) * per_node_, layout.torus);
    load_.assign(network_.num_links(), 0.0);
  }

  void groups(Key key, std::int64_t size, std::int64_t stride, bool all_pairs) {
    if (size < 2) return;
    for (const Members& members : order_.groups(size, stride)) {
      Members devices;
      for (const std::int64_t place : members) devices.push_back(device(key.second, place));
      if (all_pairs)
        pairs(devices);
      else
        rings(devices);
    }
    store(key, all_pairs);
  }

  void transfers(std::int64_t from, std::int64_t to) {
    for (std::int64_t place = 0; place < order_.width(); ++place) add(device(from, place), device(to, place), 1.0);
    store({static_cast<int>(Stream::pipeline), pair_of(from, to)}, false);
  }

  /// Links with the same capacity and the same share of every flow become one.
  void classify(LinkUse& out) {
    std::map<std::vector<double>, std::uint32_t> known;
    for (const auto& [link, use] : use_) {
      std::vector<double> signature{network_.capacity(link)};
      for (const auto& [flow, times] : use)
        signature.insert(signature.end(), {static_cast<double>(flow), std::round(times * 1e9)});  // sums differ in rounding
      const auto [at, is_new] = known.emplace(std::move(signature), static_cast<std::uint32_t>(out.classes_.size()));
      if (is_new) {
        out.classes_.push_back({network_.capacity(link), link, 0});
        for (const auto& [flow, times] : use) flows_[flow].second.route.push_back({at->second, times});
      }
      ++out.classes_[at->second].count;
    }
    for (const Class& c : out.classes_)
      out.names_.push_back(topology_.link_name(c.link) + (c.count > 1 ? fmt::format(" and {} alike", c.count - 1) : ""));
    for (auto& [key, flow] : flows_) out.flows_.emplace(key, std::move(flow));
  }

 private:
  std::int64_t device(std::int64_t stage, std::int64_t place) const {
    const std::int64_t d = order_.number(stage, place);
    return places_[static_cast<std::size_t>(d / per_node_)] * per_node_ + d % per_node_;
  }

  void add(std::int64_t from, std::int64_t to, double times) {
    route_.clear();
    topology_.add_route(from, to, times, route_);
    for (const Crossing& c : route_) {
      if (load_[c.link] == 0) touched_.push_back(c.link);
      load_[c.link] += c.times;
    }
    leaves_ = leaves_ || !topology_.together(from, to);
  }

  void pairs(const Members& members) {
    for (const std::int64_t a : members)
      for (const std::int64_t b : members) add(a, b, 1.0);
  }

  /// Rings over the domains, one a member inside; each carries its share.
  void rings(const Members& members) {
    std::map<std::int64_t, Members> domains;
    for (const std::int64_t d : members) domains[torus_ ? 0 : d / topology_.domain()].push_back(d);
    for (auto at = domains.begin(); at != domains.end(); ++at) {
      const auto after = std::next(at);
      const Members &own = at->second, &next = (after == domains.end() ? domains.begin() : after)->second;
      const double r = static_cast<double>(own.size());
      if (domains.size() > 1)
        for (std::size_t k = 0; k < own.size(); ++k) add(own[k], next[k % next.size()], 1.0 / r);
      for (std::size_t k = 0; k < own.size() && own.size() > 1; ++k)
        add(own[k], own[(k + 1) % own.size()], domains.size() > 1 ? (r - 1.0) / r : 1.0);
    }
  }

  void store(Key key, bool all_pairs) {
    GroupFlow flow;
    flow.all_pairs = all_pairs;
    flow.leaves_domain = leaves_;
    flow.open_rate = std::numeric_limits<double>::infinity();
    for (const std::uint32_t link : touched_) {
      flow.open_rate = std::min(flow.open_rate, open_.capacity(link) / load_[link]);
      use_[link].emplace_back(flows_.size(), load_[link]);
      load_[link] = 0;
    }
    touched_.clear();
    leaves_ = false;
    flows_.emplace_back(key, std::move(flow));
  }

  DeviceOrder order_;
  std::int64_t per_node_;
  std::vector<std::int64_t> places_;
  FlowNetwork network_, open_;
  Topology topology_;
  bool torus_, leaves_ = false;
  std::vector<double> load_;
  std::vector<Crossing> route_;
  std::vector<std::uint32_t> touched_;
  std::vector<std::pair<Key, GroupFlow>> flows_;
  std::map<std::uint32_t, std::vector<std::pair<std::size_t, double>>> use_;  // by link: flow and how often it crosses
};

LinkUse::LinkUse(const Job& job, const PipelineShape& shape, const ClusterLayout& layout) {
  const Strategy& s = job.strategy;
  if (!layout.torus.empty()) {
    std::int64_t places = 1;
    for (const std::int64_t size : layout.torus) places *= size;
    if (places != s.num_devices())
      throw UsageError(fmt::format("the torus has {} places, the strategy {} devices", places, s.num_devices()), "give sizes that fit");
    if (layout.scatter) throw UsageError("a slice of a torus is in one piece", "leave out --scatter or --torus");
  }
  Loader loader(job, layout);
  for (std::int64_t i = 0; i < s.pipeline_parallel; ++i) {
    loader.groups({static_cast<int>(Stream::tensor), i}, s.tensor_parallel, 1, false);
    loader.groups({static_cast<int>(Stream::context), i}, s.context_parallel, s.tensor_parallel, false);
    if (s.expert_parallel > 1) loader.groups({static_cast<int>(Stream::expert), i}, s.expert_parallel, s.expert_tensor(), true);
    loader.groups({static_cast<int>(Stream::data), i}, s.context_parallel * s.data_parallel, s.tensor_parallel, false);
  }
  std::vector<std::int64_t> pairs;
  for (std::int32_t direction = 0; direction < (shape.layout == Layout::mirrored ? 2 : 1); ++direction)
    for (std::int32_t place = 0; place + 1 < shape.places(); ++place) {
      const std::int64_t from = shape.stage_at(place, direction), to = shape.stage_at(place + 1, direction);
      if (from != to) pairs.push_back(pair_of(from, to)), pairs.push_back(pair_of(to, from));
    }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (const std::int64_t pair : pairs) loader.transfers(pair >> 32, pair & 0xffffffff);
  loader.classify(*this);
}

const GroupFlow* LinkUse::group(Stream stream, std::int64_t stage) const {
  const auto found = flows_.find({static_cast<int>(stream), stage});
  return found == flows_.end() ? nullptr : &found->second;
}

const GroupFlow* LinkUse::transfer(std::int64_t from, std::int64_t to) const { return group(Stream::pipeline, pair_of(from, to)); }

FlowNetwork LinkUse::network() const {
  FlowNetwork out;
  for (const Class& c : classes_) out.add_link(c.capacity);
  return out;
}

std::string LinkUse::class_name(std::uint32_t link) const { return names_.at(link); }

}  // namespace reckon
