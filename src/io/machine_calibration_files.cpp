// Reads a machine's calibration.
// SPDX-License-Identifier: Apache-2.0
#include "io/machine_calibration_files.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "catalog/device.hpp"
#include "io/machine_calibration_names.hpp"

namespace reckon {
namespace {

// Bounds that catch a slipped exponent.
constexpr Seconds longest{1e4};
constexpr Bytes largest{1e15};
constexpr double largest_side = 1e9;

/// Runs `make` and turns its complaint about a parameter into one about this place in the file.
template <class Make>
auto held_to(const JsonNode& node, Make make) {
  try {
    return make();
  } catch (const CalibrationError& error) {
    node.fail(error.what());
  }
}

std::vector<std::string> keys_with(std::vector<std::string> keys, std::initializer_list<const char*> more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

Precision precision_named(const JsonNode& node, const std::string& name) {
  const auto precision = precision_of(name);
  if (!precision) node.fail("unknown precision " + in_quotes(name), "fp32, tf32, fp16, bf16, fp8, mxfp8 or nvfp4");
  return *precision;
}

template <class Q>
Q positive(const JsonNode& node, const char* key, const char* expected) {
  const Q value = node.at(key, expected).quantity<Q>();
  if (!(value.base() > 0)) node.at(key).fail("it must be positive");
  return value;
}

Seconds time_in(const JsonNode& node, const char* key) { return node.at(key, "a time such as \"12 us\"").quantity(Seconds{}, longest); }

/// Reads the numbers of a table of names into `p`; the keys that it read.
template <class Parameters, class Table>
std::vector<std::string> read_numbers(const JsonNode& node, const Table& table, Parameters& p) {
  std::vector<std::string> keys;
  for (const auto& n : table) {
    p.*n.field = node.at(n.key, "a number").number(n.least, n.most);
    keys.push_back(n.key);
  }
  return keys;
}

GemmCalibration read_measured_gemm(const JsonNode& node) {
  GemmParameters p;
  const std::vector<std::string> known = read_numbers(node, gemm_numbers, p);
  p.peak = positive<FlopsPerSecond>(node, "peak", "a rate such as \"230 GFLOP/s\"");
  p.rate = positive<FlopsPerSecond>(node, "rate", "a rate such as \"230 GFLOP/s\"");
  p.bandwidth = positive<BytesPerSecond>(node, "bandwidth", "a bandwidth");
  p.launch = time_in(node, "launch");
  p.power.knee = 100.0;
  for (const JsonNode& tile : node.at("tiles", "[[m, n, multiprocessors], ...]").items()) {
    const auto sides = tile.items();
    if (sides.size() != 3) tile.fail("a tile is [m, n, multiprocessors]");
    p.tiles.push_back({sides[0].number(1, 4096), sides[1].number(1, 4096), sides[2].number(1, 16)});
  }
  GemmCalibration out;
  const JsonNode r = node.at("residual", "{points, median, p90, worst, bias}");
  r.refuse_unknown({"points", "median", "p90", "worst", "bias"});
  out.residual.points = r.at("points").number(0, 1e9);
  out.residual.median = r.at("median").number(0, 1e6), out.residual.p90 = r.at("p90").number(0, 1e6),
  out.residual.worst = r.at("worst").number(0, 1e9);
  out.residual.bias = r.at("bias").number(-1, 1e6);
  node.refuse_unknown(keys_with(known, {"peak", "rate", "bandwidth", "launch", "tiles", "residual"}));
  out.cost = held_to(node, [&] { return GemmCost(std::move(p)); });
  return out;
}

AttentionParameters read_measured_pass(const JsonNode& node) {
  AttentionParameters p;
  const std::vector<std::string> known = read_numbers(node, attention_numbers, p);
  p.rate = positive<FlopsPerSecond>(node, "rate", "a rate");
  p.exponential_rate = positive<FlopsPerSecond>(node, "exponential_rate", "a rate");
  p.bandwidth = positive<BytesPerSecond>(node, "bandwidth", "a bandwidth");
  p.launch = time_in(node, "launch");
  node.refuse_unknown(keys_with(known, {"rate", "exponential_rate", "bandwidth", "launch"}));
  return p;
}

AlphaBetaCurve read_curve(const JsonNode& node) {
  std::vector<AlphaBeta> classes;
  for (const JsonNode& item : node.items()) {
    item.refuse_unknown({"from", "time", "rate"});
    AlphaBeta c;
    c.from = item.at("from", "a size such as \"1024 B\"").quantity(Bytes{}, largest);
    c.first = time_in(item, "time");
    const JsonNode rate = item.at("rate", "a bandwidth, or null for a time that does not grow");
    if (!rate.is_null()) c.seconds_per_byte = 1.0 / positive<BytesPerSecond>(item, "rate", "a bandwidth").base();
    classes.push_back(c);
  }
  if (classes.empty()) node.fail("a curve without classes");
  return held_to(node, [&] { return AlphaBetaCurve(std::move(classes)); });
}

ComputeFit read_compute_fit(const JsonNode& node, const MachineCalibration& machine) {
  node.refuse_unknown({"gemm", "attention", "stream", "kernels"});
  ComputeFit out;
  ComputeCalibration& c = out.compute;
  c.device = machine.device;
  c.date = machine.date;
  const JsonNode gemm = node.at("gemm", "{precision: parameters}");
  for (const auto& [name, entry] : gemm.members())
    c.gemm[static_cast<std::size_t>(precision_named(entry, name))] = read_measured_gemm(entry);
  if (gemm.size() == 0) gemm.fail("no precision is calibrated");
  for (const auto& [name, entry] : node.at("attention", "{precision: {forward, backward}}").members()) {
    entry.refuse_unknown({"forward", "backward"});
    out.attention.emplace(precision_named(entry, name), held_to(entry, [&, n = entry] {
                            return AttentionCost(read_measured_pass(n.at("forward")), read_measured_pass(n.at("backward")));
                          }));
  }
  if (!out.attention.empty()) c.attention.emplace(AttentionKernel::flash2, AttentionCalibration{.cost = out.attention.rbegin()->second});
  const JsonNode stream = node.at("stream", "{bandwidth, latency}");
  stream.refuse_unknown({"bandwidth", "latency"});
  c.stream.bandwidth = positive<BytesPerSecond>(stream, "bandwidth", "a bandwidth");
  c.stream.efficiency = 1.0;
  c.stream.latency = time_in(stream, "latency");
  auto measured = std::make_shared<MeasuredCompute>(
      measured_compute(Samples{machine.samples.gemm, machine.samples.attention, {}, {}, {}, {}}, c, out.attention));
  for (const auto& [name, kernels] : node.at("kernels", "{precision: {kernel: classes}}").members()) {
    auto& curves = measured->streams[precision_named(kernels, name)];
    for (const auto& [kernel_name, curve] : kernels.members()) {
      const auto kernel = stream_kernel_of(kernel_name);
      if (!kernel) curve.fail("unknown kernel " + in_quotes(kernel_name));
      curves[static_cast<std::size_t>(*kernel)] = read_curve(curve);
    }
  }
  measured->processors = double(machine.processors);
  measured->threads = double(machine.threads);
  c.measured = std::move(measured);
  return out;
}

LinkFit read_link_fit(const JsonNode& node, const std::string& device) {
  LinkFit out;
  node.refuse_unknown({"link", "ring", "all_to_all", "point_to_point", "curves", "held_out"});
  out.link = positive<BytesPerSecond>(node, "link", "a bandwidth");
  for (const PathName& path : fitted_paths) {
    const JsonNode p = node.at(path.key, "{base, step, efficiency}");
    p.refuse_unknown({"base", "step", "efficiency"});
    out.domain.*path.field = {.base = time_in(p, "base"),
                              .step = time_in(p, "step"),
                              .efficiency = p.at("efficiency").number(1e-9, 10),
                              .fill = {},
                              .fill_size = {}};
  }
  for (const auto& [name, groups] : node.at("curves", "{operation: {ranks: classes}}").members()) {
    const auto found =
        std::find_if(collective_keys.begin(), collective_keys.end(), [n = name](const auto& entry) { return entry.second == n; });
    if (found == collective_keys.end()) groups.fail("unknown operation " + in_quotes(name));
    for (const auto& [ranks, curve] : groups.members()) {
      std::int64_t count = 0;
      try {
        count = parse_count(ranks, 2, 1 << 24);
      } catch (const TextError& error) {
        curve.fail("ranks " + in_quotes(ranks) + ": " + error.reason(), error.cure());
      }
      out.curves.curves.emplace(std::pair{found->first, count}, read_curve(curve));
    }
  }
  for (const JsonNode& r : node.at("held_out", "an array").items()) {
    r.refuse_unknown({"what", "points", "median", "p90", "bias"});
    out.residuals.push_back({device, r.at("what").string(), "every second size", "held-out", r.at("points").integer(1, 1'000'000),
                             r.at("median").number(0, 1e9), r.at("p90").number(0, 1e9), r.at("bias").number(-1, 1e9)});
  }
  return out;
}

Timed read_time(const JsonNode& node) {
  Timed t;
  t.median = time_in(node, "time"), t.low = time_in(node, "low"), t.high = time_in(node, "high");
  if (!(t.median.base() > 0 && t.low <= t.median && t.median <= t.high)) node.fail("the times are not 0 < low <= time <= high");
  t.count = node.at("count", "repetitions").integer(1, 1'000'000'000);
  if (const auto stable = node.find("stable")) t.stable = stable->boolean();
  return t;
}

const std::vector<std::string> time_keys{"time", "low", "high", "count", "stable"};

Samples read_samples(const JsonNode& node) {
  node.refuse_unknown({"gemm", "attention", "kernels", "links", "overlap", "storage"});
  Samples out;
  const auto side = [](const JsonNode& n, const char* key) { return n.at(key, "a size").number(1, largest_side); };
  const auto precision = [](const JsonNode& n) { return precision_named(n.at("precision"), n.at("precision").string()); };
  for (const JsonNode& n : node.at("gemm", "an array").items()) {
    n.refuse_unknown(keys_with(time_keys, {"precision", "role", "m", "n", "k"}));
    const std::string role = n.at("role").choice({gemm_role_names.begin(), gemm_role_names.end()});
    const auto index = std::find(gemm_role_names.begin(), gemm_role_names.end(), role) - gemm_role_names.begin();
    out.gemm.push_back(
        {precision(n), static_cast<GemmRole>(index), {.m = side(n, "m"), .n = side(n, "n"), .k = side(n, "k"), .batch = 1}, read_time(n)});
  }
  for (const JsonNode& n : node.at("attention", "an array").items()) {
    n.refuse_unknown(keys_with(time_keys, {"precision", "pass", "sequences", "heads", "seq_q", "seq_kv", "head_dim", "causal"}));
    const AttentionShape shape{.batch = side(n, "sequences"),
                               .heads = side(n, "heads"),
                               .kv_heads = side(n, "heads"),
                               .seq_q = side(n, "seq_q"),
                               .seq_kv = side(n, "seq_kv"),
                               .head_dim = side(n, "head_dim"),
                               .causal = n.at("causal").boolean()};
    out.attention.push_back(
        {precision(n), n.at("pass").choice({"forward", "backward"}) == "forward" ? Pass::forward : Pass::backward, shape, read_time(n)});
  }
  for (const JsonNode& n : node.at("kernels", "an array").items()) {
    n.refuse_unknown(keys_with(time_keys, {"precision", "kernel", "traffic"}));
    const auto kernel = stream_kernel_of(n.at("kernel").string());
    if (!kernel) n.at("kernel").fail("unknown kernel");
    out.streams.push_back({precision(n), *kernel, n.at("traffic").quantity(Bytes{1}, largest), read_time(n)});
  }
  for (const JsonNode& n : node.at("links", "an array").items()) {
    n.refuse_unknown(keys_with(time_keys, {"operation", "ranks", "size"}));
    std::vector<std::string> names;
    for (const auto& [collective, name] : collective_keys) names.emplace_back(name);
    const std::string name = n.at("operation").choice(names);
    const auto index = std::find(names.begin(), names.end(), name) - names.begin();
    out.links.push_back(
        {static_cast<Collective>(index), n.at("ranks").integer(2, 1 << 24), n.at("size").quantity(Bytes{1}, largest), read_time(n)});
  }
  for (const JsonNode& n : node.at("overlap", "an array").items()) {
    n.refuse_unknown({"size", "compute", "message", "together", "hidden"});
    n.at("hidden").number(-1e9, 1e9);
    out.overlap.push_back({n.at("size").quantity(Bytes{1}, largest), time_in(n, "compute"), time_in(n, "message"), time_in(n, "together")});
  }
  for (const JsonNode& n : node.at("storage", "an array").items()) {
    n.refuse_unknown(keys_with(time_keys, {"what", "size"}));
    out.storage.push_back({n.at("what").choice({"checkpoint write", "data read"}), n.at("size").quantity(Bytes{1}, largest), read_time(n)});
  }
  return out;
}

}  // namespace

MachineCalibration read_machine_calibration(const JsonDocument& document) {
  const JsonNode root = document.root();
  const JsonNode format = root.at("format", "\"reckon/calibration/1\"");
  if (format.string() != machine_calibration_format)
    format.fail("not a calibration of 'reckon calibrate'", std::string("the format of one is ") + machine_calibration_format);
  root.refuse_unknown({"format", "date", "device", "machine", "software", "fit", "samples"});
  MachineCalibration out;
  out.device = root.at("device", "\"cpu\" or the id of a device").string();
  out.date = root.at("date", "YYYY-MM-DD").string();
  if (!is_date(out.date)) root.at("date").fail(in_quotes(out.date) + " is not a date", "write YYYY-MM-DD");
  const JsonNode m = root.at("machine", "an object");
  m.refuse_unknown({"processor", "processors", "ranks", "threads_per_rank", "clock", "memory", "cache", "timed_by", "pace", "slow_share"});
  out.processor = m.at("processor").string();
  out.processors = m.at("processors").integer(1, 1 << 24);
  out.ranks = m.at("ranks").integer(1, 1 << 24);
  out.threads = m.at("threads_per_rank").integer(1, 1 << 20);
  if (const JsonNode clock = m.at("clock", "a frequency, or null"); !clock.is_null()) out.clock = clock.quantity<Hertz>();
  out.memory = m.at("memory").quantity(Bytes{}, largest);
  out.cache = m.at("cache").quantity(Bytes{}, largest);
  out.clock_kind = m.at("timed_by").choice({"wall", "processor"});
  if (const JsonNode pace = m.at("pace", "a time, or null"); !pace.is_null()) out.pace = positive<Seconds>(m, "pace", "a time, or null");
  out.slow_share = m.at("slow_share").number(0, 1);
  for (const auto& [name, version] : root.at("software", "{name: version}").members()) out.software[name] = version.string();
  out.samples = read_samples(root.at("samples", "what was measured"));
  const JsonNode fit = root.at("fit", "{compute, links}");
  fit.refuse_unknown({"compute", "links"});
  if (const auto compute = fit.find("compute")) out.compute = read_compute_fit(*compute, out);
  if (const auto links = fit.find("links")) out.links = read_link_fit(*links, out.device);
  if (!out.compute && !out.links) fit.fail("neither compute nor links are calibrated");
  return out;
}

MachineCalibration read_machine_calibration(const std::filesystem::path& path) { return read_machine_calibration(read_json(path)); }

}  // namespace reckon
