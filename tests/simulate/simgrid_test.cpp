// The same flows on the same platform in SimGrid (Casanova et al. 2014), finish times within 1 %.  Built where Debian's libsimgrid-dev is.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <simgrid/s4u.hpp>
#include <vector>

#include "base/random.hpp"
#include "simulate/flow_network.hpp"
#include "simulate/topology.hpp"

namespace reckon {
namespace {

namespace sg = simgrid::s4u;

struct RandomFlow {
  double start, bytes;
  std::vector<std::uint32_t> links;
};

struct RandomPlatform {
  std::vector<double> capacity;
  std::vector<RandomFlow> flows;
};

RandomPlatform random_platform(std::uint64_t number) {
  Philox random(42, number);
  RandomPlatform out;
  const std::uint32_t links = 2 + random.next() % 12, flows = 2 + random.next() % 24;
  for (std::uint32_t l = 0; l < links; ++l) out.capacity.push_back(1e6 * (1 + 99 * random.uniform()));
  for (std::uint32_t f = 0; f < flows; ++f) {
    RandomFlow flow{random.next() % 2 == 0 ? 0.0 : 2.0 * random.uniform(), 1e6 * (1 + 50 * random.uniform()), {}};
    for (std::uint32_t l = 0; l < links; ++l)
      if (random.next() % 3 == 0) flow.links.push_back(l);
    if (flow.links.empty()) flow.links.push_back(random.next() % links);
    out.flows.push_back(flow);
  }
  return out;
}

std::vector<double> ours(const RandomPlatform& p) {
  FlowNetwork n;
  for (const double c : p.capacity) n.add_link(c);
  std::vector<TimedCollective> all;
  for (const RandomFlow& f : p.flows) {
    CollectiveFlow one{f.bytes, {}, 0};
    for (const std::uint32_t l : f.links) one.route.push_back({l, 1.0});
    all.push_back({f.start, {one}});
  }
  return finish_times(n, all);
}

/// SimGrid runs once a process, so that all platforms lie side by side in one: they share no link.
std::vector<std::vector<double>> theirs(const std::vector<RandomPlatform>& platforms) {
  // plain max-min: no TCP window, no cross traffic, latency and bandwidth as stated
  std::vector<std::string> words{"simgrid_test",
                                 "--cfg=network/model:CM02",
                                 "--cfg=network/TCP-gamma:0",
                                 "--cfg=network/crosstraffic:0",
                                 "--cfg=network/weight-S:0",
                                 "--log=root.thresh:critical"};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  sg::Engine engine(&argc, argv.data());
  sg::NetZone* zone = sg::create_full_zone("all");
  std::vector<std::vector<double>> done(platforms.size());
  struct Start {
    sg::Host *from, *to;
    double at, bytes;
    double* end;
  };
  std::vector<Start> starts;
  for (std::size_t k = 0; k < platforms.size(); ++k) {
    const RandomPlatform& p = platforms[k];
    done[k].assign(p.flows.size(), 0.0);
    std::vector<sg::Link*> links;
    for (std::size_t l = 0; l < p.capacity.size(); ++l)
      links.push_back(zone->create_link("l" + std::to_string(k) + "_" + std::to_string(l), p.capacity[l])->set_latency(0)->seal());
    for (std::size_t f = 0; f < p.flows.size(); ++f) {
      const std::string id = std::to_string(k) + "_" + std::to_string(f);
      sg::Host* from = zone->create_host("a" + id, 1e9)->seal();
      sg::Host* to = zone->create_host("b" + id, 1e9)->seal();
      std::vector<sg::LinkInRoute> route;
      for (const std::uint32_t l : p.flows[f].links) route.emplace_back(links[l]);
      zone->add_route(from->get_netpoint(), to->get_netpoint(), nullptr, nullptr, route, false);
      starts.push_back({from, to, p.flows[f].start, p.flows[f].bytes, &done[k][f]});
    }
  }
  zone->seal();
  for (const Start& s : starts)
    sg::Actor::create("send", s.from, [s] {
      if (s.at > 0) sg::this_actor::sleep_for(s.at);
      sg::Comm::sendto(s.from, s.to, static_cast<std::uint64_t>(s.bytes));
      *s.end = sg::Engine::get_clock();
    });
  engine.run();
  return done;
}

TEST(SimGrid, FinishTimesAgreeOnRandomContention) {
  std::vector<RandomPlatform> platforms;
  for (std::uint64_t k = 0; k < 150; ++k) platforms.push_back(random_platform(k));
  const std::vector<std::vector<double>> expected = theirs(platforms);
  double worst = 0;
  std::size_t flows = 0;
  for (std::size_t k = 0; k < platforms.size(); ++k) {
    const std::vector<double> own = ours(platforms[k]);
    for (std::size_t f = 0; f < own.size(); ++f, ++flows) {
      ASSERT_NEAR(own[f] / expected[k][f], 1.0, 0.01) << "platform " << k << ", flow " << f;
      worst = std::max(worst, std::abs(own[f] / expected[k][f] - 1.0));
    }
  }
  RecordProperty("flows", static_cast<int>(flows));
  std::printf("%zu flows on %zu platforms, largest difference %.2g\n", flows, platforms.size(), worst);
}

}  // namespace
}  // namespace reckon
