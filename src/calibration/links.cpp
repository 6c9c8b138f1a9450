// Alpha-beta times of collectives; see links.hpp for the formulas.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/links.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.hpp"

namespace reckon {
namespace {

/// ceil(log2(n)) for n >= 1.
double ceil_log2(std::int64_t n) { return static_cast<double>(std::bit_width(static_cast<std::uint64_t>(n - 1))); }

Seconds fill_time(Seconds fill, Bytes fill_size, double steps, Bytes wire) {
  const Bytes half = steps * fill_size;
  const Bytes sum = wire + half;
  return sum > Bytes{} ? fill * (std::sqrt(steps) * (wire / sum)) : Seconds{};
}

/// A group seen as domains of equal size; numbers that every algorithm needs, computed once.
struct Span {
  double ranks, domains, per_domain;  ///< n, N, r
  BytesPerSecond link;
  BytesPerSecond nic;                 ///< of one member, after sharing, oversubscription and loss with scale; before efficiency
  Seconds nic_step, nic_bulk_step;
};

Span span_of(const FabricLinks& fabric, const GroupPlacement& group) {
  const std::int64_t per_domain = std::min(std::max<std::int64_t>(group.ranks_per_domain, 1), group.ranks);
  const std::int64_t domains = (group.ranks + per_domain - 1) / per_domain;
  Span span{.ranks = static_cast<double>(group.ranks),
            .domains = static_cast<double>(domains),
            .per_domain = static_cast<double>(per_domain),
            .link = group.link_bandwidth,
            .nic = group.nic_bandwidth_per_device / (std::max(group.concurrent, 1.0) * std::max(group.oversubscription, 1.0)),
            .nic_step = max(fabric.step, group.fabric_latency),
            .nic_bulk_step = max(fabric.bulk_step, group.fabric_latency)};
  if (fabric.loss_per_doubling > 0.0 && domains > fabric.loss_free_domains) {
    const double doublings = std::log2(span.domains / static_cast<double>(fabric.loss_free_domains));
    span.nic /= 1.0 + fabric.loss_per_doubling * doublings;
  }
  return span;
}

/// Ring of `halves` passes (1 gather or scatter, 2 all-reduce) inside one domain with one protocol.
Seconds domain_ring_time(const PathCost& path, BytesPerSecond copy, double halves, Bytes size, const Span& span) {
  const double steps = halves * (span.ranks - 1.0);
  const Bytes share = size / span.ranks;
  const Bytes wire = steps * share;
  Seconds time = path.base + steps * path.step + wire / (path.efficiency * span.link) + fill_time(path.fill, path.fill_size, steps, wire);
  if (copy > BytesPerSecond{}) time += share / copy;
  return time;
}

Seconds in_switch_time(const PathCost& path, Bytes size, const Span& span) {
  return path.base + size / (path.efficiency * span.link) + fill_time(path.fill, path.fill_size, 1.0, size);
}

bool in_switch_serves(const DomainLinks& domain, double ranks) {
  return domain.in_switch.efficiency > 0.0 && ranks >= static_cast<double>(domain.in_switch_min_ranks);
}

/// Fastest of the three ring protocols inside a domain.
Seconds domain_ring_time(const DomainLinks& domain, Collective collective, double halves, Bytes size, const Span& span) {
  const BytesPerSecond copy = domain.copy[static_cast<std::size_t>(collective)];
  Seconds time = domain_ring_time(domain.bulk, copy, halves, size, span);
  if (domain.mid.efficiency > 0.0) time = min(time, domain_ring_time(domain.mid, {}, halves, size, span));
  if (domain.low_latency.efficiency > 0.0) time = min(time, domain_ring_time(domain.low_latency, {}, halves, size, span));
  return time;
}

/// Flat ring through all members: of every n steps N go through a NIC, n - N over the link (none when r = 1).
Seconds ring_time(const LinkCalibration& links, const PathCost& path, bool bulk, BytesPerSecond copy, double halves, Bytes size,
                  const Span& span) {
  const double steps = halves * (span.ranks - 1.0);
  const double nic_share = span.domains / span.ranks;
  const Bytes share = size / span.ranks;
  const Bytes wire = steps * share;
  // A low-latency protocol that reaches only a part of the link loses the same part of the NIC: its flags travel with the data.
  const double protocol = bulk ? 1.0 : std::min(1.0, path.efficiency / links.domain.bulk.efficiency);
  BytesPerSecond bandwidth = span.per_domain * span.nic * (links.fabric.ring_efficiency * protocol);
  if (span.per_domain > 1.0) bandwidth = min(bandwidth, path.efficiency * span.link);
  const Seconds nic_step = bulk ? span.nic_bulk_step : span.nic_step;
  Seconds time = links.fabric.base + path.base + steps * ((1.0 - nic_share) * path.step + nic_share * nic_step) + wire / bandwidth;
  if (bulk) {
    time += fill_time(path.fill, path.fill_size, steps, wire) + fill_time(links.fabric.fill, links.fabric.fill_size, steps * nic_share, wire);
    if (copy > BytesPerSecond{}) time += share / copy;
  }
  return time;
}

Seconds ring_time(const LinkCalibration& links, Collective collective, double halves, Bytes size, const Span& span) {
  const DomainLinks& domain = links.domain;
  Seconds time = ring_time(links, domain.bulk, true, domain.copy[static_cast<std::size_t>(collective)], halves, size, span);
  if (domain.mid.efficiency > 0.0) time = min(time, ring_time(links, domain.mid, false, {}, halves, size, span));
  if (domain.low_latency.efficiency > 0.0) time = min(time, ring_time(links, domain.low_latency, false, {}, halves, size, span));
  return time;
}

/// Double binary tree over the domains, chains (or the switch) inside them; both parts are pipelined, the slower one sets the rate.
Seconds tree_time(const LinkCalibration& links, const PathCost& path, bool bulk, double nic_efficiency, double nic_passes, double nic_steps,
                  Bytes size, const Span& span) {
  const DomainLinks& domain = links.domain;
  const bool in_switch = bulk && in_switch_serves(domain, span.per_domain);
  const double protocol = bulk ? 1.0 : std::min(1.0, path.efficiency / domain.bulk.efficiency);
  const Bytes nic_wire = nic_passes * size / span.per_domain;
  const Seconds nic_time = nic_wire / (nic_efficiency * protocol * span.nic);
  Seconds link_time{};
  double chain_steps = 2.0 * (span.per_domain - 1.0);
  if (in_switch) {
    link_time = size / (links.fabric.in_switch_retained * domain.in_switch.efficiency * span.link);
    chain_steps = 0.0;
  } else if (span.per_domain > 1.0) {
    link_time = 2.0 * (span.ranks - 1.0) / span.ranks * size / (path.efficiency * span.link);
  }
  const PathCost& inner = in_switch ? domain.in_switch : path;
  Seconds time = links.fabric.base + inner.base + chain_steps * path.step + nic_steps * (bulk ? span.nic_bulk_step : span.nic_step) +
                 max(nic_time, link_time);
  if (bulk) {
    time += fill_time(inner.fill, inner.fill_size, std::max(chain_steps, 1.0), size) +
            fill_time(links.fabric.fill, links.fabric.fill_size, nic_steps, nic_wire);
  }
  return time;
}

Seconds all_reduce_time(const LinkCalibration& links, Bytes size, const Span& span) {
  const DomainLinks& domain = links.domain;
  if (span.domains == 1.0) {
    const Seconds ring = domain_ring_time(domain, Collective::all_reduce, 2.0, size, span);
    return in_switch_serves(domain, span.ranks) ? min(ring, in_switch_time(domain.in_switch, size, span)) : ring;
  }
  Seconds time = ring_time(links, Collective::all_reduce, 2.0, size, span);
  const FabricLinks& fabric = links.fabric;
  const bool halved = fabric.tree_between_two || in_switch_serves(domain, span.per_domain);
  const double passes = span.domains == 2.0 && halved ? 1.0 : 2.0;
  const double steps = 2.0 * ceil_log2(static_cast<std::int64_t>(span.domains));
  time = min(time, tree_time(links, domain.bulk, true, fabric.tree_efficiency, passes, steps, size, span));
  if (domain.mid.efficiency > 0.0) time = min(time, tree_time(links, domain.mid, false, fabric.tree_efficiency, passes, steps, size, span));
  if (domain.low_latency.efficiency > 0.0)
    time = min(time, tree_time(links, domain.low_latency, false, fabric.tree_efficiency, passes, steps, size, span));
  if (fabric.in_network_efficiency > 0.0)
    time = min(time, tree_time(links, domain.bulk, true, fabric.in_network_efficiency, 1.0, 2.0, size, span));
  return time;
}

Seconds all_to_all_time(const LinkCalibration& links, Bytes size, const Span& span) {
  const PathCost& path = links.domain.all_to_all;
  const Bytes share = size / span.ranks;
  const double local_peers = span.per_domain - 1.0, remote_peers = span.ranks - span.per_domain;
  const Bytes local = local_peers * share, remote = remote_peers * share;
  const BytesPerSecond copy = links.domain.copy[static_cast<std::size_t>(Collective::all_to_all)];
  Seconds inside = path.base + local_peers * path.step + fill_time(path.fill, path.fill_size, 1.0, local);
  if (local_peers > 0.0) inside += local / (path.efficiency * span.link);
  if (copy > BytesPerSecond{}) inside += share / copy;
  if (remote_peers == 0.0) return inside;
  const FabricLinks& fabric = links.fabric;
  const Seconds outside = fabric.base + path.base + span.nic_step + remote_peers * fabric.peer + remote / (fabric.all_to_all_efficiency * span.nic) +
                          fill_time(fabric.fill, fabric.fill_size, 1.0, remote);
  return max(inside, outside);
}

Seconds point_to_point_time(const LinkCalibration& links, Bytes size, const Span& span) {
  const PathCost& path = links.domain.point_to_point;
  if (span.domains == 1.0) return path.base + size / (path.efficiency * span.link) + fill_time(path.fill, path.fill_size, 1.0, size);
  return path.base + links.fabric.base + span.nic_step + size / (links.fabric.point_to_point_efficiency * span.nic) +
         fill_time(links.fabric.fill, links.fabric.fill_size, 1.0, size);
}

/// Pipelined ring from one root: n-1 steps to the last rank, every link carries the buffer once.
Seconds broadcast_time(const LinkCalibration& links, Bytes size, const Span& span) {
  const PathCost& path = links.domain.bulk;
  const double steps = span.ranks - 1.0, nic_steps = span.domains - 1.0;
  BytesPerSecond bandwidth = path.efficiency * span.link;
  Seconds time = path.base + (steps - nic_steps) * path.step + fill_time(path.fill, path.fill_size, steps, size);
  if (nic_steps > 0.0) {
    const BytesPerSecond nic = span.per_domain * span.nic * links.fabric.ring_efficiency;
    bandwidth = span.per_domain > 1.0 ? min(bandwidth, nic) : nic;
    time += links.fabric.base + nic_steps * span.nic_bulk_step + fill_time(links.fabric.fill, links.fabric.fill_size, nic_steps, size);
  }
  return time + size / bandwidth;
}

}  // namespace

Seconds collective_time(const LinkCalibration& links, Collective collective, Bytes size, const GroupPlacement& group) {
  if (group.ranks <= 1 || !(size > Bytes{})) return Seconds{};
  if (links.measured != nullptr && group.ranks_per_domain >= group.ranks)
    if (const AlphaBetaCurve* curve = links.measured->find(collective, group.ranks)) return curve->time(size);
  const Span span = span_of(links.fabric, group);
  switch (collective) {
    case Collective::all_reduce: return all_reduce_time(links, size, span);
    case Collective::all_gather:
    case Collective::reduce_scatter:
      return span.domains == 1.0 ? domain_ring_time(links.domain, collective, 1.0, size, span) : ring_time(links, collective, 1.0, size, span);
    case Collective::all_to_all: return all_to_all_time(links, size, span);
    case Collective::broadcast: return broadcast_time(links, size, span);
    case Collective::point_to_point: return point_to_point_time(links, size, span);
  }
  return Seconds{};
}

BytesPerSecond bus_bandwidth(Collective collective, Bytes size, std::int64_t ranks, Seconds time) {
  const double n = static_cast<double>(ranks);
  double factor = 1.0;
  if (collective == Collective::all_reduce) factor = 2.0 * (n - 1.0) / n;
  if (collective == Collective::all_gather || collective == Collective::reduce_scatter || collective == Collective::all_to_all)
    factor = (n - 1.0) / n;
  return factor * size / time;
}

LinkCalibration link_calibration(const LinkTable& table, const Device& device, const Fabric& fabric, const StackFacts& facts) {
  const DomainLinksEntry* domain = nullptr;
  bool own_domain = true;
  const auto take = [&](const std::string& key) {
    const auto found = table.domains.find(key);
    if (domain == nullptr && found != table.domains.end()) domain = &found->second;
  };
  take(device.id);
  for (std::size_t n = device.id.size(); domain == nullptr && n > 1; --n) take(device.id.substr(0, n - 1));
  take(device.architecture);
  if (domain == nullptr) own_domain = false, take("default");
  const FabricLinksEntry* across = nullptr;
  bool own_fabric = true;
  for (const std::string& key : {fabric.id, fabric.kind, std::string("default")}) {
    const auto found = table.fabrics.find(key);
    if (across == nullptr && found != table.fabrics.end()) across = &found->second, own_fabric = key != "default";
  }
  if (domain == nullptr || across == nullptr) throw CalibrationError("no link calibration for device '" + device.id + "' on fabric '" + fabric.id + "', and no default");
  LinkCalibration out{domain->links, across->links, own_domain && domain->measured, own_fabric && across->measured, domain->source, across->source, nullptr};
  if (!fabric.in_network_reduction || !facts.in_network_reduction) out.fabric.in_network_efficiency = 0.0;
  return out;
}

}  // namespace reckon
