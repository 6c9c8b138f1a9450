// SPDX-License-Identifier: Apache-2.0
#include "catalog/device.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace reckon {
namespace {

Device device() {
  Device d;
  d.id = d.name = "one";
  d.vendor = "we";
  d.architecture = "hopper";
  d.release = "2022-09";
  d.peak[Precision::bf16] = 989.0 * teraflops_per_second;
  d.memory = 80.0 * gibibytes;
  d.memory_bandwidth = 3350.0 * gigabytes_per_second;
  d.num_multiprocessors = 132;
  return d;
}

Fabric fabric() {
  Fabric f;
  f.id = f.name = "one";
  f.kind = "roce";
  f.nic_bandwidth = 50.0 * gigabytes_per_second;
  f.latency = 1.5 * microseconds;
  return f;
}

Price price() {
  Price p;
  p.id = "one";
  p.device = "one";
  p.provider = "we";
  p.kind = "spot";
  p.per_device = p.per_device_low = p.per_device_high = 2.0 * dollars_per_hour;
  p.date = "2026";
  return p;
}

std::string first(const Problems& found) { return found.empty() ? "" : found.front().field; }

TEST(DeviceRules, ZeroMeansNotPublishedOnlyWhereItMay) {
  EXPECT_EQ(first(problems(device())), "");  // no power, link, cache or vector rate stated
  Device d = device();
  d.memory = Bytes{0};
  EXPECT_EQ(first(problems(d)), "memory");
  d = device();
  d.memory_bandwidth = BytesPerSecond{0};
  EXPECT_EQ(first(problems(d)), "memory_bandwidth");
}

TEST(DeviceRules, SlippedMagnitudesAndSignsAreCaught) {
  Device d = device();
  d.link_bandwidth = BytesPerSecond{450};  // GB/s read as B/s
  EXPECT_EQ(first(problems(d)), "link_bandwidth");
  d = device();
  d.power = Watts{-700};
  EXPECT_EQ(first(problems(d)), "power");
  d = device();
  d.peak[Precision::fp8] = FlopsPerSecond{2e19};
  EXPECT_EQ(first(problems(d)), "peak.fp8");
  d = device();
  d.memory_bandwidth = BytesPerSecond{std::numeric_limits<double>::quiet_NaN()};
  EXPECT_EQ(first(problems(d)), "memory_bandwidth");
  d = device();
  d.peak.clear();
  EXPECT_EQ(first(problems(d)), "peak");
}

TEST(DeviceRules, MessagesSayValueRangeAndUnit) {
  Device d = device();
  d.memory = 20000.0 * gibibytes;

  EXPECT_EQ(problems(d).front().message, "memory is 20000 GiB, expected 1 to 16384 GiB");
}

TEST(FabricRules, OversubscriptionNeedsALeaf) {
  EXPECT_EQ(first(problems(fabric())), "");
  Fabric f = fabric();
  f.oversubscription = 7.0;
  EXPECT_EQ(first(problems(f)), "nodes_per_leaf");
  f.nodes_per_leaf = 384;
  EXPECT_EQ(first(problems(f)), "");
  f.oversubscription = 0.5;
  EXPECT_EQ(first(problems(f)), "oversubscription");
  f = fabric();
  f.kind = "wifi";
  EXPECT_EQ(first(problems(f)), "kind");
  f = fabric();
  f.latency = Seconds{1.0};
  EXPECT_EQ(first(problems(f)), "latency");
}

TEST(NodeRules, DomainsAndNodesNest) {
  Node n;
  n.id = n.name = n.device = n.fabric = n.provider = "one";
  n.devices_per_node = n.nics_per_node = 4;
  n.scale_up_domain = 72;
  EXPECT_EQ(first(problems(n)), "");
  n.scale_up_domain = 70;
  EXPECT_EQ(first(problems(n)), "scale_up_domain");
  n.scale_up_domain = 1;
  EXPECT_EQ(first(problems(n)), "");
  n.devices_per_node = 0;
  EXPECT_EQ(first(problems(n)), "devices_per_node");
}

TEST(PriceRules, TermsGoWithReservations) {
  EXPECT_EQ(first(problems(price())), "");
  Price p = price();
  p.kind = "reserved";
  EXPECT_EQ(first(problems(p)), "term_months");
  p.term_months = 12;
  EXPECT_EQ(first(problems(p)), "");
  p.per_device_low = 3.0 * dollars_per_hour;
  EXPECT_EQ(first(problems(p)), "price");
  p = price();
  p.kind = "gift";
  EXPECT_EQ(first(problems(p)), "kind");
}

TEST(Dates, ThreePrecisions) {
  for (const char* good : {"2026", "2026-01", "2026-12-31"}) EXPECT_TRUE(is_date(good)) << good;
  for (const char* bad : {"", "26", "2026-", "2026-13", "2026-00", "2026-1", "2026-01-32", "2026/01/02", "2026-01-02T00", "month"})
    EXPECT_FALSE(is_date(bad)) << bad;
}

TEST(Sources, AFieldFallsBackOnItsGroupAndTheEntry) {
  const auto source = [](const char* title) { return Source{title, "2026", true, "https://example.org"}; };
  const Provenance provenance{{"peak", source("sheet")}, {"peak.fp8", source("recalled")}};

  EXPECT_EQ(source_of(provenance, "peak.fp8")->title, "recalled");
  EXPECT_EQ(source_of(provenance, "peak.bf16")->title, "sheet");
  EXPECT_EQ(source_of(provenance, "memory"), nullptr);
  EXPECT_EQ(source_of({{"", source("all")}}, "memory")->title, "all");
}

}  // namespace
}  // namespace reckon
