// SPDX-License-Identifier: Apache-2.0
#include "app/run_options.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "report/numbers.hpp"

namespace reckon {
namespace {

constexpr double node_over_devices = 1.8;  // 10.2 kW / (8 * 700 W), NVIDIA DGX H100
const std::vector<std::string> price_kinds{"on-demand", "reserved", "spot", "capacity-block", "historic"};

// Bounds that catch a slipped unit or exponent.
constexpr Seconds longest{100.0 * 365.0 * 86400.0};
constexpr Dollars dearest{1e12};
constexpr Watts strongest{1e6};  // one device with its share of the node

/// A quantity within [least, most].
template <class Q>
Q within(const ParsedOptions& options, const std::string& name, Q least, Q most) {
  const Q value = options.quantity<Q>(name);
  if (!(value >= least && value <= most))
    options.fail(name, "is out of range", "give from " + format_quantity(least) + " to " + format_quantity(most));
  return value;
}

struct Stated {
  const ParsedOptions& options;
  std::vector<Assumption>& assumptions;
  void operator()(const std::string& option, std::string name, std::string value, std::string source, std::string date = "") const {
    if (options.given(option))
      assumptions.push_back({std::move(name), std::move(value), "given", "--" + option, ""});
    else
      assumptions.push_back({std::move(name), std::move(value), "default", std::move(source), std::move(date)});
  }
};

void take_price(const Price& price, const std::string& how, PlanQuestion& q, std::vector<Assumption>& assumptions) {
  q.run.price = price.per_device;
  q.price_name = price.id;
  const Source* source = source_of(price.provenance, "price");
  std::string range;
  if (price.per_device_low < price.per_device_high)
    range = fmt::format(", {} to {}", format_quantity(price.per_device_low), format_quantity(price.per_device_high));
  assumptions.push_back(
      {"price of a device-hour", format_quantity(price.per_device) + range, source && source->read ? "catalogue" : "estimated",
       fmt::format("{}: {} {}{}{}", price.id, price.provider, price.kind, price.region.empty() ? "" : ", " + price.region, how),
       price.date});
}

void read_price(const ParsedOptions& options, Scene& scene, const std::filesystem::path& models, PlanQuestion& q,
                std::vector<Assumption>& assumptions) {
  if (options.given("price") && options.given("price-id")) throw UsageError("both --price and --price-id are given", "give one of them");
  if (options.given("price")) {
    q.run.price = within(options, "price", 0.001 * dollars_per_hour, 10'000.0 * dollars_per_hour);
    if (q.run.price > dollars_per_hour * 1000.0)
      options.fail("price", "more than $1000/h for one device", "give the price of one device, not of a node or cluster");
    q.price_name = "given";
    assumptions.push_back({"price of a device-hour", format_quantity(q.run.price), "given", "--price", ""});
    return;
  }
  if (options.given("price-id")) {
    try {
      const Price& price = scene.catalog.price(options.text("price-id"));
      if (price.device != q.device)
        options.fail("price-id", "is a price of " + price.device + ", not of " + q.device, "see 'reckon catalog prices'");
      take_price(price, "", q, assumptions);
    } catch (const TextError& error) {
      options.fail("price-id", error.reason(), error.cure());
    }
  } else {
    const std::string kind = options.choice("price-kind", price_kinds);
    const std::optional<Price> price = scene.catalog.usual_price(scene.cluster, kind);
    if (!price)
      throw UsageError(fmt::format("the catalogue has no {} price of {}", kind, q.device),
                       "give --price, e.g. --price '$2.50/h', or another --price-kind");
    take_price(*price, "; median of the providers", q, assumptions);
  }
  add_price_list(scene, q.price_name, models);
}

}  // namespace

OptionGroup amount_options() {
  return {"How much, and within what",
          {{.name = "tokens", .argument = "COUNT", .help = "tokens of the whole run, e.g. 15T", .letter = 't'},
           {.name = "samples", .argument = "COUNT", .help = "samples of the whole run, for models without tokens"},
           {.name = "deadline", .argument = "TIME", .help = "the run must not take longer, e.g. 30d"},
           {.name = "budget", .argument = "MONEY", .help = "the run must not cost more, e.g. '$50M'"}}};
}

OptionGroup money_options() {
  return {"Money and energy",
          {{.name = "price", .argument = "RATE", .help = "of one device, e.g. '$2.50/h' [default: from the catalogue]"},
           {.name = "price-id", .argument = "ID", .help = "an entry of 'reckon catalog prices'"},
           {.name = "price-kind",
            .argument = "KIND",
            .fallback = "on-demand",
            .help = "on-demand, reserved, spot, capacity-block or historic, from the catalogue"},
           {.name = "reserve",
            .argument = "SHARE",
            .fallback = "0",
            .help = "extra device-time that is paid: spares, evaluation, aborted starts"},
           {.name = "power",
            .argument = "POWER",
            .help = "at the wall for one device with its share of the node [default: the node's maximum]"},
           {.name = "pue", .argument = "RATIO", .fallback = "1.2", .help = "facility over equipment energy"}}};
}

OptionGroup goodput_options() {
  const FailureModel m;
  return {"What goes wrong",
          {{.name = "failure-rate",
            .argument = "NUMBER",
            .fallback = fmt::format("{:.4g}", m.failures_per_device_day),
            .help = "unexpected interruptions a device and day (Llama 3: 419 in 54 days on 16,384)"},
           {.name = "restart", .argument = "TIME", .fallback = "10 min", .help = "detection, rescheduling, set-up and loading"},
           {.name = "checkpoint-stall", .argument = "TIME", .fallback = "10 s", .help = "time that a checkpoint stops the training"},
           {.name = "checkpoint-interval", .argument = "TIME", .help = "time between checkpoints [default: Young's optimum]"},
           {.name = "planned-stops",
            .argument = "NUMBER",
            .fallback = fmt::format("{:.3g}", m.planned_per_unexpected),
            .help = "planned stops for each unexpected one"}}};
}

Watts wall_power(const Cluster& cluster) {
  if (cluster.node.max_power > Watts{}) return cluster.node.max_power / static_cast<double>(cluster.node.devices_per_node);
  return cluster.device.power * node_over_devices;
}

void read_amount(const ParsedOptions& options, PlanQuestion& q) {
  const std::string wanted = q.counts_tokens ? "tokens" : "samples", other = q.counts_tokens ? "samples" : "tokens";
  if (options.given(other)) options.fail(other, q.model + " is trained on " + wanted, "give --" + wanted);
  if (!options.given(wanted))
    throw UsageError("the option '--" + wanted + "' is required",
                     fmt::format("say how much is trained, e.g. --{}", q.counts_tokens ? "tokens 15T" : "samples 1B"));
  q.units = static_cast<double>(options.count(wanted, 1));
  if (options.given("deadline")) q.deadline = within(options, "deadline", Seconds{}, longest);
  if (options.given("budget")) q.budget = within(options, "budget", Dollars{}, dearest);
  if (q.deadline && *q.deadline <= Seconds{}) options.fail("deadline", "a deadline of no time", "give e.g. 30 d");
  if (q.budget && *q.budget <= Dollars{}) options.fail("budget", "a budget of nothing", "give e.g. '$50M'");
}

void read_failures(const ParsedOptions& options, FailureModel& f, std::vector<Assumption>& assumptions) {
  const Stated stated{options, assumptions};
  const FailureModel usual;
  f.failures_per_device_day = options.given("failure-rate") ? options.number("failure-rate", 0, 10) : usual.failures_per_device_day;
  f.restart = within(options, "restart", Seconds{}, longest);
  f.checkpoint_stall = within(options, "checkpoint-stall", Seconds{}, longest);
  if (options.given("checkpoint-interval")) {
    f.checkpoint_interval = within(options, "checkpoint-interval", Seconds{}, longest);
    if (f.checkpoint_interval <= Seconds{}) options.fail("checkpoint-interval", "no time between checkpoints", "give e.g. 30 min");
  }
  f.planned_per_unexpected = options.given("planned-stops") ? options.number("planned-stops", 0, 1000) : usual.planned_per_unexpected;
  stated("failure-rate", "interruptions a device and day", fmt::format("{:.3g}", f.failures_per_device_day),
         "419 in 54 days on 16,384 H100, Llama Team, arXiv 2407.21783, Table 5", "2024-07");
  stated("restart", "restart after an interruption", run_text(f.restart), "reported for large jobs; no primary source");
  stated("checkpoint-stall", "stall of a checkpoint", f.checkpoint_stall == Seconds{} ? "0 s" : run_text(f.checkpoint_stall),
         "asynchronous checkpoints; assumed");
  stated("checkpoint-interval", "time between checkpoints",
         options.given("checkpoint-interval") ? run_text(f.checkpoint_interval) : "optimum of each size", "Young, CACM 17(9)", "1974");
  stated("planned-stops", "planned stops an unexpected one", fmt::format("{:.3g}", f.planned_per_unexpected),
         "47 against 419, Llama Team, arXiv 2407.21783, Table 5", "2024-07");
}

void read_run(const ParsedOptions& options, Scene& scene, const std::filesystem::path& models, PlanQuestion& q,
              std::vector<Assumption>& assumptions) {
  const Stated stated{options, assumptions};
  read_amount(options, q);
  read_price(options, scene, models, q, assumptions);

  read_failures(options, q.run.failures, assumptions);
  q.run.units = q.units;
  q.run.reserve = options.number("reserve", 0, 10);
  stated("reserve", "device-time in reserve", significant(100 * q.run.reserve) + " %", "none");
  q.run.device_power = options.given("power") ? within(options, "power", watts, strongest) : wall_power(scene.cluster);
  const Source* source = scene.cluster.node.max_power > Watts{} ? source_of(scene.cluster.node.provenance, "max_power") : nullptr;
  stated("power", "power of a device at the wall", format_quantity(q.run.device_power),
         source ? "the node's maximum: " + source->title : "the device's power times 1.8, as in a DGX H100", source ? source->date : "");
  q.run.pue = options.number("pue", 1, 5);
  stated("pue", "facility over equipment energy", significant(q.run.pue), "assumed");
}

}  // namespace reckon
