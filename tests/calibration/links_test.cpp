// Collective times: each formula against arithmetic in a comment, then what must hold for any links and any group.
// SPDX-License-Identifier: Apache-2.0
#include "calibration/links.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.hpp"

namespace reckon {
namespace {

constexpr Collective all_collectives[] = {Collective::all_reduce, Collective::all_gather, Collective::reduce_scatter,
                                          Collective::all_to_all, Collective::broadcast,  Collective::point_to_point};

/// Round numbers, one protocol, no fill, no copies: every time below can be worked out by hand.
LinkCalibration plain() {
  LinkCalibration c;
  c.domain.bulk = {.base = microseconds * 10, .step = microseconds * 2, .efficiency = 0.5};
  c.domain.all_to_all = {.base = microseconds * 8, .step = microseconds * 1, .efficiency = 0.25};
  c.domain.point_to_point = {.base = microseconds * 5, .efficiency = 0.8};
  c.fabric.ring_efficiency = 0.8;
  c.fabric.tree_efficiency = 0.4;
  c.fabric.all_to_all_efficiency = 0.5;
  c.fabric.point_to_point_efficiency = 0.5;
  c.fabric.base = microseconds * 20;
  c.fabric.step = microseconds * 4;
  c.fabric.bulk_step = microseconds * 6;
  c.fabric.peer = microseconds * 1;
  return c;
}

/// 400 GB/s links, 50 GB/s of NIC a device.
GroupPlacement group(std::int64_t ranks, std::int64_t per_domain) {
  GroupPlacement g;
  g.ranks = ranks;
  g.ranks_per_domain = per_domain;
  g.link_bandwidth = gigabytes_per_second * 400;
  g.nic_bandwidth_per_device = gigabytes_per_second * 50;
  return g;
}

double us(const LinkCalibration& c, Collective collective, double size, const GroupPlacement& g) {
  return collective_time(c, collective, Bytes{size}, g).in(microseconds);
}

/// All three protocols, in-switch reduction, fills and copies: near the fit of an H100.
LinkCalibration full() {
  LinkCalibration c = plain();
  c.domain.low_latency = {.base = microseconds * 4.6, .step = microseconds * 0.8, .efficiency = 0.03};
  c.domain.mid = {.base = microseconds * 5, .step = microseconds * 1, .efficiency = 0.24};
  c.domain.bulk = {.base = microseconds * 5.6, .step = microseconds * 0.9, .efficiency = 0.86, .fill = microseconds * 18, .fill_size = megabytes * 2.7};
  c.domain.in_switch = {.base = microseconds * 20, .efficiency = 0.6, .fill = microseconds * 80, .fill_size = megabytes * 15};
  c.domain.all_to_all = {.base = microseconds * 8, .step = microseconds * 0.1, .efficiency = 0.7, .fill = microseconds * 20, .fill_size = megabytes * 5};
  c.domain.copy.fill(gigabytes_per_second * 700);
  c.fabric.fill = microseconds * 20;
  c.fabric.fill_size = megabytes * 3;
  c.fabric.in_network_efficiency = 0.9;
  c.fabric.loss_per_doubling = 0.02;
  c.fabric.loss_free_domains = 8;
  return c;
}

std::vector<GroupPlacement> many_groups() {
  std::vector<GroupPlacement> out;
  for (const std::int64_t ranks : {2, 3, 4, 5, 8, 16, 64, 72, 1000, 24576})
    for (const std::int64_t per_domain : {1, 2, 4, 8, 72}) out.push_back(group(ranks, per_domain));
  return out;
}

TEST(Links, RingInsideADomain) {
  // 4 ranks, 100 MB, 200 GB/s: 6 steps of 25 MB = 150 MB -> 750 us, + 10 + 6 * 2
  EXPECT_NEAR(us(plain(), Collective::all_reduce, 100e6, group(4, 8)), 772.0, 1e-9);
  // half of it: 3 steps, 75 MB -> 375, + 10 + 3 * 2
  EXPECT_NEAR(us(plain(), Collective::all_gather, 100e6, group(4, 8)), 391.0, 1e-9);
  EXPECT_NEAR(us(plain(), Collective::reduce_scatter, 100e6, group(4, 8)), 391.0, 1e-9);
}

TEST(Links, CopyAndFillAreAddedToTheBulkRing) {
  LinkCalibration c = plain();
  c.domain.copy[static_cast<std::size_t>(Collective::all_gather)] = gigabytes_per_second * 1000;
  // own share 25 MB at 1000 GB/s -> 25 us
  EXPECT_NEAR(us(c, Collective::all_gather, 100e6, group(4, 8)), 391.0 + 25.0, 1e-9);
  EXPECT_NEAR(us(c, Collective::reduce_scatter, 100e6, group(4, 8)), 391.0, 1e-9);
  c = plain();
  c.domain.bulk.fill = microseconds * 10;
  c.domain.bulk.fill_size = megabytes * 25;
  // 3 steps, wire 75 MB = 3 * 25 MB: half of 10 us * sqrt(3)
  EXPECT_NEAR(us(c, Collective::all_gather, 100e6, group(4, 8)), 391.0 + 5.0 * std::sqrt(3.0), 1e-9);
}

TEST(Links, TheFastestProtocolIsTaken) {
  LinkCalibration c = plain();
  c.domain.low_latency = {.base = microseconds * 4, .step = microseconds * 1, .efficiency = 0.05};
  // 8 KB on 4 ranks, all-gather: 4 + 3 + 6 KB / 20 GB/s = 7.3 us; the bulk ring would need 16.03 us
  EXPECT_NEAR(us(c, Collective::all_gather, 8e3, group(4, 8)), 7.3, 1e-9);
  EXPECT_NEAR(us(c, Collective::all_gather, 100e6, group(4, 8)), 391.0, 1e-9);
}

TEST(Links, InSwitchReductionServesLargeGroupsOnly) {
  LinkCalibration c = plain();
  c.domain.in_switch = {.base = microseconds * 30, .efficiency = 0.6};
  // 8 ranks, 120 MB at 240 GB/s -> 500 us + 30; the ring: 14 steps, 210 MB at 200 GB/s -> 1050 + 10 + 28
  EXPECT_NEAR(us(c, Collective::all_reduce, 120e6, group(8, 8)), 530.0, 1e-9);
  EXPECT_NEAR(us(c, Collective::all_reduce, 100e6, group(4, 8)), 772.0, 1e-9);  // below in_switch_min_ranks
  EXPECT_EQ(us(c, Collective::all_gather, 120e6, group(8, 8)), us(plain(), Collective::all_gather, 120e6, group(8, 8)));
}

TEST(Links, RingThroughOneNicADomain) {
  // tensor parallel 8 leaves one member a node: 4 nodes, 40 GB/s each.  all-gather 100 MB: 75 MB / 40 GB/s = 1875 us
  // + 20 + 10 + 3 steps of 6
  EXPECT_NEAR(us(plain(), Collective::all_gather, 100e6, group(4, 1)), 1923.0, 1e-9);
}

TEST(Links, MembersOfANodePoolTheirNics) {
  // 8 ranks, 4 a node: 4 * 40 = 160 GB/s < 200 of the link.  all-gather 80 MB: 70 MB -> 437.5 us + 20 + 10;
  // 7 steps, a quarter of them through NICs: 7 * (0.75 * 2 + 0.25 * 6) = 21
  EXPECT_NEAR(us(plain(), Collective::all_gather, 80e6, group(8, 4)), 488.5, 1e-9);
  // 16 ranks, 8 a node: 320 GB/s of NICs, the link's 200 GB/s bind.  80 MB: 75 MB -> 375 + 30 + 15 * (7/8 * 2 + 1/8 * 6)
  EXPECT_NEAR(us(plain(), Collective::all_gather, 80e6, group(16, 8)), 442.5, 1e-9);
}

TEST(Links, TreeOverTwoAndOverMoreDomains) {
  LinkCalibration c = plain();
  c.fabric.tree_efficiency = 0.8;
  // two nodes of one member: 100 MB each way at 40 GB/s = 2500 us, 2 NIC steps of 6, + 20 + 10.  The ring has the same wire: 2500 + 12 + 30.
  EXPECT_NEAR(us(c, Collective::all_reduce, 100e6, group(2, 1)), 2542.0, 1e-9);
  // 1024 nodes, 1 KB: tree 20 steps of 6 + 30 + 2 KB / 40 GB/s; the ring would take 2046 steps
  EXPECT_NEAR(us(c, Collective::all_reduce, 1e3, group(1024, 1)), 150.05, 1e-9);
  // 2 nodes of 8: the link binds.  2 * 15/16 * 160 MB / 200 GB/s = 1500, + 30 + 14 chain steps of 2 + 2 NIC steps of 6
  EXPECT_NEAR(us(c, Collective::all_reduce, 160e6, group(16, 8)), std::min(1570.0, 1500.0 + 30 + 30 * (7.0 / 8 * 2 + 6.0 / 8)), 1e-9);
}

TEST(Links, TwoDomainsTakeTheRingWhereTheTreeIsNotTaken) {
  LinkCalibration c = plain();
  c.fabric.ring_efficiency = 0.5;
  c.fabric.tree_efficiency = 0.4;
  const GroupPlacement g = group(16, 8);
  // 160 MB.  Tree: 20 MB each way through a NIC at 20 GB/s = 1000 us, less than 300 MB over the link at 200 GB/s = 1500, + 30 + 28 + 12;
  // moving twice that it takes 2000, longer than the ring: 300 MB at 200 GB/s, + 30 + 30 steps
  EXPECT_NEAR(us(c, Collective::all_reduce, 160e6, g), 1570.0, 1e-9);
  c.fabric.tree_between_two = false;
  EXPECT_NEAR(us(c, Collective::all_reduce, 160e6, g), 1500 + 30 + 30 * (7.0 / 8 * 2 + 6.0 / 8), 1e-9);
  c.domain.in_switch = {.base = microseconds * 10, .efficiency = 0.9};
  const double switched = us(c, Collective::all_reduce, 160e6, g);
  c.fabric.tree_between_two = true;
  EXPECT_EQ(us(c, Collective::all_reduce, 160e6, g), switched);
}

TEST(Links, InNetworkReductionCarriesTheBufferOnce) {
  LinkCalibration c = plain();
  const GroupPlacement g = group(64, 1);
  const double without = us(c, Collective::all_reduce, 100e6, g);
  c.fabric.in_network_efficiency = 0.8;
  // 100 MB at 40 GB/s = 2500 + 30 + 2 steps of 6, against 2 * 63/64 * 2500 of the ring
  EXPECT_NEAR(us(c, Collective::all_reduce, 100e6, g), 2542.0, 1e-9);
  EXPECT_NEAR(without, 2.0 * 63 / 64 * 2500 + 30 + 126 * 6, 1e-9);
}

TEST(Links, AllToAllWaitsForTheSlowerPart) {
  // inside: 4 ranks, 100 MB: 75 MB at 100 GB/s = 750 + 8 + 3 peers of 1
  EXPECT_NEAR(us(plain(), Collective::all_to_all, 100e6, group(4, 8)), 761.0, 1e-9);
  // 16 ranks, 8 a node, 160 MB: 80 MB through 25 GB/s = 3200 us + 20 + 8 + 4 + 8 remote peers of 1; inside only 70 MB at 100 GB/s
  EXPECT_NEAR(us(plain(), Collective::all_to_all, 160e6, group(16, 8)), 3240.0, 1e-9);
}

TEST(Links, PointToPointAndBroadcast) {
  // 320 MB at 320 GB/s = 1000 + 5; through a NIC 100 MB at 25 GB/s = 4000 + 5 + 20 + 4
  EXPECT_NEAR(us(plain(), Collective::point_to_point, 320e6, group(2, 8)), 1005.0, 1e-9);
  EXPECT_NEAR(us(plain(), Collective::point_to_point, 100e6, group(2, 1)), 4029.0, 1e-9);
  // broadcast on 5: 100 MB at 200 GB/s = 500 + 10 + 4 steps of 2
  EXPECT_NEAR(us(plain(), Collective::broadcast, 100e6, group(5, 8)), 518.0, 1e-9);
}

TEST(Links, SharingOversubscriptionAndScaleDivideTheNic) {
  GroupPlacement g = group(4, 1);
  const double alone = us(plain(), Collective::all_gather, 100e6, g);  // 1875 of it on the wire
  g.concurrent = 2.0;
  EXPECT_NEAR(us(plain(), Collective::all_gather, 100e6, g), alone + 1875.0, 1e-9);
  g.oversubscription = 3.0;
  EXPECT_NEAR(us(plain(), Collective::all_gather, 100e6, g), alone + 5 * 1875.0, 1e-9);
  LinkCalibration c = plain();
  c.fabric.loss_per_doubling = 0.1;
  c.fabric.loss_free_domains = 2;
  // 4 domains are one doubling beyond 2: 10 % more wire time
  EXPECT_NEAR(us(c, Collective::all_gather, 100e6, group(4, 1)), alone + 187.5, 1e-9);
  EXPECT_EQ(us(c, Collective::all_gather, 100e6, group(2, 1)), us(plain(), Collective::all_gather, 100e6, group(2, 1)));
}

TEST(Links, TheCatalogueLatencyIsAFloorUnderTheStep) {
  GroupPlacement g = group(4, 1);
  g.fabric_latency = microseconds * 5;  // below the 6 us of a bulk step
  EXPECT_EQ(us(plain(), Collective::all_gather, 100e6, g), us(plain(), Collective::all_gather, 100e6, group(4, 1)));
  g.fabric_latency = microseconds * 16;
  EXPECT_NEAR(us(plain(), Collective::all_gather, 100e6, g), 1953.0, 1e-9);
}

TEST(LinksProperty, OneRankAndNoBytesCostNothing) {
  for (const Collective c : all_collectives) {
    EXPECT_EQ(us(full(), c, 1e9, group(1, 8)), 0.0);
    EXPECT_EQ(us(full(), c, 0.0, group(16, 8)), 0.0);
    EXPECT_GT(us(full(), c, 1.0, group(2, 8)), 0.0);
  }
}

TEST(LinksProperty, FiniteAndMonotoneInSize) {
  for (const GroupPlacement& g : many_groups())
    for (const Collective c : all_collectives) {
      double last = 0.0;
      for (double size = 1.0; size < 1e15; size *= 1.7) {
        const double time = us(full(), c, size, g);
        ASSERT_TRUE(std::isfinite(time) && time >= last) << static_cast<int>(c) << " " << size << " on " << g.ranks << "/" << g.ranks_per_domain;
        last = time;
      }
    }
}

TEST(LinksProperty, MoreBandwidthIsNeverSlower) {
  for (const GroupPlacement& g : many_groups())
    for (const Collective c : all_collectives)
      for (const double size : {1e3, 1e6, 1e8, 1e10}) {
        GroupPlacement link = g, nic = g;
        link.link_bandwidth *= 2;
        nic.nic_bandwidth_per_device *= 2;
        ASSERT_LE(us(full(), c, size, link), us(full(), c, size, g));
        ASSERT_LE(us(full(), c, size, nic), us(full(), c, size, g));
      }
}

TEST(LinksProperty, AllReduceIsAtMostScatterAndGather) {
  for (const GroupPlacement& g : many_groups())
    for (const double size : {1e3, 1e6, 1e8, 1e10}) {
      const double halves = us(full(), Collective::reduce_scatter, size, g) + us(full(), Collective::all_gather, size, g);
      ASSERT_LE(us(full(), Collective::all_reduce, size, g), halves);
    }
  // for plain rings inside a domain the two differ by the base alone
  EXPECT_NEAR(us(plain(), Collective::all_reduce, 1e8, group(4, 8)) + 10.0, 2.0 * us(plain(), Collective::all_gather, 1e8, group(4, 8)), 1e-9);
}

TEST(LinksProperty, LeavingTheDomainIsNotFaster) {
  for (const Collective c : all_collectives)
    for (const double size : {1e3, 1e6, 1e8, 1e10}) EXPECT_LE(us(full(), c, size, group(8, 8)), us(full(), c, size, group(8, 1)));
}

TEST(LinksProperty, FastEnoughForASearch) {
  const std::vector<GroupPlacement> groups = many_groups();
  const LinkCalibration c = full();
  Seconds sum;
  const auto start = std::chrono::steady_clock::now();
  constexpr int rounds = 2000;
  for (int i = 0; i < rounds; ++i)
    for (const GroupPlacement& g : groups) sum += collective_time(c, Collective::all_reduce, Bytes{1e6 + i}, g);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  EXPECT_GT(sum, Seconds{});
  EXPECT_LT(taken.count() / (rounds * static_cast<double>(groups.size())), 2e-6);  // 20 times what an idle machine needs
}

TEST(Links, BusBandwidthAsNcclTestsDefinesIt) {
  // 1 GB in 2 ms is 500 GB/s; 8 ranks: 7/4 of it for all-reduce, 7/8 for the halves
  const Seconds t = milliseconds * 2;
  EXPECT_NEAR(bus_bandwidth(Collective::all_reduce, gigabytes, 8, t).in(gigabytes_per_second), 875.0, 1e-9);
  EXPECT_NEAR(bus_bandwidth(Collective::all_gather, gigabytes, 8, t).in(gigabytes_per_second), 437.5, 1e-9);
  EXPECT_NEAR(bus_bandwidth(Collective::all_to_all, gigabytes, 8, t).in(gigabytes_per_second), 437.5, 1e-9);
  EXPECT_NEAR(bus_bandwidth(Collective::point_to_point, gigabytes, 2, t).in(gigabytes_per_second), 500.0, 1e-9);
}

LinkTable small_table() {
  LinkTable t;
  t.domains["h100"] = {.links = full().domain, .measured = true, .source = {.title = "h100 table"}};
  t.domains["default"] = {.links = plain().domain, .measured = true, .source = {.title = "guess"}};
  t.fabrics["efa"] = {.links = full().fabric, .measured = true, .source = {.title = "efa table"}};
  t.fabrics["efa-v1"] = {.links = plain().fabric, .measured = true, .source = {.title = "p4d table"}};
  return t;
}

TEST(LinkTableTest, TheNearestKeyIsTaken) {
  Device device;
  device.id = "h100-sxm-80gb";
  device.architecture = "hopper";
  Fabric fabric;
  fabric.id = "efa-v2";
  fabric.kind = "efa";
  EXPECT_TRUE(link_calibration(small_table(), device, fabric, {}).domain_measured);
  EXPECT_EQ(link_calibration(small_table(), device, fabric, {}).domain_source.title, "h100 table");
  EXPECT_EQ(link_calibration(small_table(), device, fabric, {}).fabric_source.title, "efa table");
  fabric.id = "efa-v1";
  EXPECT_EQ(link_calibration(small_table(), device, fabric, {}).fabric_source.title, "p4d table");
}

TEST(LinkTableTest, SwitchesReduceWhereTheFabricCanAndTheSoftwareAsks) {
  LinkTable table;
  table.domains["default"].links = plain().domain;
  table.fabrics["default"].links = plain().fabric;
  table.fabrics["default"].links.in_network_efficiency = 0.5;
  for (const bool able : {false, true})
    for (const bool asked : {false, true}) {
      Fabric fabric;
      fabric.in_network_reduction = able;
      StackFacts facts;
      facts.in_network_reduction = asked;
      EXPECT_EQ(link_calibration(table, Device{}, fabric, facts).fabric.in_network_efficiency, able && asked ? 0.5 : 0.0);
    }
}

TEST(LinkTableTest, DefaultIsNeverCalledMeasured) {
  Device device;
  device.id = "mi300x";
  Fabric fabric;
  fabric.id = fabric.kind = "efa";
  const LinkCalibration c = link_calibration(small_table(), device, fabric, {});
  EXPECT_FALSE(c.domain_measured);
  EXPECT_TRUE(c.fabric_measured);
  fabric.id = fabric.kind = "ici";  // and no default fabric
  EXPECT_THROW(link_calibration(small_table(), device, fabric, {}), CalibrationError);
}

}  // namespace
}  // namespace reckon
