// The compute calibrations as JSON.
// SPDX-License-Identifier: Apache-2.0
#include "io/calibration_files.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "io/catalog_fields.hpp"

namespace reckon {
namespace {

constexpr double many = 1e9;
constexpr Seconds longest{1.0};       // of a launch or another latency
constexpr Bytes largest_cache{1e12};
const char* const calibration_format = "reckon/compute/1";
using Sources = std::map<std::string, Source>;

Source source_named(const JsonNode& node, const Sources& sources) {
  const std::string key = node.string();
  const auto found = sources.find(key);
  if (found != sources.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [name, unused] : sources) known.push_back(name);
  node.fail("unknown source " + in_quotes(key), suggestion(key, known));
}

/// Runs `make` and turns its complaint about a parameter into one about this place in the file.
template <class Make>
auto checked(const JsonNode& node, Make make) {
  try {
    return make();
  } catch (const CalibrationError& error) {
    node.fail(error.what());
  }
}

Precision precision_at(const JsonNode& node, const std::string& name) {
  const auto precision = precision_of(name);
  if (!precision) node.fail("unknown precision " + in_quotes(name), "fp32, tf32, fp16, bf16, fp8, mxfp8 or nvfp4");
  return *precision;
}

FitResidual read_residual(const JsonNode& owner) {
  FitResidual r;
  const auto node = owner.find("residual");
  if (!node) return r;
  node->refuse_unknown({"points", "median", "p90", "worst", "bias", "cross_validated_median", "cross_validated_p90"});
  r.points = node->at("points", "how many points were fitted").number(1, many);
  r.median = node->at("median", "a share such as 0.03").number(0, 10);
  r.p90 = node->at("p90", "a share").number(r.median, 10);
  r.worst = node->at("worst", "a share").number(r.p90, 100);
  r.bias = node->at("bias", "a share").number(-1, 10);
  if (const auto value = node->find("cross_validated_median")) r.cross_validated_median = value->number(0, 10);
  if (const auto value = node->find("cross_validated_p90")) r.cross_validated_p90 = value->number(0, 10);
  return r;
}

std::vector<GemmTile> read_tiles(const JsonNode& node) {
  std::vector<GemmTile> tiles;
  for (const JsonNode& tile : node.items()) {
    const auto sides = tile.items();
    if (sides.size() != 3) tile.fail("a tile is [m, n, multiprocessors]");
    tiles.push_back({sides[0].number(1, 4096), sides[1].number(1, 4096), sides[2].number(1, 16)});
  }
  return tiles;
}

PowerLimit read_power(const JsonNode& node, const Sources& sources) {
  node.refuse_unknown({"knee", "exponent", "duty", "settling", "source"});
  source_named(node.at("source", "a key of /sources"), sources);
  return {.knee = node.at("knee", "a share of the peak").number(1e-3, 1e3),
          .exponent = node.at("exponent", "0 to 1").number(0, 1),
          .duty = node.at("duty", "0 to 1").number(0, 1),
          .settling = node.at("settling", "a time such as \"2 ms\"").quantity(Seconds{}, longest)};
}

GemmCalibration read_gemm(const JsonNode& node, const Sources& sources) {
  node.refuse_unknown({"source", "peak", "rate", "multiprocessors", "tiles", "tile_penalty", "k_overhead", "wave_quantisation",
                       "split_overhead", "bandwidth", "operand_bytes", "result_bytes", "launch", "misalignment", "power", "residual",
                       "cast_in_table"});
  GemmParameters p;
  p.peak = node.at("peak", "a rate such as \"989.4 TFLOP/s\"").quantity<FlopsPerSecond>();
  p.rate = node.at("rate", "a rate such as \"828 TFLOP/s\"").quantity<FlopsPerSecond>();
  p.multiprocessors = node.at("multiprocessors", "a count").number(1, 1e6);
  p.tiles = read_tiles(node.at("tiles", "[[m, n, multiprocessors], ...]"));
  p.tile_penalty = node.at("tile_penalty", "a number").number(0, 1);
  p.k_overhead = node.at("k_overhead", "steps of k").number(0, 1e6);
  p.wave_quantisation = node.at("wave_quantisation", "0 to 1").number(0, 1);
  p.split_overhead = node.at("split_overhead", "steps of k").number(0, 1e9);
  p.bandwidth = node.at("bandwidth", "a bandwidth such as \"2.7 TB/s\"").quantity<BytesPerSecond>();
  p.operand_bytes = node.at("operand_bytes", "bytes a value").number(0.1, 16);
  p.result_bytes = node.at("result_bytes", "bytes a value").number(0.1, 16);
  p.launch = node.at("launch", "a time such as \"2.4 us\"").quantity(Seconds{}, longest);
  p.misalignment = node.at("misalignment", "a factor").number(1, 100);
  p.power = read_power(node.at("power", "{knee, exponent, duty, settling, source}"), sources);
  GemmCalibration out;
  out.source = source_named(node.at("source", "a key of /sources"), sources);
  out.residual = read_residual(node);
  if (const auto cast = node.find("cast_in_table")) {
    cast->refuse_unknown({"bandwidth", "launch"});
    out.cast_in_table = {cast->at("bandwidth", "2 bytes a value over the time of its cast").quantity<BytesPerSecond>(),
                         cast->at("launch", "a time").quantity(Seconds{}, longest)};
  }
  out.cost = checked(node, [&] { return GemmCost(std::move(p)); });
  return out;
}

void read_gemms(const JsonNode& node, const Sources& sources, ComputeCalibration& out) {
  const auto slot = [&](Precision precision) -> auto& { return out.gemm[static_cast<std::size_t>(precision)]; };
  const auto entries = node.members();
  for (const auto& [name, entry] : entries)
    if (!entry.has("like")) slot(precision_at(entry, name)) = read_gemm(entry, sources);
  for (const auto& [name, entry] : entries) {
    if (!entry.has("like")) continue;
    entry.refuse_unknown({"like", "peak", "source"});
    const JsonNode like = entry.at("like", "a fitted precision");
    const auto& from = slot(precision_at(like, like.string()));
    if (!from || from->derived) like.fail("not a fitted entry of this file");
    const auto peak = entry.at("peak", "a rate").quantity<FlopsPerSecond>();
    const Precision precision = precision_at(entry, name);
    GemmCalibration scaled = checked(entry, [&] { return scaled_to_precision(*from, precision, peak); });
    scaled.source = source_named(entry.at("source", "a key of /sources"), sources);
    slot(precision) = std::move(scaled);
  }
  if (std::none_of(out.gemm.begin(), out.gemm.end(), [](const auto& entry) { return entry.has_value(); }))
    node.fail("no precision is calibrated");
}

AttentionParameters read_pass(const JsonNode& node) {
  node.refuse_unknown({"rate", "exponential_rate", "wide_head_penalty", "wide_head_from", "key_overhead", "wave_quantisation", "query_tile",
                       "key_tile", "multiprocessors", "bandwidth", "launch"});
  AttentionParameters p;
  p.rate = node.at("rate", "a rate").quantity<FlopsPerSecond>();
  p.exponential_rate = node.at("exponential_rate", "one FLOP a score").quantity<FlopsPerSecond>();
  p.wide_head_penalty = node.at("wide_head_penalty", "a share").number(0, 100);
  p.wide_head_from = node.at("wide_head_from", "a head dimension").number(0, 1e4);
  p.key_overhead = node.at("key_overhead", "keys").number(0, 1e6);
  p.wave_quantisation = node.at("wave_quantisation", "0 to 1").number(0, 1);
  p.query_tile = node.at("query_tile", "queries").number(1, 4096);
  p.key_tile = node.at("key_tile", "keys").number(1, 4096);
  p.multiprocessors = node.at("multiprocessors", "a count").number(1, 1e6);
  p.bandwidth = node.at("bandwidth", "a bandwidth").quantity<BytesPerSecond>();
  p.launch = node.at("launch", "a time").quantity(Seconds{}, longest);
  return p;
}

void read_attention(const JsonNode& node, const Sources& sources, ComputeCalibration& out) {
  for (const auto& [name, entry] : node.members()) {
    const auto kernel = attention_kernel_of(name);
    if (!kernel) entry.fail("unknown attention kernel " + in_quotes(name), "flash1, flash2, flash3 or cudnn");
    entry.refuse_unknown({"source", "derived_forward", "derived_backward", "forward", "backward", "residual"});
    AttentionCalibration a;
    a.source = source_named(entry.at("source", "a key of /sources"), sources);
    a.derived_forward = entry.at("derived_forward", "true or false").boolean();
    a.derived_backward = entry.at("derived_backward", "true or false").boolean();
    a.residual = read_residual(entry);
    a.cost = checked(entry, [&] { return AttentionCost(read_pass(entry.at("forward")), read_pass(entry.at("backward"))); });
    out.attention.emplace(*kernel, std::move(a));
  }
}

StreamParameters read_stream(const JsonNode& node, const Sources& sources, Provenance& provenance) {
  node.refuse_unknown({"source", "bandwidth", "efficiency", "latency", "cache", "cache_gain"});
  provenance["stream"] = source_named(node.at("source", "a key of /sources"), sources);
  StreamParameters s;
  s.bandwidth = node.at("bandwidth", "a bandwidth").quantity<BytesPerSecond>();
  if (!(s.bandwidth.base() > 0)) node.at("bandwidth").fail("the bandwidth must be positive");
  s.efficiency = node.at("efficiency", "0 to 1").number(0.01, 1);
  s.latency = node.at("latency", "a time").quantity(Seconds{}, longest);
  s.cache = node.at("cache", "a size").quantity(Bytes{}, largest_cache);
  s.cache_gain = node.at("cache_gain", "a factor").number(1, 100);
  return s;
}

void read_cited(const JsonNode& root, ComputeCalibration& out) {
  for (const JsonNode& node : root.at("cited_gemm", "an array").items()) {
    node.refuse_unknown({"precision", "m", "n", "k", "measured", "predicted"});
    const JsonNode precision = node.at("precision", "such as \"bf16\"");
    const auto side = [&](const char* key) { return node.at(key, "a size").number(1, many); };
    out.cited_gemm.push_back({.precision = precision_at(precision, precision.string()),
                              .shape = {.m = side("m"), .n = side("n"), .k = side("k"), .batch = 1},
                              .measured = node.at("measured", "a time").quantity<Seconds>(),
                              .predicted = node.at("predicted", "a time").quantity<Seconds>()});
  }
  for (const JsonNode& node : root.at("cited_attention", "an array").items()) {
    node.refuse_unknown({"kernel", "passes", "batch", "heads", "kv_heads", "seq_q", "seq_kv", "head_dim", "v_head_dim", "causal", "window",
                         "measured", "predicted"});
    CitedAttention c;
    c.kernel = attention_kernel_of(node.at("kernel").choice({"flash1", "flash2", "flash3", "cudnn"})).value();
    const std::string passes = node.at("passes").choice({"forward", "backward", "both"});
    c.forward = passes != "backward";
    c.backward = passes != "forward";
    const auto side = [&](const char* key, double least = 1) { return node.at(key, "a size").number(least, many); };
    c.shape = {.batch = side("batch"),
               .heads = side("heads"),
               .kv_heads = side("kv_heads"),
               .seq_q = side("seq_q"),
               .seq_kv = side("seq_kv"),
               .head_dim = side("head_dim"),
               .v_head_dim = side("v_head_dim"),
               .causal = node.at("causal").boolean(),
               .window = side("window", 0)};
    c.measured = node.at("measured", "a time").quantity<Seconds>();
    c.predicted = node.at("predicted", "a time").quantity<Seconds>();
    out.cited_attention.push_back(c);
  }
}

}  // namespace

ComputeCalibration read_compute_calibration(const JsonDocument& document) {
  const JsonNode root = document.root();
  const JsonNode format = root.at("format", "\"reckon/compute/1\"");
  if (format.string() != calibration_format)
    format.fail("not a compute calibration", std::string("the format of one is ") + calibration_format);
  root.refuse_unknown(
      {"format", "device", "derived_from", "date", "notes", "gemm", "attention", "stream", "cited_gemm", "cited_attention", "sources"});
  const Sources sources = read_sources(root);
  ComputeCalibration out;
  out.device = root.at("device", "the id of a device").string();
  if (const auto from = root.find("derived_from")) out.derived_from = from->string();
  out.date = root.at("date", "YYYY-MM-DD").string();
  out.notes = read_texts(root, "notes");
  read_gemms(root.at("gemm", "{precision: parameters}"), sources, out);
  read_attention(root.at("attention", "{kernel: parameters}"), sources, out);
  out.stream = read_stream(root.at("stream", "the memory-bound kernels"), sources, out.provenance);
  for (const Precision precision : all_precisions)
    if (out.supports(precision))
      out.provenance["gemm." + std::string(name_of(precision))] = out.gemm[static_cast<std::size_t>(precision)]->source;
  for (const auto& [kernel, entry] : out.attention) out.provenance["attention." + std::string(name_of(kernel))] = entry.source;
  read_cited(root, out);
  return out;
}

ComputeCalibration read_compute_calibration(const std::filesystem::path& path) { return read_compute_calibration(read_json(path)); }

std::map<std::string, ComputeCalibration> read_compute_calibrations(const std::filesystem::path& folder) {
  std::map<std::string, ComputeCalibration> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".json") continue;
    const JsonDocument document = read_json(entry.path());
    const std::string format = document.root().at("format", "\"reckon/compute/1\"").choice({calibration_format, "reckon/links/1", "reckon/stacks/1"});
    if (format != calibration_format) continue;
    ComputeCalibration calibration = read_compute_calibration(document);
    if (entry.path().stem() != calibration.device) document.root().at("device").fail("the file of a calibration is named after its device");
    all.emplace(calibration.device, std::move(calibration));
  }
  if (error) throw ConfigError(folder.string(), "", "cannot list this folder: " + error.message());
  return all;
}

}  // namespace reckon
