// SPDX-License-Identifier: Apache-2.0
#include "simulate/flow_network.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace reckon {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

}  // namespace

std::uint32_t FlowNetwork::add_link(double capacity) {
  if (!(capacity > 0)) throw UsageError("a link needs a bandwidth above zero");
  Link& link = links_.emplace_back();
  link.capacity = capacity;
  return static_cast<std::uint32_t>(links_.size() - 1);
}

void FlowNetwork::set_capacity(std::uint32_t link, double capacity) {
  if (!(capacity > 0)) throw UsageError("a link needs a bandwidth above zero");
  links_[link].capacity = capacity;
  dirty_.push_back(link);
}

std::uint32_t FlowNetwork::start(double now, double size, const std::vector<Crossing>& route, double limit) {
  if (route.empty() && limit == never) throw InternalError("a flow without links and without a limit");
  if (now > now_ && !dirty_.empty()) share_out();
  now_ = std::max(now_, now);
  std::uint32_t id;
  if (free_.empty()) {
    id = static_cast<std::uint32_t>(flows_.size());
    flows_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  Flow& f = flows_[id];
  f.remaining = f.bytes = size;
  f.rate = 0;
  f.limit = limit;
  f.updated = now_;
  f.end = never;
  f.route = route;
  f.running = true;
  ++active_;
  for (const Crossing& c : f.route) links_[c.link].flows.push_back(id), dirty_.push_back(c.link);
  if (f.route.empty()) fix(f, limit);
  return id;
}

void FlowNetwork::progress(Flow& f, double now) {
  f.remaining = std::max(0.0, f.remaining - f.rate * (now - f.updated));
  f.updated = now;
}

/// Gives an unfixed flow its rate and, when that is new, its end.
void FlowNetwork::fix(Flow& f, double rate) {
  f.fixed = true;
  for (const Crossing& c : f.route) {
    Link& link = links_[c.link];
    link.left = std::max(0.0, link.left - c.times * rate);
    link.weight -= c.times;
  }
  if (rate == f.rate && f.end < never) return;
  progress(f, now_);
  f.rate = rate;
  f.end = rate > 0 ? now_ + f.remaining / rate : never;
  if (f.end < never) ends_.push(f.end, static_cast<std::uint32_t>(&f - flows_.data()));
}

/// Adds everything that is connected to a link to the part that is shared out anew.
void FlowNetwork::collect(std::uint32_t first) {
  if (links_[first].visited) return;
  links_[first].visited = true;
  std::size_t next = part_links_.size();
  part_links_.push_back(first);
  for (; next < part_links_.size(); ++next) {
    for (const std::uint32_t id : links_[part_links_[next]].flows) {
      Flow& f = flows_[id];
      if (f.visited) continue;
      f.visited = true;
      part_flows_.push_back(id);
      for (const Crossing& c : f.route) {
        if (links_[c.link].visited) continue;
        links_[c.link].visited = true;
        part_links_.push_back(c.link);
      }
    }
  }
}

void FlowNetwork::share_out() {
  part_flows_.clear();
  part_links_.clear();
  for (const std::uint32_t link : dirty_) collect(link);
  dirty_.clear();
  std::vector<std::uint32_t> links;
  for (const std::uint32_t id : part_links_) {
    Link& link = links_[id];
    link.visited = false;
    link.left = link.capacity;
    link.weight = 0;
  }
  std::sort(part_flows_.begin(), part_flows_.end());  // the order of sums, hence every bit of a rate, follows from the ids alone
  for (const std::uint32_t id : part_flows_) {
    Flow& f = flows_[id];
    f.visited = f.fixed = false;
    for (const Crossing& c : f.route) links_[c.link].weight += c.times;
  }
  std::vector<std::uint32_t> by_limit = part_flows_;
  std::sort(by_limit.begin(), by_limit.end(), [this](std::uint32_t a, std::uint32_t b) {
    return flows_[a].limit < flows_[b].limit || (flows_[a].limit == flows_[b].limit && a < b);
  });
  for (const std::uint32_t id : part_links_)
    if (links_[id].weight > 0) links.push_back(id);
  std::size_t next_limit = 0, unfixed = part_flows_.size();
  while (unfixed > 0) {
    double level = never;
    std::uint32_t tightest = nothing;
    std::erase_if(links, [this](std::uint32_t id) { return links_[id].weight <= 1e-12; });
    for (const std::uint32_t id : links) {
      const double share = links_[id].left / links_[id].weight;
      if (share < level) level = share, tightest = id;
    }
    while (next_limit < by_limit.size() && flows_[by_limit[next_limit]].fixed) ++next_limit;
    if (next_limit < by_limit.size() && flows_[by_limit[next_limit]].limit <= level) {
      Flow& f = flows_[by_limit[next_limit]];
      fix(f, f.limit);
      --unfixed;
      continue;
    }
    if (tightest == nothing) throw InternalError("a flow without a bound");
    for (const std::uint32_t id : links_[tightest].flows) {
      Flow& f = flows_[id];
      if (f.fixed) continue;
      fix(f, level);
      --unfixed;
    }
    links_[tightest].weight = 0;
  }
}

double FlowNetwork::next_end() {
  if (!dirty_.empty()) share_out();
  while (!ends_.empty()) {
    const Event e = ends_.pop();
    const Flow& f = flows_[e.payload];
    if (!f.running || f.end != e.time) continue;  // its rate changed since
    ends_.push(e.time, e.payload);
    return e.time;
  }
  return never;
}

std::uint32_t FlowNetwork::finish_next() {
  const double end = next_end();
  if (end == never) throw InternalError("no flow is under way");
  std::uint32_t id = ends_.pop().payload;
  while (!flows_[id].running || flows_[id].end != end) id = ends_.pop().payload;  // outdated ends of the same time
  Flow& f = flows_[id];
  now_ = std::max(now_, end);
  f.running = false;
  --active_;
  for (const Crossing& c : f.route) {
    Link& link = links_[c.link];
    link.carried += f.bytes * c.times;
    link.flows.erase(std::find(link.flows.begin(), link.flows.end(), id));
    dirty_.push_back(c.link);
  }
  free_.push_back(id);
  return id;
}

double FlowNetwork::rate(std::uint32_t flow) {
  if (!dirty_.empty()) share_out();
  return flows_[flow].rate;
}

}  // namespace reckon
