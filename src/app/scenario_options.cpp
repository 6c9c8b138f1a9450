// SPDX-License-Identifier: Apache-2.0
#include "app/scenario_options.hpp"

#include <charconv>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"

namespace reckon {
namespace {

constexpr std::int64_t most_devices = 10'000'000;

void read_slow(const ParsedOptions& options, const char* list, const char* share, std::int64_t num_devices,
               std::vector<Disturbance::Slow>& out) {
  if (!options.given(list)) return;
  const double slower = options.number(share, 0, 1000);
  for (const std::int64_t device : options.counts(list, 0, most_devices)) {
    if (device >= num_devices)
      options.fail(list, "there are " + std::to_string(num_devices) + " devices, numbered from 0", "name smaller numbers");
    out.push_back({device, 1, slower});
  }
}

}  // namespace

OptionGroup disturbance_options() {
  return {
      "What disturbs the step",
      {{.name = "unfold", .help = "simulate every device by itself, also when nothing disturbs"},
       {.name = "jitter", .argument = "SHARE", .fallback = "0", .help = "standard deviation of a pass's compute on one device, e.g. 2 %"},
       {.name = "slow-devices", .argument = "LIST", .help = "devices that compute slower, e.g. 13 or 64..71+1"},
       {.name = "slow-by", .argument = "SHARE", .fallback = "10 %", .help = "by how much more time"},
       {.name = "slow-links", .argument = "LIST", .help = "devices whose messages are slower"},
       {.name = "slow-links-by", .argument = "SHARE", .fallback = "100 %", .help = "by how much more time"},
       {.name = "contention", .help = "messages of all groups on the links of the fabric"},
       {.name = "scatter", .help = "with --contention: nodes drawn at random from the fabric, not side by side"},
       {.name = "torus", .argument = "SIZES", .help = "with --contention: the torus that joins the devices, e.g. 8x8x16 of a TPU pod"},
       {.name = "seed", .argument = "N", .fallback = "1", .help = "of all random numbers"}}};
}

ClusterLayout read_layout(const ParsedOptions& options) {
  ClusterLayout out{options.flag("scatter"), static_cast<std::uint64_t>(options.count("seed", 0)), {}};
  const char* beside = options.flag("scatter") ? "scatter" : options.given("torus") ? "torus" : nullptr;
  if (beside != nullptr && !options.flag("contention"))
    throw UsageError(std::string("--") + beside + " says where messages meet", "add --contention");
  if (!options.given("torus")) return out;
  for (const std::string_view size : split(options.text("torus"), 'x')) {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), n);
    if (error != std::errc{} || end != size.data() + size.size() || n < 1 || n > most_devices)
      options.fail("torus", "not sizes such as 8x8x16", "give one size a dimension");
    out.torus.push_back(n);
  }
  return out;
}

bool wants_unfolded(const ParsedOptions& options) {
  return options.flag("unfold") || options.given("jitter") || options.given("slow-devices") || options.given("slow-links");
}

Disturbance read_disturbance(const ParsedOptions& options, std::int64_t num_devices) {
  Disturbance d;
  d.jitter = options.number("jitter", 0, 1);
  d.seed = static_cast<std::uint64_t>(options.count("seed", 0));
  read_slow(options, "slow-devices", "slow-by", num_devices, d.devices);
  read_slow(options, "slow-links", "slow-links-by", num_devices, d.links);
  return d;
}

OptionGroup scenario_options() {
  return {
      "The run, sampled",
      {{.name = "runs", .argument = "N", .fallback = "2000", .help = "samples of the whole run"},
       {.name = "histogram", .argument = "FILE", .help = "times to train as SVG"},
       {.name = "restart-spread", .argument = "NUMBER", .fallback = "0", .help = "standard deviation of the logarithm of a restart's time"},
       {.name = "detection", .argument = "TIME", .fallback = "0 s", .help = "from a failure until it is noticed, before the restart"},
       {.name = "storage-bandwidth", .argument = "RATE", .help = "of all checkpoint writers together, e.g. 2 TB/s"},
       {.name = "checkpoint-size", .argument = "SIZE", .help = "of the whole model [default: weights, master weights, moments]"},
       {.name = "sync-checkpoints", .help = "training waits for the whole write"},
       {.name = "write-slowdown", .argument = "SHARE", .fallback = "0", .help = "training speed that a write behind it takes"},
       {.name = "node-loss", .argument = "SHARE", .fallback = "0.78", .help = "interruptions that take a node away"},
       {.name = "spares", .argument = "N", .help = "spare nodes [default: always one at hand]"},
       {.name = "repair", .argument = "TIME", .fallback = "1 d", .help = "until a lost node is back"},
       {.name = "preemptions", .argument = "NUMBER", .fallback = "0", .help = "spot capacity taken back, a device and day"},
       {.name = "preemption-wait", .argument = "TIME", .fallback = "30 min", .help = "mean time until capacity is back"},
       {.name = "data-stalls", .argument = "NUMBER", .fallback = "0", .help = "waits for data a day, of the whole run"},
       {.name = "data-stall", .argument = "TIME", .fallback = "1 min", .help = "mean length of one"}}};
}

RunScenario read_scenario(const ParsedOptions& options, const PlanQuestion& question, std::int64_t devices, Seconds work, Bytes state) {
  RunScenario s;
  s.devices = devices;
  s.devices_per_node = question.devices_per_node;
  s.work = work;
  s.failures = question.run.failures;
  s.price = question.run.price;
  s.restart_spread = options.number("restart-spread", 0, 3);
  s.detection = options.quantity<Seconds>("detection");
  if (options.given("storage-bandwidth")) {
    s.storage_bandwidth = options.quantity<BytesPerSecond>("storage-bandwidth");
    s.checkpoint_size = state;
  }
  if (options.given("checkpoint-size")) s.checkpoint_size = options.quantity<Bytes>("checkpoint-size");
  s.asynchronous = !options.flag("sync-checkpoints");
  s.write_slowdown = options.number("write-slowdown", 0, 0.99);
  s.node_loss_share = options.number("node-loss", 0, 1);
  if (options.given("spares")) s.spare_nodes = options.count("spares", 0, 1'000'000);
  s.repair = options.quantity<Seconds>("repair");
  s.preemptions_per_device_day = options.number("preemptions", 0, 100);
  s.preemption_wait = options.quantity<Seconds>("preemption-wait");
  s.stalls_per_day = options.number("data-stalls", 0, 1e6);
  s.stall = options.quantity<Seconds>("data-stall");
  validate(s);
  return s;
}

}  // namespace reckon
