// Shares of links, by arithmetic.
// SPDX-License-Identifier: Apache-2.0
#include "simulate/flow_network.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "base/error.hpp"
#include "base/random.hpp"
#include "simulate/topology.hpp"

namespace reckon {
namespace {

TEST(FlowNetwork, OneFlowTakesTheWholeLink) {
  FlowNetwork n;
  n.add_link(10);
  n.start(1.0, 50, {{0}});
  EXPECT_DOUBLE_EQ(n.next_end(), 6.0);
}

TEST(FlowNetwork, TwoFlowsShareAndTheSecondSpeedsUp) {
  FlowNetwork n;
  n.add_link(10);
  const auto a = n.start(0, 20, {{0}}), b = n.start(0, 40, {{0}});
  EXPECT_DOUBLE_EQ(n.next_end(), 4.0);  // 5 each
  EXPECT_EQ(n.finish_next(), a);
  EXPECT_DOUBLE_EQ(n.next_end(), 6.0);  // 20 left at 10
  EXPECT_EQ(n.finish_next(), b);
  EXPECT_EQ(n.active(), 0u);
  EXPECT_DOUBLE_EQ(n.carried(0), 60.0);
}

TEST(FlowNetwork, MaxMinOfTheTextbook) {
  // links of 10 and 4; a on the first, b on the second, c on both: b = c = 2, a takes the 8 that are left
  FlowNetwork n;
  n.add_link(10), n.add_link(4);
  const auto a = n.start(0, 1e9, {{0}}), b = n.start(0, 1e9, {{1}}), c = n.start(0, 1e9, {{0}, {1}});
  EXPECT_DOUBLE_EQ(n.rate(a), 8.0);
  EXPECT_DOUBLE_EQ(n.rate(b), 2.0);
  EXPECT_DOUBLE_EQ(n.rate(c), 2.0);
}

TEST(FlowNetwork, LimitsLeaveTheRestToOthers) {
  FlowNetwork n;
  n.add_link(10);
  const auto a = n.start(0, 1e9, {{0}}, 2.0), b = n.start(0, 1e9, {{0}});
  EXPECT_DOUBLE_EQ(n.rate(a), 2.0);
  EXPECT_DOUBLE_EQ(n.rate(b), 8.0);
}

TEST(FlowNetwork, CrossingTwiceCountsTwice) {
  // a crosses the link twice: r + 2 r = 12
  FlowNetwork n;
  n.add_link(12);
  const auto a = n.start(0, 1e9, {{0, 2.0}}), b = n.start(0, 1e9, {{0}});
  EXPECT_DOUBLE_EQ(n.rate(a), 4.0);
  EXPECT_DOUBLE_EQ(n.rate(b), 4.0);
}

TEST(FlowNetwork, SlowLinkSlowsItsFlowsOnly) {
  FlowNetwork n;
  n.add_link(10), n.add_link(10);
  const auto a = n.start(0, 100, {{0}}), b = n.start(0, 100, {{1}});
  n.set_capacity(1, 5);
  EXPECT_DOUBLE_EQ(n.rate(a), 10.0);
  EXPECT_DOUBLE_EQ(n.rate(b), 5.0);
}

TEST(FlowNetwork, EqualEndsOutliveChangesThatAreTakenBack) {
  // three flows that end at 10; the second one's end moves to 20 and back, so that it is announced twice
  FlowNetwork n;
  std::set<std::uint32_t> left;
  for (int k = 0; k < 3; ++k) left.insert(n.start(0, 100, {{n.add_link(10)}}));
  EXPECT_DOUBLE_EQ(n.next_end(), 10.0);
  n.set_capacity(1, 5);
  EXPECT_DOUBLE_EQ(n.next_end(), 10.0);
  n.set_capacity(1, 10);
  for (int k = 0; k < 3; ++k) {
    EXPECT_DOUBLE_EQ(n.next_end(), 10.0);
    EXPECT_EQ(left.erase(n.finish_next()), 1u);
  }
  EXPECT_EQ(n.active(), 0u);
  EXPECT_TRUE(std::isinf(n.next_end()));
}

TEST(FlowNetwork, RatesAreFeasibleAndEveryFlowHasABottleneck) {
  // the definition of max-min fairness, on 200 random cases
  Philox random(11, 0);
  for (int round = 0; round < 200; ++round) {
    FlowNetwork n;
    const std::uint32_t links = 2 + random.next() % 10;
    std::vector<double> capacity;
    for (std::uint32_t l = 0; l < links; ++l) capacity.push_back(1 + 99 * random.uniform()), n.add_link(capacity.back());
    std::vector<std::vector<Crossing>> routes;
    std::vector<std::uint32_t> ids;
    for (std::uint32_t f = 0; f < 3 + random.next() % 20; ++f) {
      std::vector<Crossing> route;
      for (std::uint32_t l = 0; l < links; ++l)
        if (random.next() % 3 == 0) route.push_back({l});
      if (route.empty()) route.push_back({random.next() % links});
      ids.push_back(n.start(0, 1e9, route));
      routes.push_back(route);
    }
    std::vector<double> load(links, 0.0);
    for (std::size_t f = 0; f < ids.size(); ++f)
      for (const Crossing& c : routes[f]) load[c.link] += n.rate(ids[f]);
    for (std::uint32_t l = 0; l < links; ++l) ASSERT_LE(load[l], capacity[l] * (1 + 1e-9));
    for (std::size_t f = 0; f < ids.size(); ++f) {
      bool bottleneck = false;  // a full link on which nobody is faster
      for (const Crossing& c : routes[f]) {
        bool fastest = load[c.link] >= capacity[c.link] * (1 - 1e-9);
        for (std::size_t g = 0; g < ids.size(); ++g)
          for (const Crossing& d : routes[g]) fastest = fastest && (d.link != c.link || n.rate(ids[g]) <= n.rate(ids[f]) * (1 + 1e-9));
        bottleneck = bottleneck || fastest;
      }
      ASSERT_TRUE(bottleneck);
    }
  }
}

/// Nodes of 4 devices with 4 NICs of 10 B/s, NVLink of 100 B/s, 2 nodes a leaf.
Cluster small_cluster(double oversubscription) {
  Cluster c;
  c.device.link_bandwidth = BytesPerSecond{100};
  c.node.devices_per_node = c.node.scale_up_domain = c.node.nics_per_node = 4;
  c.fabric.nic_bandwidth = BytesPerSecond{10};
  c.fabric.nodes_per_leaf = 2;
  c.fabric.oversubscription = oversubscription;
  return c;
}

double time_of(FlowNetwork& n, const Topology& t, Collective c, Algorithm a, double size, const std::vector<std::int64_t>& members) {
  return finish_times(n, {{0.0, collective_flows(t, c, a, Bytes{size}, members)}})[0];
}

TEST(Topology, OversubscribedSpineSlowsJustTheFlowsThatCrossIt) {
  // rail 0: nodes 0 and 1 on a leaf, 2 and 3 on another.  4 : 1 leaves 2 x 10 / 4 = 5 B/s to the spine: two crossing flows get 2.5 each,
  // the flow inside its leaf keeps its 10
  FlowNetwork n;
  const Topology t = Topology::switched(n, small_cluster(4.0), 16);
  const auto message = [&](std::int64_t from, std::int64_t to) {
    return TimedCollective{0.0, collective_flows(t, Collective::point_to_point, Algorithm::ring, Bytes{100}, {from, to})};
  };
  const std::vector<double> one = finish_times(n, {message(0, 8), message(4, 12), message(1, 5)});
  EXPECT_DOUBLE_EQ(one[0], 40.0);
  EXPECT_DOUBLE_EQ(one[1], 40.0);
  EXPECT_DOUBLE_EQ(one[2], 10.0);
  // NVLink is not touched by any of it
  const std::vector<double> two = finish_times(n, {message(0, 8), message(0, 1)});
  EXPECT_DOUBLE_EQ(two[1], 1.0);
}

TEST(Topology, RingsTreesAndSwitchesTakeTheirBytes) {
  FlowNetwork n;
  const Topology t = Topology::switched(n, small_cluster(1.0), 16);
  const std::vector<std::int64_t> node{0, 1, 2, 3}, rail{0, 4, 8, 12};
  // ring of four on NVLink: 2 x 3/4 x 400 / 100; in the switch: 400 / 100; a tree's root has two children: 2 x 400 / 100
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::all_reduce, Algorithm::ring, 400, node), 6.0);
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::all_reduce, Algorithm::in_switch, 400, node), 4.0);
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::all_reduce, Algorithm::tree, 400, node), 8.0);
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::all_gather, Algorithm::ring, 400, node), 3.0);
  // the same rings over NICs of a tenth of the speed
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::all_reduce, Algorithm::ring, 400, rail), 60.0);
  // pairs: each device sends 100 to three others
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::all_to_all, Algorithm::pairwise, 400, node), 3.0);
}

TEST(Topology, HierarchyUsesAllNics) {
  // 4 x 4 devices: reduce-scatter of 1600 inside (12 s), all-reduce of 400 on each of four rails at once (2 x 3/4 x 400 / 10 = 60 s),
  // all-gather
  FlowNetwork n;
  const Topology t = Topology::switched(n, small_cluster(1.0), 16);
  std::vector<std::int64_t> all(16);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::all_reduce, Algorithm::hierarchical, 1600, all), 12.0 + 60.0 + 12.0);
}

TEST(Topology, HierarchicalHalvesAndAllToAll) {
  FlowNetwork n;
  const Topology t = Topology::switched(n, small_cluster(1.0), 16);
  std::vector<std::int64_t> all(16);
  std::iota(all.begin(), all.end(), 0);
  // 1600 inside: 3/4 x 1600 / 100; a quarter of it across: 3/4 x 400 / 10
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::reduce_scatter, Algorithm::hierarchical, 1600, all), 12.0 + 30.0);
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::all_gather, Algorithm::hierarchical, 1600, all), 30.0 + 12.0);
  // inside: 400 to each of three over NVLink; across: 400 to each of three other nodes over the own NIC
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::all_to_all, Algorithm::hierarchical, 1600, all), 12.0 + 120.0);
  // in pairs: 100 to each of twelve over the own NIC
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::all_to_all, Algorithm::pairwise, 1600, all), 120.0);
  EXPECT_THROW(collective_flows(t, Collective::broadcast, Algorithm::hierarchical, Bytes{1}, all), UsageError);
}

TEST(Topology, SwitchesThatReduceSendOneBufferOverTheSpine) {
  // rail 0 of four nodes on two leaves at 4 : 1, 5 B/s to the spine: the buffer goes up and down once
  FlowNetwork n;
  const Topology t = Topology::switched(n, small_cluster(4.0), 16);
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::all_reduce, Algorithm::in_switch, 400, {0, 4, 8, 12}), 80.0);
  EXPECT_EQ(t.link_name(t.nic_up(4)), "node 1, NIC 0, up");
  EXPECT_EQ(t.link_name(t.leaf_up(8) + 1), "leaf of node 2, rail 0, from the spine");
}

TEST(Topology, RackOfSeventyTwoIsOneDomain) {
  Cluster rack = small_cluster(1.0);
  rack.node.scale_up_domain = 72;
  FlowNetwork n;
  const Topology t = Topology::switched(n, rack, 144);
  EXPECT_TRUE(t.together(0, 71));
  EXPECT_FALSE(t.together(71, 72));
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::point_to_point, Algorithm::ring, 1000, {0, 71}), 10.0);
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::point_to_point, Algorithm::ring, 1000, {0, 72}), 100.0);
}

TEST(Topology, TorusGoesTheShorterWayAndReducesByDimension) {
  FlowNetwork n;
  const Topology t = Topology::torus(n, {4, 4}, BytesPerSecond{10});
  std::vector<Crossing> route;
  t.add_route(0, 3, 1.0, route);  // one step back, not three ahead
  EXPECT_EQ(route.size(), 1u);
  route.clear();
  t.add_route(0, 10, 1.0, route);  // (0,0) to (2,2)
  EXPECT_EQ(route.size(), 4u);
  std::vector<std::int64_t> all(16);
  std::iota(all.begin(), all.end(), 0);
  // rows: 3/4 x 160 / 10 = 12, columns: 2 x 3/4 x 40 / 10 = 6, rows back: 12
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::all_reduce, Algorithm::hierarchical, 160, all), 30.0);
  // all to all, along the rows and then the columns: 40 to each of three; a link ahead carries one neighbour's and two of those who are
  // two steps away
  EXPECT_DOUBLE_EQ(time_of(n, t, Collective::all_to_all, Algorithm::hierarchical, 160, all), 2 * 3 * 40.0 / 10);
}

TEST(Topology, LatencyCountsForEveryStep) {
  FlowNetwork n;
  const Topology t = Topology::switched(n, small_cluster(1.0), 4);
  const auto flows = collective_flows(t, Collective::all_reduce, Algorithm::ring, Bytes{400}, {0, 1, 2, 3});
  EXPECT_DOUBLE_EQ(finish_times(n, {{0.0, flows}}, 0.5)[0], 6.0 + 6 * 0.5);
}

}  // namespace
}  // namespace reckon
