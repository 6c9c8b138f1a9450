// SPDX-License-Identifier: Apache-2.0
#include "simulate/message_contention.hpp"

#include <algorithm>

#include "simulate/topology.hpp"

namespace reckon {
namespace {

using Members = std::vector<std::int64_t>;

/// Groups of `size` devices at distance `stride`, numbered as in placement.hpp.
std::vector<Members> groups_of(std::int64_t devices, std::int64_t size, std::int64_t stride) {
  std::vector<Members> out;
  for (std::int64_t first = 0; first < devices; ++first) {
    if (first / stride % size != 0) continue;
    Members m;
    for (std::int64_t k = 0; k < size; ++k) m.push_back(first + k * stride);
    out.push_back(std::move(m));
  }
  return out;
}

/// Loads of links, in transfers of one message.
class Loads {
 public:
  Loads(const Job& job, const std::vector<std::int64_t>& places)
      : per_node_(std::max<std::int64_t>(1, job.cluster->node.devices_per_node)),
        places_(places),
        topology_(Topology::switched(network_, *job.cluster, (1 + *std::max_element(places.begin(), places.end())) * per_node_)) {}

  MessageContention of(Stream stream, const std::vector<Members>& groups, bool all_pairs, bool closed) const {
    std::vector<double> load(network_.num_links(), 0.0);
    std::vector<std::int64_t> users(network_.num_links(), 0);
    MessageContention out{stream, 1, 0};
    double worst = 0, alone = 0;
    std::uint32_t busiest = 0;
    for (const Members& m : groups) {
      std::vector<Crossing> route;
      const std::size_t n = m.size();
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t step = 1; step < (all_pairs ? n : 2); ++step)
          if (closed || i + step < n) topology_.add_route(device(m[i]), device(m[(i + step) % n]), 1.0, route);
      std::sort(route.begin(), route.end(), [](const Crossing& a, const Crossing& b) { return a.link < b.link; });
      double own = 0;
      for (std::size_t k = 0; k < route.size(); ++k) {
        const std::uint32_t link = route[k].link;
        const bool first = k == 0 || route[k - 1].link != link;
        own = first ? route[k].times : own + route[k].times;
        alone = std::max(alone, own / network_.capacity(link));
        load[link] += route[k].times;
        users[link] += first;
      }
    }
    for (std::uint32_t link = 0; link < load.size(); ++link)
      if (load[link] / network_.capacity(link) > worst) worst = load[link] / network_.capacity(link), busiest = link;
    if (alone > 0) out.slowdown = std::max(1.0, worst / alone), out.shared_groups = static_cast<double>(users[busiest]);
    return out;
  }

 private:
  std::int64_t device(std::int64_t d) const { return places_[static_cast<std::size_t>(d / per_node_)] * per_node_ + d % per_node_; }

  std::int64_t per_node_;
  const std::vector<std::int64_t>& places_;
  FlowNetwork network_;
  Topology topology_;
};

}  // namespace

std::vector<MessageContention> message_contention(const Job& job, const std::vector<std::int64_t>& places) {
  const Strategy& s = job.strategy;
  const std::int64_t devices = s.num_devices(), stage = devices / s.pipeline_parallel;
  const Loads loads(job, places);
  std::vector<MessageContention> out;
  if (s.tensor_parallel > 1) out.push_back(loads.of(Stream::tensor, groups_of(devices, s.tensor_parallel, 1), false, true));
  if (s.context_parallel > 1)
    out.push_back(loads.of(Stream::context, groups_of(devices, s.context_parallel, s.tensor_parallel), false, true));
  if (s.expert_parallel > 1) out.push_back(loads.of(Stream::expert, groups_of(devices, s.expert_parallel, s.expert_tensor()), true, true));
  if (s.pipeline_parallel > 1) out.push_back(loads.of(Stream::pipeline, groups_of(devices, s.pipeline_parallel, stage), false, false));
  return out;
}

StepPlan with_slower_messages(const StepPlan& plan, const std::vector<MessageContention>& contention) {
  StepPlan out = plan;
  double slowdown[num_streams];
  std::fill(std::begin(slowdown), std::end(slowdown), 1.0);
  for (const MessageContention& c : contention) slowdown[static_cast<int>(c.stream)] = c.slowdown;
  for (std::size_t i = 0; i < out.chunks.size(); ++i) {
    ChunkWork& chunk = out.chunks[i];
    for (std::vector<Piece>* pass : {&chunk.forward, &chunk.backward, &chunk.whole})
      for (Piece& p : *pass) p.message *= slowdown[static_cast<int>(p.stream)];
    const double backward = seconds_of(chunk.backward);
    out.times.pass[i] = {seconds_of(chunk.forward), backward, seconds_of(chunk.whole) - backward};
  }
  out.times.transfer *= slowdown[static_cast<int>(Stream::pipeline)];
  return out;
}

}  // namespace reckon
