// SPDX-License-Identifier: Apache-2.0
#include "simulate/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.hpp"

namespace reckon {
namespace {

/// Adds up crossings of the same link, in the order of links.
std::vector<Crossing> merged(const std::vector<Crossing>& route) {
  std::map<std::uint32_t, double> sum;
  for (const Crossing& c : route) sum[c.link] += c.times;
  std::vector<Crossing> out;
  for (const auto& [link, times] : sum) out.push_back({link, times});
  return out;
}

}  // namespace

Topology Topology::switched(FlowNetwork& network, const Cluster& cluster, std::int64_t num_devices, double efficiency) {
  Topology t;
  const Node& node = cluster.node;
  t.num_devices_ = num_devices;
  t.devices_per_node_ = std::max<std::int64_t>(1, node.devices_per_node);
  t.domain_ = std::max({std::int64_t{1}, node.scale_up_domain, node.devices_per_node});
  t.nics_ = std::max<std::int64_t>(1, node.nics_per_node);
  const std::int64_t nodes = (num_devices + t.devices_per_node_ - 1) / t.devices_per_node_;
  const BytesPerSecond link = cluster.device.link_bandwidth.base() > 0 ? cluster.device.link_bandwidth : cluster.device.pcie_bandwidth;
  t.has_domain_links_ = link.base() > 0;
  t.device_ = static_cast<std::uint32_t>(network.num_links());
  for (std::int64_t d = 0; t.has_domain_links_ && d < 2 * num_devices; ++d) network.add_link(link.base() * efficiency);
  t.nic_ = static_cast<std::uint32_t>(network.num_links());
  for (std::int64_t n = 0; n < 2 * nodes * t.nics_; ++n) network.add_link(cluster.fabric.nic_bandwidth.base() * efficiency);
  t.leaf_ = static_cast<std::uint32_t>(network.num_links());
  t.nodes_per_leaf_ = cluster.fabric.nodes_per_leaf;
  if (t.nodes_per_leaf_ > 0) {
    const std::int64_t leaves = (nodes + t.nodes_per_leaf_ - 1) / t.nodes_per_leaf_ * t.nics_;
    const double up = static_cast<double>(t.nodes_per_leaf_) * cluster.fabric.nic_bandwidth.base() * efficiency /
                      std::max(1.0, cluster.fabric.oversubscription);
    for (std::int64_t n = 0; n < 2 * leaves; ++n) network.add_link(up);
  }
  return t;
}

Topology Topology::torus(FlowNetwork& network, const std::vector<std::int64_t>& sizes, BytesPerSecond link) {
  Topology t;
  t.sizes_ = sizes;
  t.num_devices_ = 1;
  for (const std::int64_t s : sizes) t.num_devices_ *= s;
  if (sizes.empty() || t.num_devices_ < 1) throw UsageError("a torus needs one size or more, each at least 1");
  t.device_ = static_cast<std::uint32_t>(network.num_links());
  for (std::int64_t d = 0; d < t.num_devices_ * static_cast<std::int64_t>(sizes.size()) * 2; ++d) network.add_link(link.base());
  return t;
}

std::uint32_t Topology::leaf_up(std::int64_t device) const {
  if (nodes_per_leaf_ <= 0) return FlowNetwork::nothing;
  const std::int64_t leaf = device / devices_per_node_ / nodes_per_leaf_ * nics_ + rail_of(device);
  return leaf_ + static_cast<std::uint32_t>(2 * leaf);
}

std::string Topology::link_name(std::uint32_t link) const {
  if (!sizes_.empty()) {
    const std::uint32_t place = (link - device_) / 2, dimensions = static_cast<std::uint32_t>(sizes_.size());
    return fmt::format("device {}, dimension {}, {}", place / dimensions, place % dimensions, (link - device_) % 2 == 0 ? "ahead" : "back");
  }
  if (nodes_per_leaf_ > 0 && link >= leaf_) {
    const std::int64_t leaf = (link - leaf_) / 2;
    return fmt::format("leaf of node {}, rail {}, {} the spine", leaf / nics_ * nodes_per_leaf_, leaf % nics_,
                       (link - leaf_) % 2 == 0 ? "to" : "from");
  }
  const bool nic = link >= nic_;
  const std::int64_t number = (link - (nic ? nic_ : device_)) / 2;
  const char* way = (link - (nic ? nic_ : device_)) % 2 == 0 ? "up" : "down";
  return nic ? fmt::format("node {}, NIC {}, {}", number / nics_, number % nics_, way)
             : fmt::format("device {}, scale-up, {}", number, way);
}

void Topology::add_route(std::int64_t from, std::int64_t to, double times, std::vector<Crossing>& route) const {
  if (from == to) return;
  if (!sizes_.empty()) return add_torus_route(from, to, times, route);
  if (together(from, to) && has_domain_links_) {
    route.push_back({device_ + static_cast<std::uint32_t>(2 * from), times});
    route.push_back({device_ + static_cast<std::uint32_t>(2 * to) + 1, times});
    return;
  }
  route.push_back({nic_up(from), times});
  const std::uint32_t a = leaf_up(from), b = leaf_up(to);
  if (a != b) {
    route.push_back({a, times});
    route.push_back({b + 1, times});
  }
  route.push_back({nic_down(to), times});
}

void Topology::add_torus_route(std::int64_t from, std::int64_t to, double times, std::vector<Crossing>& route) const {
  std::int64_t stride = 1, at = from;
  for (std::size_t k = 0; k < sizes_.size(); ++k) {
    const std::int64_t n = sizes_[k], goal = to / stride % n;
    std::int64_t ahead = (goal - at / stride % n + n) % n;
    const bool up = 2 * ahead <= n;
    if (!up) ahead = n - ahead;
    for (; ahead > 0; --ahead) {
      const auto link =
          static_cast<std::uint32_t>((at * static_cast<std::int64_t>(sizes_.size()) + static_cast<std::int64_t>(k)) * 2 + (up ? 0 : 1));
      route.push_back({device_ + link, times});
      const std::int64_t place = at / stride % n, next = (place + (up ? 1 : n - 1)) % n;
      at += (next - place) * stride;
    }
    stride *= n;
  }
}

namespace {

using Members = std::vector<std::int64_t>;

CollectiveFlow ring(const Topology& t, double bytes, double steps, const std::vector<Members>& groups) {
  CollectiveFlow out{bytes, {}, steps};
  for (const Members& m : groups)
    for (std::size_t i = 0; i < m.size() && m.size() > 1; ++i) t.add_route(m[i], m[(i + 1) % m.size()], 1.0, out.route);
  out.route = merged(out.route);
  return out;
}

CollectiveFlow ring_of(const Topology& t, Collective c, double size, const std::vector<Members>& groups) {
  const double n = static_cast<double>(groups.front().size());
  switch (c) {
    case Collective::all_reduce:
      return ring(t, 2.0 * (n - 1.0) / n * size, 2.0 * (n - 1.0), groups);
    case Collective::all_gather:
    case Collective::reduce_scatter:
      return ring(t, (n - 1.0) / n * size, n - 1.0, groups);
    case Collective::broadcast:
      return ring(t, size, n - 1.0, groups);
    default:
      throw UsageError("a ring does all-reduce, all-gather, reduce-scatter and broadcast only");
  }
}

/// The buffer up and down a binary tree in the order of members.
CollectiveFlow tree(const Topology& t, Collective c, double size, const Members& m) {
  if (c != Collective::all_reduce && c != Collective::broadcast) throw UsageError("a tree does all-reduce and broadcast only");
  CollectiveFlow out{size, {}, 1};
  for (std::size_t i = 1; i < m.size(); ++i) {
    const std::int64_t parent = m[(i - 1) / 2];
    t.add_route(parent, m[i], 1.0, out.route);
    if (c == Collective::all_reduce) t.add_route(m[i], parent, 1.0, out.route);
  }
  for (std::size_t n = 1; n < m.size(); n *= 2) out.steps += c == Collective::all_reduce ? 2 : 1;
  out.route = merged(out.route);
  return out;
}

/// Up to the switch and down again; the switch is where the routes of the members meet.
CollectiveFlow in_switch(const Topology& t, Collective c, double size, const Members& m) {
  if (c != Collective::all_reduce || !t.sizes().empty()) throw UsageError("switches reduce in all-reduce only, and a torus has none");
  CollectiveFlow out{size, {}, 2};
  // a ring crosses every member's way up and way down once: the same links, with the whole buffer
  for (std::size_t i = 0; i < m.size() && m.size() > 1; ++i) t.add_route(m[i], m[(i + 1) % m.size()], 1.0, out.route);
  out.route = merged(out.route);
  for (Crossing& crossing : out.route) crossing.times = 1.0;
  return out;
}

/// Members by level: inside domains, then across them by place; on a torus along each dimension.
std::vector<std::vector<Members>> levels_of(const Topology& t, const Members& m) {
  std::vector<std::vector<Members>> out;
  const auto group = [&](auto key) {
    std::map<std::int64_t, Members> by;
    for (const std::int64_t d : m) by[key(d)].push_back(d);
    std::vector<Members> groups;
    for (auto& [k, members] : by) groups.push_back(std::move(members));
    return groups;
  };
  if (t.sizes().empty()) {
    out.push_back(group([&](std::int64_t d) { return d / t.domain(); }));
    std::map<std::int64_t, Members> across;
    for (const Members& inside : out[0])
      for (std::size_t i = 0; i < inside.size(); ++i) across[static_cast<std::int64_t>(i)].push_back(inside[i]);
    out.emplace_back();
    for (auto& [k, members] : across) out[1].push_back(std::move(members));
  } else {
    std::int64_t stride = 1;
    for (const std::int64_t n : t.sizes()) {
      out.push_back(group([&](std::int64_t d) { return d - d / stride % n * stride; }));
      stride *= n;
    }
  }
  std::erase_if(out, [](const std::vector<Members>& groups) { return groups.front().size() < 2; });
  for (const std::vector<Members>& groups : out)
    for (const Members& g : groups)
      if (g.size() != groups.front().size()) throw UsageError("a hierarchical collective needs as many members in every group of a level");
  return out;
}

CollectiveFlow pairwise(const Topology& t, double bytes, const std::vector<Members>& groups) {
  CollectiveFlow out{bytes, {}, 1};
  for (const Members& m : groups)
    for (const std::int64_t a : m)
      for (const std::int64_t b : m) t.add_route(a, b, 1.0, out.route);
  out.route = merged(out.route);
  return out;
}

/// Level by level: a reduction gets smaller on its way up, a gather larger on its way down; all-to-all hands everything to the member of
/// the own group that has the receiver's place in its group, level by level, so that every member sends all but its own share each time.
std::vector<CollectiveFlow> hierarchical(const Topology& t, Collective c, double size, const Members& m) {
  const auto levels = levels_of(t, m);
  std::vector<CollectiveFlow> out;
  if (c == Collective::all_to_all) {
    for (const std::vector<Members>& groups : levels) out.push_back(pairwise(t, size / static_cast<double>(groups.front().size()), groups));
    return out;
  }
  if (c == Collective::broadcast) throw UsageError("hierarchical collectives reduce, gather or go from all to all");
  const bool up = c != Collective::all_gather, down = c != Collective::reduce_scatter;
  const std::size_t both = up && down && !levels.empty() ? levels.size() - 1 : levels.size();  // the last level does both at once
  double share = size;
  for (std::size_t k = 0; k < both; ++k) {
    if (up) out.push_back(ring_of(t, Collective::reduce_scatter, share, levels[k]));
    share /= static_cast<double>(levels[k].front().size());
  }
  if (both < levels.size()) out.push_back(ring_of(t, Collective::all_reduce, share, levels.back()));
  for (std::size_t k = both; k-- > 0 && down;) {
    share *= static_cast<double>(levels[k].front().size());
    out.push_back(ring_of(t, Collective::all_gather, share, levels[k]));
  }
  return out;
}

}  // namespace

std::vector<CollectiveFlow> collective_flows(const Topology& t, Collective c, Algorithm algorithm, Bytes size, const Members& members) {
  if (c == Collective::point_to_point) {
    if (members.size() != 2) throw UsageError("a message has two ends");
    CollectiveFlow out{size.base(), {}, 1};
    t.add_route(members[0], members[1], 1.0, out.route);
    return {out};
  }
  if (members.size() < 2) return {};
  switch (algorithm) {
    case Algorithm::ring:
      return {ring_of(t, c, size.base(), {members})};
    case Algorithm::tree:
      return {tree(t, c, size.base(), members)};
    case Algorithm::in_switch:
      return {in_switch(t, c, size.base(), members)};
    case Algorithm::hierarchical:
      return hierarchical(t, c, size.base(), members);
    case Algorithm::pairwise:
      if (c != Collective::all_to_all) throw UsageError("pairwise exchange is for all-to-all");
      return {pairwise(t, size.base() / static_cast<double>(members.size()), {members})};
  }
  return {};
}

std::vector<double> finish_times(FlowNetwork& network, const std::vector<TimedCollective>& collectives, double latency) {
  std::vector<double> done(collectives.size(), 0.0);
  std::vector<std::size_t> phase(collectives.size(), 0);
  std::map<std::uint32_t, std::size_t> owner;  // of flows under way
  EventQueue starts;
  const double begin = network.now();
  const auto wait = [&](std::size_t i, double from) {
    if (phase[i] == collectives[i].phases.size())
      done[i] = from - begin;
    else
      starts.push(from + latency * collectives[i].phases[phase[i]].steps, static_cast<std::uint32_t>(i));
  };
  for (std::size_t i = 0; i < collectives.size(); ++i) wait(i, begin + collectives[i].start);
  while (!starts.empty() || network.active() > 0) {
    const double end = network.next_end();
    if (!starts.empty() && starts.first_time() <= end) {
      const Event e = starts.pop();
      const CollectiveFlow& flow = collectives[e.payload].phases[phase[e.payload]];
      owner[network.start(e.time, flow.bytes, flow.route, collectives[e.payload].limit)] = e.payload;
      continue;
    }
    const auto found = owner.find(network.finish_next());
    const std::size_t i = found->second;
    owner.erase(found);
    ++phase[i];
    wait(i, end);
  }
  return done;
}

}  // namespace reckon
