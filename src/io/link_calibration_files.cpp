// SPDX-License-Identifier: Apache-2.0
#include "io/link_calibration_files.hpp"

#include <map>

#include "io/catalog_fields.hpp"

namespace reckon {
namespace {

using Sources = std::map<std::string, Source>;

// Bounds that catch a slipped exponent.
Seconds time_at(const JsonNode& node, const char* key) { return node.at(key).quantity(Seconds{}, Seconds{1.0}); }
Bytes size_at(const JsonNode& node, const char* key) { return node.at(key).quantity(Bytes{}, Bytes{1e12}); }

Source source_of(const JsonNode& entry, const Sources& sources) {
  const JsonNode key = entry.at("source", "a key of /sources");
  const auto found = sources.find(key.string());
  if (found == sources.end()) key.fail("no such key under /sources");
  return found->second;
}

PathCost read_path(const JsonNode& node) {
  PathCost out;
  out.base = time_at(node, "base");
  out.step = time_at(node, "step");
  out.efficiency = node.at("efficiency").number(0.0, 1.5);
  out.fill = time_at(node, "fill");
  out.fill_size = size_at(node, "fill_size");
  node.refuse_unknown({"base", "step", "efficiency", "fill", "fill_size"});
  return out;
}

struct CopyName {
  const char* key;
  Collective collective;
};
constexpr CopyName copies[] = {{"all_reduce", Collective::all_reduce},
                               {"all_gather", Collective::all_gather},
                               {"reduce_scatter", Collective::reduce_scatter},
                               {"all_to_all", Collective::all_to_all}};

DomainLinks read_domain(const JsonNode& node) {
  DomainLinks out;
  out.low_latency = read_path(node.at("low_latency"));
  out.mid = read_path(node.at("mid"));
  const JsonNode bulk = node.at("bulk");
  out.bulk = read_path(bulk);
  if (!(out.bulk.efficiency > 0)) bulk.fail("the bulk ring needs an efficiency above 0");
  out.in_switch = read_path(node.at("in_switch"));
  out.all_to_all = read_path(node.at("all_to_all"));
  out.point_to_point = read_path(node.at("point_to_point"));
  const JsonNode copy = node.at("copy");
  for (const CopyName& c : copies) out.copy[static_cast<std::size_t>(c.collective)] = copy.at(c.key).quantity(BytesPerSecond{}, BytesPerSecond{1e15});
  copy.refuse_unknown({"all_reduce", "all_gather", "reduce_scatter", "all_to_all"});
  out.in_switch_min_ranks = node.at("in_switch_min_ranks").integer(2, 1 << 20);
  node.refuse_unknown({"measured", "source", "low_latency", "mid", "bulk", "in_switch", "all_to_all", "point_to_point", "copy", "in_switch_min_ranks"});
  return out;
}

FabricLinks read_fabric_links(const JsonNode& node) {
  FabricLinks out;
  const struct { const char* key; double FabricLinks::* field; double least; } shares[] = {
      {"ring_efficiency", &FabricLinks::ring_efficiency, 0.01}, {"tree_efficiency", &FabricLinks::tree_efficiency, 0.01},
      {"all_to_all_efficiency", &FabricLinks::all_to_all_efficiency, 0.01}, {"point_to_point_efficiency", &FabricLinks::point_to_point_efficiency, 0.01},
      {"in_network_efficiency", &FabricLinks::in_network_efficiency, 0.0}, {"in_switch_retained", &FabricLinks::in_switch_retained, 0.01},
      {"loss_per_doubling", &FabricLinks::loss_per_doubling, 0.0}};
  std::vector<std::string> known{"measured", "source", "base", "step", "bulk_step", "peer", "fill", "fill_size", "loss_free_domains", "tree_between_two"};
  for (const auto& s : shares) {
    out.*s.field = node.at(s.key, "a share").number(s.least, 1.0);
    known.push_back(s.key);
  }
  out.base = time_at(node, "base");
  out.step = time_at(node, "step");
  out.bulk_step = time_at(node, "bulk_step");
  out.peer = time_at(node, "peer");
  out.fill = time_at(node, "fill");
  out.fill_size = size_at(node, "fill_size");
  out.loss_free_domains = node.at("loss_free_domains").integer(1, 1 << 20);
  out.tree_between_two = node.at("tree_between_two", "true or false").boolean();
  node.refuse_unknown(known);
  return out;
}

LinkResidual read_residual(const JsonNode& node) {
  LinkResidual out{node.at("device").string(), node.at("collective").string(), node.at("sizes").string(), node.at("kind").choice({"fit", "held-out"}),
                   node.at("points").integer(1, 1'000'000'000), node.at("median").number(0, 1e6), node.at("p90").number(0, 1e6), node.at("bias").number(-1e6, 1e6)};
  node.refuse_unknown({"device", "collective", "sizes", "kind", "points", "median", "p90", "bias"});
  return out;
}

}  // namespace

LinkTable read_link_calibration(const JsonDocument& document) {
  const JsonNode root = document.root();
  root.at("format").choice({"reckon/links/1"});
  root.refuse_unknown({"format", "domains", "fabrics", "residuals", "sources"});
  const Sources sources = read_sources(root);
  LinkTable out;
  const JsonNode domains = root.at("domains"), fabrics = root.at("fabrics");
  for (const auto& [key, node] : domains.members()) out.domains[key] = {read_domain(node), node.at("measured").boolean(), source_of(node, sources)};
  for (const auto& [key, node] : fabrics.members()) out.fabrics[key] = {read_fabric_links(node), node.at("measured").boolean(), source_of(node, sources)};
  domains.at("default", "the links of devices that nobody measured");
  fabrics.at("default", "the fabric of kinds that nobody measured");
  for (const JsonNode& node : root.at("residuals").items()) out.residuals.push_back(read_residual(node));
  return out;
}

LinkTable read_link_calibration(const std::filesystem::path& path) { return read_link_calibration(read_json(path)); }

}  // namespace reckon
