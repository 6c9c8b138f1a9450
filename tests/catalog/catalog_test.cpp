// SPDX-License-Identifier: Apache-2.0
#include "catalog/catalog.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace reckon {
namespace {

Device device(const std::string& id) {
  Device d;
  d.id = id;
  return d;
}

Node node(const std::string& id, const std::string& device_id, const std::string& fabric_id, std::int64_t devices, std::int64_t domain) {
  Node n;
  n.id = n.name = id;
  n.device = device_id;
  n.fabric = fabric_id;
  n.provider = "maker";
  n.devices_per_node = n.nics_per_node = devices;
  n.scale_up_domain = domain;
  return n;
}

Fabric fabric(const std::string& id, const std::string& kind, double gigabits, double oversubscription = 1.0) {
  Fabric f;
  f.id = id;
  f.kind = kind;
  f.nic_bandwidth = BytesPerSecond{gigabits * 1e9 / 8};
  f.latency = gigabits * microseconds;  // tells the entries apart
  f.oversubscription = oversubscription;
  return f;
}

Price price(const std::string& id, const std::string& provider, double per_hour, const std::string& date, std::int64_t term = 0) {
  Price p;
  p.id = id;
  p.device = "h100";
  p.provider = provider;
  p.kind = term > 0 ? "reserved" : "on-demand";
  p.per_device = per_hour * dollars_per_hour;
  p.date = date;
  p.term_months = term;
  return p;
}

Catalog catalog() {
  CatalogEntries e;
  e.devices = {device("h100"), device("gb200"), device("card")};
  e.aliases = {{"hopper", "h100"}};
  e.usual_nodes = {{"h100", "box"}, {"gb200", "tray"}, {"card", "server"}};
  e.fabrics = {fabric("ib-400", "infiniband", 400), fabric("ib-200", "infiniband", 200), fabric("roce-400", "roce", 400),
               fabric("roce-390-tapered", "roce", 390, 7.0)};
  e.nodes = {node("tray", "gb200", "ib-400", 4, 72), node("box", "h100", "ib-400", 8, 8), node("server", "card", "ib-200", 8, 1)};
  e.clusters = {{"big", "The big one", "box", "roce-390-tapered", 24576, {}}};
  e.prices = {price("a", "A", 9.0, "2026-03"),      price("b-old", "B", 1.0, "2024-06"), price("b", "B", 4.0, "2026-01-15"),
              price("b-dear", "B", 5.0, "2026-02"), price("c", "C", 2.0, "2026"),        price("a-3y", "A", 1.0, "2026", 36),
              price("a-1y", "A", 3.0, "2026", 12)};
  return Catalog(e);
}

TEST(Catalog, LooksUpByIdAndAlias) {
  const Catalog c = catalog();

  EXPECT_EQ(c.device("h100").id, "h100");
  EXPECT_EQ(c.device("hopper").id, "h100");
  EXPECT_EQ(c.node("tray").device, "gb200");
  EXPECT_EQ(c.cluster("big").fabric.id, "roce-390-tapered");
  EXPECT_EQ(c.cluster("big").device.id, "h100");
  EXPECT_EQ(c.cluster("big").max_devices, 24576);
  EXPECT_EQ(c.device_ids(), (std::vector<std::string>{"card", "gb200", "h100"}));
}

TEST(Catalog, SuggestsForUnknownNames) {
  const Catalog c = catalog();
  const auto cure = [](auto look_up) -> std::string {
    try {
      look_up();
    } catch (const TextError& error) {
      return error.cure();
    }
    return "found";
  };

  EXPECT_EQ(cure([&] { c.device("h10"); }), "did you mean 'h100'?");
  EXPECT_EQ(cure([&] { c.fabric("ib-40"); }), "did you mean 'ib-400'?");
  EXPECT_EQ(cure([&] { c.cluster_for("bigg"); }), "did you mean 'big'?");
  EXPECT_EQ(cure([&] { c.node("zzzzz"); }), "one of: box, server, tray");
}

TEST(Catalog, ANameMeansClusterNodeOrDevice) {
  const Catalog c = catalog();

  EXPECT_EQ(c.cluster_for("big").fabric.id, "roce-390-tapered");
  EXPECT_EQ(c.cluster_for("tray").device.id, "gb200");
  EXPECT_EQ(c.cluster_for("hopper").node.id, "box");
  EXPECT_EQ(c.cluster_for("hopper").max_devices, 0);
}

TEST(MakeCluster, StatedFabricTakesLatencyFromTheNearestOfItsKind) {
  const StatedCluster stated{"h100", 1024, 8, StatedCluster::Link{4, BytesPerSecond{220e9 / 8}, "infiniband"}};

  const Cluster cluster = catalog().make_cluster(stated);

  EXPECT_EQ(cluster.fabric.id, "ib-200");
  EXPECT_DOUBLE_EQ(cluster.fabric.latency.in(microseconds), 200.0);
  EXPECT_DOUBLE_EQ(cluster.fabric.nic_bandwidth.base(), 220e9 / 8);
  EXPECT_EQ(cluster.node.nics_per_node, 4);
  EXPECT_EQ(cluster.max_devices, 1024);
}

TEST(MakeCluster, TaperedFabricsAreNeverAssumed) {
  const StatedCluster stated{"h100", 16, 8, StatedCluster::Link{8, BytesPerSecond{390e9 / 8}, "roce"}};

  EXPECT_EQ(catalog().make_cluster(stated).fabric.id, "roce-400");
}

TEST(MakeCluster, RacksStayAndBoxesFollowTheNode) {
  const Catalog c = catalog();

  EXPECT_EQ(c.make_cluster({"gb200", 8, 4, {}}).node.scale_up_domain, 72);
  EXPECT_EQ(c.make_cluster({"h100", 8, 4, {}}).node.scale_up_domain, 4);
  EXPECT_EQ(c.make_cluster({"h100", 8, 4, {}}).node.devices_per_node, 4);
  EXPECT_EQ(c.make_cluster({"card", 8, 4, {}}).node.scale_up_domain, 1);
}

TEST(MakeCluster, UnknownKindsAreRefused) {
  const StatedCluster stated{"h100", 16, 8, StatedCluster::Link{8, BytesPerSecond{1e9}, "infinband"}};

  EXPECT_THROW(catalog().make_cluster(stated), TextError);
}

TEST(Prices, NewestFirst) {
  const std::vector<Price> found = catalog().prices_of("hopper", "on-demand");

  std::vector<std::string> ids;
  for (const Price& p : found) ids.push_back(p.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"c", "a", "b-dear", "b", "b-old"}));  // "2026" counts as its June
}

TEST(Prices, UsualIsTheMedianOfTheProvidersRecentCheapest) {
  // A 9, B 4 (not the 5 of February, not the 1 of 2024), C 2
  EXPECT_EQ(catalog().usual_price("h100")->id, "b");
  EXPECT_EQ(catalog().usual_price("h100", "reserved")->id, "a-1y");  // the shortest term
  EXPECT_FALSE(catalog().usual_price("h100", "spot"));
  EXPECT_FALSE(catalog().usual_price("gb200"));
}

TEST(Prices, AClusterPrefersItsInstanceThenItsProvider) {
  const Catalog c = catalog();
  Cluster cluster = c.cluster_for("h100");
  EXPECT_EQ(c.usual_price(cluster)->id, "b");  // "maker" quotes nothing
  cluster.node.provider = "A";
  EXPECT_EQ(c.usual_price(cluster)->id, "a");
}

}  // namespace
}  // namespace reckon
