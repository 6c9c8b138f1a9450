// SPDX-License-Identifier: Apache-2.0
#include "app/catalog_listing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "io/architecture_files.hpp"
#include "report/numbers.hpp"

namespace reckon {
namespace {

template <class Q>
std::string known_quantity(Q value) {
  return value == Q{} ? "-" : format_quantity(value);
}

std::string known_count(std::int64_t value) { return value == 0 ? "-" : fmt::to_string(value); }
std::string yes_no(bool value) { return value ? "yes" : "no"; }

/// Fields of an entry with the sources that its provenance names.
class Facts {
 public:
  explicit Facts(const Provenance& provenance) : provenance_(provenance) {}
  void add(const std::string& field, std::string value) {
    const Source* source = source_of(provenance_, field);
    out_.push_back({field, std::move(value), source ? std::optional<Source>(*source) : std::nullopt});
  }
  std::vector<Fact> take() { return std::move(out_); }

 private:
  const Provenance& provenance_;
  std::vector<Fact> out_;
};

std::string calibration_state(const KnownThings& known, const std::string& device) {
  const auto at = known.compute.find(device);
  return at == known.compute.end() ? "none" : at->second.derived() ? "derived" : "measured";
}

Listing devices(const KnownThings& known) {
  Listing out{"devices", {"id", "name", "memory", "bandwidth", "bf16", "fp8", "link", "power", "release", "calibration"}, {}};
  for (const std::string& id : known.catalog.device_ids()) {
    const Device& d = known.catalog.device(id);
    const auto peak = [&d](Precision p) { return d.peak.contains(p) ? format_quantity(d.peak.at(p)) : std::string("-"); };
    out.rows.push_back({d.id, d.name, format_quantity(d.memory), format_quantity(d.memory_bandwidth), peak(Precision::bf16),
                        peak(Precision::fp8), known_quantity(d.link_bandwidth), known_quantity(d.power), d.release,
                        calibration_state(known, id)});
  }
  return out;
}

Details device_details(const KnownThings& known, const Device& d) {
  Facts facts(d.provenance);
  facts.add("vendor", d.vendor);
  facts.add("architecture", d.architecture);
  facts.add("release", d.release);
  for (const auto& [precision, rate] : d.peak) facts.add("peak." + std::string(name_of(precision)), format_quantity(rate));
  facts.add("vector_peak", known_quantity(d.vector_peak));
  facts.add("memory", format_quantity(d.memory));
  facts.add("memory_bandwidth", format_quantity(d.memory_bandwidth));
  facts.add("num_multiprocessors", known_count(d.num_multiprocessors));
  facts.add("l2_cache", known_quantity(d.l2_cache));
  facts.add("link_bandwidth", known_quantity(d.link_bandwidth));
  facts.add("pcie_bandwidth", known_quantity(d.pcie_bandwidth));
  facts.add("power", known_quantity(d.power));
  facts.add("calibration", calibration_state(known, d.id));
  if (const auto price = known.catalog.usual_price(d.id))
    facts.add("usual on-demand price", fmt::format("{} ({}, {})", format_quantity(price->per_device), price->id, price->date));
  return {"devices", d.id, d.name, facts.take(), {}};
}

Listing nodes(const KnownThings& known) {
  Listing out{"nodes", {"id", "name", "provider", "device", "devices", "domain", "fabric", "nics", "power"}, {}};
  for (const std::string& id : known.catalog.node_ids()) {
    const Node& n = known.catalog.node(id);
    out.rows.push_back({n.id, n.name, n.provider, n.device, fmt::to_string(n.devices_per_node), fmt::to_string(n.scale_up_domain), n.fabric,
                        fmt::to_string(n.nics_per_node), known_quantity(n.max_power)});
  }
  return out;
}

Details node_details(const Node& n) {
  Facts facts(n.provenance);
  facts.add("provider", n.provider);
  facts.add("instance", n.instance.empty() ? "-" : n.instance);
  facts.add("device", n.device);
  facts.add("devices_per_node", fmt::to_string(n.devices_per_node));
  facts.add("scale_up_domain", fmt::to_string(n.scale_up_domain));
  facts.add("fabric", n.fabric);
  facts.add("nics_per_node", fmt::to_string(n.nics_per_node));
  facts.add("max_power", known_quantity(n.max_power));
  facts.add("host_memory", known_quantity(n.host_memory));
  return {"nodes", n.id, n.name, facts.take(), {}};
}

Listing fabrics(const KnownThings& known) {
  Listing out{"fabrics", {"id", "name", "kind", "nic", "latency", "oversubscription", "in-network"}, {}};
  for (const std::string& id : known.catalog.fabric_ids()) {
    const Fabric& f = known.catalog.fabric(id);
    out.rows.push_back({f.id, f.name, f.kind, format_quantity(f.nic_bandwidth), format_quantity(f.latency), significant(f.oversubscription),
                        yes_no(f.in_network_reduction)});
  }
  return out;
}

Details fabric_details(const Fabric& f) {
  Facts facts(f.provenance);
  facts.add("kind", f.kind);
  facts.add("nic_bandwidth", format_quantity(f.nic_bandwidth));
  facts.add("latency", format_quantity(f.latency));
  facts.add("oversubscription", significant(f.oversubscription));
  facts.add("nodes_per_leaf", known_count(f.nodes_per_leaf));
  facts.add("in_network_reduction", yes_no(f.in_network_reduction));
  return {"fabrics", f.id, f.name, facts.take(), {}};
}

Listing clusters(const KnownThings& known) {
  Listing out{"clusters", {"id", "name", "device", "node", "fabric", "devices"}, {}};
  for (const std::string& id : known.catalog.cluster_ids()) {
    const Cluster c = known.catalog.cluster(id);
    out.rows.push_back({c.id, c.name, c.device.id, c.node.id, c.fabric.id, c.max_devices > 0 ? grouped(c.max_devices) : "-"});
  }
  return out;
}

Details cluster_details(const Cluster& c) {
  Facts facts(c.provenance);
  facts.add("node", c.node.id);
  facts.add("device", c.device.id);
  facts.add("fabric", c.fabric.id);
  facts.add("max_devices", c.max_devices > 0 ? grouped(c.max_devices) : "as many as asked for");
  return {"clusters", c.id, c.name, facts.take(), {}};
}

Listing prices(const KnownThings& known) {
  Listing out{"prices", {"id", "device", "provider", "kind", "price", "months", "date", "region"}, {}};
  for (const Price& p : known.catalog.prices())
    out.rows.push_back({p.id, p.device, p.provider, p.kind, format_quantity(p.per_device), known_count(p.term_months), p.date, p.region});
  return out;
}

Details price_details(const Price& p) {
  Facts facts(p.provenance);
  facts.add("device", p.device);
  facts.add("provider", p.provider);
  facts.add("instance", p.instance.empty() ? "-" : p.instance);
  facts.add("kind", p.kind);
  facts.add("price", format_quantity(p.per_device));
  facts.add("low", format_quantity(p.per_device_low));
  facts.add("high", format_quantity(p.per_device_high));
  facts.add("term_months", known_count(p.term_months));
  facts.add("date", p.date);
  facts.add("region", p.region.empty() ? "-" : p.region);
  return {"prices", p.id, fmt::format("one {} a hour from {}", p.device, p.provider), facts.take(), {}};
}

Listing architectures(const KnownThings& known) {
  Listing out{"architectures", {"id", "name", "family", "parameters", "active"}, {}};
  for (const std::string& id : architecture_names(known.models)) {
    const Architecture a = read_architecture(id, known.models);
    const ParameterCount count = parameter_count(a);
    out.rows.push_back({id, a.name, a.family, count_text(count.total()), count_text(count.active())});
  }
  return out;
}

void add_transformer(Facts& facts, const Transformer& t) {
  const auto add = [&facts](const char* field, std::int64_t value) {
    if (value > 0) facts.add(field, fmt::to_string(value));
  };
  add("num_layers", t.num_layers);
  add("num_encoder_layers", t.num_encoder_layers);
  add("hidden_size", t.hidden_size);
  add("num_heads", t.num_heads);
  add("num_kv_heads", t.num_kv_heads);
  add("head_dim", t.head_dim);
  add("ffn_hidden_size", t.ffn_hidden_size);
  add("vocab_size", t.vocab_size);
  add("max_positions", t.max_positions);
  add("sliding_window", t.sliding_window);
  facts.add("gated_mlp", yes_no(t.gated_mlp));
  facts.add("tied_embeddings", yes_no(t.tied_embeddings));
  if (t.experts)
    facts.add("experts", fmt::format("{} of {} a token, ffn_hidden_size {}", t.experts->experts_per_token, t.experts->num_experts,
                                     t.experts->expert_ffn_hidden_size));
}

Details architecture_details(const KnownThings& known, const std::string& id) {
  const Architecture a = read_architecture(id, known.models);
  const ParameterCount count = parameter_count(a);
  Facts facts(a.provenance);
  facts.add("family", a.family);
  facts.add("parameters", grouped(static_cast<std::int64_t>(count.total())));
  if (count.inactive_experts > 0) facts.add("active parameters", grouped(static_cast<std::int64_t>(count.active())));
  if (const Transformer* t = a.transformer()) add_transformer(facts, *t);
  return {"architectures", id, a.name, facts.take(), a.notes};
}

Listing stacks(const KnownThings& known) {
  Listing out{"stacks", {"id", "name", "fitted", "fit"}, {}};
  for (const auto& [id, s] : known.stacks) out.rows.push_back({id, s.name, fmt::to_string(s.fitted.size()) + " constants", s.fit_note});
  return out;
}

Details stack_details(const Stack& s) {
  Facts facts(s.provenance);
  for (const auto& [architecture, kernel] : s.facts.attention) facts.add("attention." + architecture, std::string(name_of(kernel)));
  facts.add("gradient_bytes", significant(s.facts.gradient_bytes));
  facts.add("bf16_gradient_bytes", significant(s.facts.bf16_gradient_bytes));
  facts.add("fp16_gradients", yes_no(s.facts.fp16_gradients));
  facts.add("master_bytes", significant(s.facts.master_bytes));
  facts.add("moment_bytes", significant(s.facts.moment_bytes));
  facts.add("gradient_bucket", significant(s.facts.gradient_bucket));
  facts.add("packed_sequences", significant(s.facts.packed_sequences));
  facts.add("vocabulary_multiple", significant(s.facts.vocabulary_multiple));
  facts.add("overlap_tensor", yes_no(s.facts.overlap_tensor));
  facts.add("overlap_gradients", yes_no(s.facts.overlap_gradients));
  facts.add("overlap_parameters", yes_no(s.facts.overlap_parameters));
  facts.add("gathers_by_tensor", yes_no(s.facts.gathers_by_tensor));
  facts.add("balanced_stages", yes_no(s.facts.balanced_stages));
  facts.add("overlap_pipeline", yes_no(s.facts.overlap_pipeline));
  facts.add("overlap_experts", yes_no(s.facts.overlap_experts));
  facts.add("cuda_graphs", yes_no(s.facts.cuda_graphs));
  facts.add("synchronous_launches", yes_no(s.facts.synchronous_launches));
  facts.add("optimizer_by_tensor", yes_no(s.facts.optimizer_by_tensor));
  facts.add("in_network_reduction", yes_no(s.facts.in_network_reduction));
  facts.add("product_slowdown", significant(s.constants.product_slowdown));
  facts.add("stream_slowdown", significant(s.constants.stream_slowdown));
  facts.add("host_time", format_quantity(s.constants.host_time));
  facts.add("tensor_slowdown", significant(s.constants.tensor_slowdown));
  facts.add("exposed_data", significant(s.constants.exposed_data));
  facts.add("scale_jitter", significant(s.constants.scale_jitter));
  return {"stacks", s.id, s.name, facts.take(), s.fit_note.empty() ? std::vector<std::string>{} : std::vector<std::string>{s.fit_note}};
}

Listing calibrations(const KnownThings& known) {
  Listing out{"calibrations", {"device", "state", "from", "date", "points", "median error", "p90 error"}, {}};
  for (const auto& [device, c] : known.compute) {
    const auto& gemm = c.gemm[static_cast<std::size_t>(Precision::bf16)];
    const FitResidual r = gemm ? gemm->residual : FitResidual{};
    const bool fitted = r.points > 0;
    out.rows.push_back({device, c.derived() ? "derived" : "measured", c.derived() ? c.derived_from : "-", c.date,
                        fitted ? grouped(static_cast<std::int64_t>(r.points)) : "-", fitted ? significant(100 * r.median) + " %" : "-",
                        fitted ? significant(100 * r.p90) + " %" : "-"});
  }
  return out;
}

Details calibration_details(const ComputeCalibration& c) {
  Facts facts(c.provenance);
  facts.add("derived_from", c.derived() ? c.derived_from : "-");
  facts.add("date", c.date);
  std::vector<Fact> out = facts.take();
  for (const Precision p : all_precisions) {
    const auto& gemm = c.gemm[static_cast<std::size_t>(p)];
    if (!gemm) continue;
    const std::string fit = gemm->residual.points > 0
                                ? fmt::format(", {:.0f} points, median error {:.1f} %, 90th percentile {:.1f} %", gemm->residual.points,
                                              100 * gemm->residual.median, 100 * gemm->residual.p90)
                                : "";
    out.push_back({"gemm." + std::string(name_of(p)),
                   fmt::format("{} in the inner loop, sustained at {:.0f} %{}", format_quantity(gemm->cost.parameters().rate),
                               100 * gemm->cost.sustained_fraction(), fit),
                   gemm->source});
  }
  for (const auto& [kernel, attention] : c.attention)
    out.push_back({"attention." + std::string(name_of(kernel)), format_quantity(attention.cost.parameters(Pass::forward).rate) + " forward",
                   attention.source});
  const Source* stream = source_of(c.provenance, "stream");
  out.push_back({"stream", fmt::format("{} at {:.0f} %", format_quantity(c.stream.bandwidth), 100 * c.stream.efficiency),
                 stream ? std::optional<Source>(*stream) : std::nullopt});
  return {"calibrations", c.device, c.derived() ? "derived from " + c.derived_from : "measured", out, {}};
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

const std::vector<std::string>& catalog_kinds() {
  static const std::vector<std::string> kinds{"devices", "nodes",         "fabrics", "clusters",
                                              "prices",  "architectures", "stacks",  "calibrations"};
  return kinds;
}

Listing listing_of(const KnownThings& known, const std::string& kind) {
  if (kind == "devices") return devices(known);
  if (kind == "nodes") return nodes(known);
  if (kind == "fabrics") return fabrics(known);
  if (kind == "clusters") return clusters(known);
  if (kind == "prices") return prices(known);
  if (kind == "architectures") return architectures(known);
  if (kind == "stacks") return stacks(known);
  return calibrations(known);
}

std::optional<Details> details_of(const KnownThings& known, const std::string& kind, const std::string& name) {
  const Catalog& c = known.catalog;
  if (kind == "devices" && (contains(c.device_ids(), name) || c.aliases().contains(name))) return device_details(known, c.device(name));
  if (kind == "nodes" && contains(c.node_ids(), name)) return node_details(c.node(name));
  if (kind == "fabrics" && contains(c.fabric_ids(), name)) return fabric_details(c.fabric(name));
  if (kind == "clusters" && contains(c.cluster_ids(), name)) return cluster_details(c.cluster(name));
  if (kind == "prices")
    for (const Price& p : c.prices())
      if (p.id == name) return price_details(p);
  if (kind == "architectures" && contains(architecture_names(known.models), name)) return architecture_details(known, name);
  if (kind == "stacks" && known.stacks.contains(name)) return stack_details(known.stacks.at(name));
  if (kind == "calibrations" && known.compute.contains(name)) return calibration_details(known.compute.at(name));
  return std::nullopt;
}

}  // namespace reckon
