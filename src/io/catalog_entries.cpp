// One catalogue file each: device, fabric, node, cluster.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.hpp"
#include "io/catalog_fields.hpp"
#include "io/catalog_files.hpp"

namespace reckon {
namespace {

constexpr std::int64_t many = 1'000'000'000;

std::map<Precision, FlopsPerSecond> read_peak(const JsonNode& node) {
  std::map<Precision, FlopsPerSecond> peak;
  std::vector<std::string> known;
  for (const Precision precision : all_precisions) known.emplace_back(name_of(precision));
  node.refuse_unknown(known);
  for (const auto& [name, value] : node.members()) peak[*precision_of(name)] = value.quantity<FlopsPerSecond>();
  return peak;
}

}  // namespace

DeviceFile read_device(const JsonNode& root) {
  check_head(root, "reckon/device/1");
  root.refuse_unknown({"format",
                       "id",
                       "name",
                       "vendor",
                       "architecture",
                       "release",
                       "aliases",
                       "usual_node",
                       "calibration",
                       "peak",
                       "vector_peak",
                       "memory",
                       "memory_bandwidth",
                       "num_multiprocessors",
                       "l2_cache",
                       "link_bandwidth",
                       "pcie_bandwidth",
                       "power",
                       "notes",
                       "src",
                       "sources"});
  DeviceFile file;
  Device& d = file.device;
  d.id = root.at("id").string();
  d.name = root.at("name", "a text").string();
  d.vendor = root.at("vendor", "a text").string();
  d.architecture = root.at("architecture", "such as \"hopper\"").string();
  d.release = root.at("release", "\"YYYY-MM\"").string();
  d.peak = read_peak(root.at("peak", "{\"bf16\": \"989 TFLOP/s\", ...}"));
  d.vector_peak = published_or_zero<FlopsPerSecond>(root, "vector_peak");
  d.memory = root.at("memory", "\"80 GiB\"").quantity<Bytes>();
  d.memory_bandwidth = root.at("memory_bandwidth", "\"3.35 TB/s\"").quantity<BytesPerSecond>();
  d.num_multiprocessors = root.at("num_multiprocessors", "a whole number").integer(1, many);
  d.l2_cache = published_or_zero<Bytes>(root, "l2_cache");
  d.link_bandwidth = published_or_zero<BytesPerSecond>(root, "link_bandwidth");
  d.pcie_bandwidth = published_or_zero<BytesPerSecond>(root, "pcie_bandwidth");
  d.power = published_or_zero<Watts>(root, "power");
  if (const auto calibration = root.find("calibration")) d.calibration = calibration->string();
  read_texts(root, "notes");
  std::vector<std::string> numbers{"vector_peak",    "memory", "memory_bandwidth", "num_multiprocessors", "l2_cache", "link_bandwidth",
                                   "pcie_bandwidth", "power",  "release"};
  for (const auto& [precision, rate] : d.peak) numbers.push_back(fmt::format("peak.{}", name_of(precision)));
  d.provenance = read_provenance(root, numbers);
  refuse_problems(root, problems(d));
  file.aliases = read_texts(root, "aliases");
  file.usual_node = root.at("usual_node", "the id of a node").string();
  return file;
}

Fabric read_fabric(const JsonNode& root) {
  check_head(root, "reckon/fabric/1");
  root.refuse_unknown({"format", "id", "name", "kind", "nic_bandwidth", "latency", "oversubscription", "nodes_per_leaf",
                       "in_network_reduction", "notes", "src", "sources"});
  Fabric f;
  f.id = root.at("id").string();
  f.name = root.at("name", "a text").string();
  f.kind = root.at("kind", "such as \"infiniband\"").string();
  f.nic_bandwidth = root.at("nic_bandwidth", "\"400 Gb/s\"").quantity<BytesPerSecond>();
  f.latency = root.at("latency", "\"1.5 us\"").quantity<Seconds>();
  f.oversubscription = root.at("oversubscription", "1 for full bisection").number(0.0, 1e6);
  f.nodes_per_leaf = root.at("nodes_per_leaf", "0 for one level").integer(0, many);
  f.in_network_reduction = root.at("in_network_reduction", "true or false").boolean();
  read_texts(root, "notes");
  f.provenance = read_provenance(root, {"nic_bandwidth", "latency", "oversubscription", "nodes_per_leaf", "in_network_reduction"});
  refuse_problems(root, problems(f));
  return f;
}

Node read_node(const JsonNode& root) {
  check_head(root, "reckon/node/1");
  root.refuse_unknown({"format", "id", "name", "provider", "instance", "device", "devices_per_node", "scale_up_domain", "fabric",
                       "nics_per_node", "max_power", "host_memory", "notes", "src", "sources"});
  Node n;
  n.id = root.at("id").string();
  n.name = root.at("name", "a text").string();
  n.provider = root.at("provider", "a vendor or a cloud").string();
  n.instance = root.at("instance", "the cloud's name of it, or \"\"").string();
  n.device = root.at("device", "the id of a device").string();
  n.devices_per_node = root.at("devices_per_node", "a whole number").integer(1, many);
  n.scale_up_domain = root.at("scale_up_domain", "devices in one NVLink domain").integer(1, many);
  n.fabric = root.at("fabric", "the id of a fabric").string();
  n.nics_per_node = root.at("nics_per_node", "a whole number").integer(0, many);
  n.max_power = published_or_zero<Watts>(root, "max_power");
  n.host_memory = published_or_zero<Bytes>(root, "host_memory");
  read_texts(root, "notes");
  n.provenance = read_provenance(root, {"devices_per_node", "scale_up_domain", "nics_per_node", "max_power", "host_memory"});
  refuse_problems(root, problems(n));
  return n;
}

ClusterEntry read_cluster(const JsonNode& root) {
  check_head(root, "reckon/cluster/1");
  root.refuse_unknown({"format", "id", "name", "node", "fabric", "max_devices", "notes", "src", "sources"});
  ClusterEntry c;
  c.id = root.at("id").string();
  c.name = root.at("name", "a text").string();
  if (c.name.empty()) root.at("name").fail("name is empty");
  c.node = root.at("node", "the id of a node").string();
  c.fabric = root.at("fabric", "the id of a fabric").string();
  c.max_devices = root.at("max_devices", "a whole number, or 0 for as many as asked for").integer(0, many);
  read_texts(root, "notes");
  c.provenance = read_provenance(root, {"node", "fabric", "max_devices"});
  return c;
}

}  // namespace reckon
