// SPDX-License-Identifier: Apache-2.0
#include "app/cost_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "app/job_options.hpp"
#include "app/together.hpp"
#include "base/text.hpp"
#include "io/cost_files.hpp"
#include "io/input_file.hpp"
#include "io/sha256.hpp"
#include "report/numbers.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t most_draws = 10'000'000, fan_draws = 300;
constexpr std::size_t most_fan = 24;

/// Moves the value of a known assumption; low and high keep their ratio to it (their distance where the old value was 0).
void move(std::vector<CostAssumption>& list, const std::string& name, double value, const std::string& basis, const std::string& source) {
  const auto at = std::find_if(list.begin(), list.end(), [&](const CostAssumption& b) { return b.name == name; });
  if (at == list.end()) return list.push_back(fixed_assumption(name, value, basis, source));
  const CostAssumptionRule& rule = cost_assumption_rule(name);
  const auto scaled = [&](double end) {
    return std::clamp(at->value > 0 ? end / at->value * value : value + end - at->value, rule.least, rule.most);
  };
  at->low = std::min(value, scaled(at->low));
  at->high = std::max(value, scaled(at->high));
  if (at->spread == Spread::lognormal && at->low <= 0) at->spread = Spread::fixed;
  at->value = value;
  at->basis = basis;
  at->source = source;
  at->date.clear();
}

InputText input_of(const std::string& name, const fs::path& file, const std::string& shown) {
  InputText input{name, shown, read_input_file(file), ""};
  input.sha256 = sha256(input.text);
  return input;
}

double per_hour(DollarsPerSecond price) { return Decimal::nearest(price / dollars_per_hour).value(); }

/// The range that a price is drawn from: that of its source, or 15 % to both sides.
void widen(CostAssumption& a) {
  a.spread = Spread::lognormal;
  if (a.low < a.value || a.high > a.value) return;
  a.low = 0.85 * a.value;
  a.high = 1.15 * a.value;
  a.source += "; +-15 % assumed";
}

/// False for a measured machine, which nobody quotes.
bool is_quoted(const Catalog& catalog, const std::string& device) {
  const std::vector<std::string> known = catalog.device_ids();
  return std::find(known.begin(), known.end(), device) != known.end();
}

/// The middle quote of a kind with the range that its source shows; nothing when the catalogue has none.
std::optional<CostAssumption> catalogue_rent(const Catalog& catalog, const Cluster& cluster, const std::string& name,
                                             const std::string& kind, std::int64_t term_months) {
  if (!is_quoted(catalog, cluster.device.id)) return std::nullopt;
  std::vector<Price> quotes = catalog.prices_of(cluster.device.id, kind);
  if (term_months > 0) std::erase_if(quotes, [&](const Price& p) { return p.term_months != term_months; });
  if (quotes.empty()) return std::nullopt;
  const std::string newest = quotes.front().date.substr(0, 4);
  std::erase_if(quotes, [&](const Price& p) { return std::stoi(p.date.substr(0, 4)) + 1 < std::stoi(newest); });
  std::sort(quotes.begin(), quotes.end(),
            [](const Price& a, const Price& b) { return a.per_device != b.per_device ? a.per_device < b.per_device : a.id < b.id; });
  Price middle = quotes[(quotes.size() - 1) / 2];
  if (term_months == 0)
    if (const auto usual = catalog.usual_price(cluster, kind)) middle = *usual;
  const Source* source = source_of(middle.provenance, "price");
  CostAssumption a = fixed_assumption(
      name, per_hour(middle.per_device), source && source->read ? "catalogue" : "assumed",
      fmt::format("{}: {} {}{}; {}", middle.id, middle.provider, middle.kind, middle.region.empty() ? "" : ", " + middle.region,
                  quotes.size() == 1 ? "the only quote" : fmt::format("middle of {} quotes", quotes.size())),
      middle.date);
  a.low = std::min(a.value, per_hour(middle.per_device_low));
  a.high = std::max(a.value, per_hour(middle.per_device_high));
  widen(a);
  return a;
}

std::optional<CostAssumption> catalogue_server(const Catalog& catalog, const std::string& device) {
  if (!is_quoted(catalog, device)) return std::nullopt;
  std::vector<PurchasePrice> quotes = catalog.purchases_of(device);
  if (quotes.empty()) return std::nullopt;
  const PurchasePrice newest = quotes.front();
  const Source* source = source_of(newest.provenance, "price");
  CostAssumption a =
      fixed_assumption("server_price", Decimal::nearest(newest.per_device.base()).value(), source && source->read ? "catalogue" : "assumed",
                       newest.id + ": " + newest.what + (newest.seller.empty() ? "" : ", " + newest.seller), newest.date);
  for (const PurchasePrice& p : quotes) {
    a.low = std::min(a.low, Decimal::nearest(p.per_device_low.base()).value());
    a.high = std::max(a.high, Decimal::nearest(p.per_device_high.base()).value());
  }
  widen(a);
  return a;
}

/// The scenario of a rent in the catalogue, "given" for what has none of its own.
std::string scenario_of(const Price& price) {
  if (price.kind == "on-demand") return "on_demand";
  if (price.kind == "spot") return "spot";
  if (price.kind == "capacity-block") return "block";
  if (price.kind == "reserved" && price.term_months == 12) return "reserved_1y";
  if (price.kind == "reserved" && price.term_months == 36) return "reserved_3y";
  if (price.kind == "reserved" && price.term_months > 0) return "reserved_term";
  return "given";
}

void add_prices(const Scene& scene, const PlanQuestion& q, CostBasis& basis) {
  struct Kind {
    const char *name, *kind;
    std::int64_t term;
  };
  for (const Kind& k : {Kind{"price_on_demand", "on-demand", 0}, Kind{"price_reserved_1y", "reserved", 12},
                        Kind{"price_reserved_3y", "reserved", 36}, Kind{"price_spot", "spot", 0}, Kind{"price_block", "capacity-block", 0}})
    if (auto rent = catalogue_rent(scene.catalog, scene.cluster, k.name, k.kind, k.term)) put_assumption(basis.assumptions, *rent);
  if (auto server = catalogue_server(scene.catalog, scene.cluster.device.id)) put_assumption(basis.assumptions, *server);

  const double rent = per_hour(q.run.price);
  if (q.price_name == "given") {
    basis.chosen = "given";
    put_assumption(basis.assumptions, fixed_assumption("price_given", rent, "given", "--price"));
    return;
  }
  const Price& price = scene.catalog.price(q.price_name);
  basis.chosen = scenario_of(price);
  if (basis.chosen == "reserved_term")
    put_assumption(basis.assumptions,
                   fixed_assumption("term_months", static_cast<double>(price.term_months), "catalogue", price.id, price.date));
  const std::string name = "price_" + basis.chosen;
  const bool known =
      std::any_of(basis.assumptions.begin(), basis.assumptions.end(), [&](const CostAssumption& a) { return a.name == name; });
  if (!known)
    return put_assumption(basis.assumptions,
                          fixed_assumption(name, rent, "catalogue", price.id + ": " + price.provider + " " + price.kind, price.date));
  for (CostAssumption& a : basis.assumptions)
    if (a.name == name && a.value != rent) {
      a.value = rent;
      a.low = std::min(rent, per_hour(price.per_device_low));
      a.high = std::max(rent, per_hour(price.per_device_high));
      a.source = price.id + ": " + price.provider + " " + price.kind;
      a.date = price.date;
      widen(a);
    }
}

void add_run(const ParsedOptions& options, const PlanQuestion& q, std::vector<CostAssumption>& list) {
  const auto basis = [&](const char* option) { return options.given(option) ? "given" : "default"; };
  const FailureModel& f = q.run.failures;
  if (options.given("failure-rate")) move(list, "failure_rate", f.failures_per_device_day, "given", "--failure-rate");
  for (CostAssumption& a : list)
    if (a.name == "failure_rate" && !options.given("failure-rate")) {
      a.value = f.failures_per_device_day;
      a.source = "419 in 54 days on 16,384 H100, Llama Team, arXiv 2407.21783, Table 5; range: " + a.source;
    }
  put_assumption(list, fixed_assumption("restart_hours", f.restart.in(hours), basis("restart"),
                                        options.given("restart") ? "--restart" : "reported for large jobs; no primary source"));
  put_assumption(
      list, fixed_assumption("planned_stops", f.planned_per_unexpected, basis("planned-stops"),
                             options.given("planned-stops") ? "--planned-stops" : "47 against 419, Llama Team, arXiv 2407.21783, Table 5",
                             "2024-07"));
  put_assumption(list, fixed_assumption("checkpoint_stall_s", f.checkpoint_stall.base(), basis("checkpoint-stall"),
                                        options.given("checkpoint-stall") ? "--checkpoint-stall" : "asynchronous checkpoints; assumed"));
  put_assumption(
      list,
      fixed_assumption("checkpoint_every_s", f.checkpoint_interval.base(), basis("checkpoint-interval"),
                       options.given("checkpoint-interval") ? "--checkpoint-interval" : "Young, CACM 17(9), 1974: the optimum", "1974"));
  put_assumption(list, fixed_assumption("reserve_share", q.run.reserve, basis("reserve"), options.given("reserve") ? "--reserve" : "none"));
  if (options.given("pue")) put_assumption(list, fixed_assumption("pue_ratio", q.run.pue, "given", "--pue"));
  put_assumption(list,
                 fixed_assumption("rated_kw", q.run.device_power.base() / 1000, basis("power"),
                                  options.given("power") ? "--power, average" : "the node's maximum, or the device's power times 1.8"));
  if (options.given("power")) {  // a stated power is what the devices draw, at work and at rest
    put_assumption(list, fixed_assumption("full_share", 1, "given", "--power"));
    put_assumption(list, fixed_assumption("idle_share", 1, "given", "--power"));
  }
  const bool lora = q.training == "lora";
  const double adapters = lora ? 0.01 : 1;
  put_assumption(list, fixed_assumption("checkpoint_gb", q.parameters * 14e-9 * adapters, "default",
                                        lora ? "14 B a parameter of the adapters, taken as 1 % of the model"
                                             : "14 B a parameter: bf16 weights, fp32 weights and two moments"));
  put_assumption(list,
                 fixed_assumption("egress_gb", q.parameters * 2e-9 * adapters, "default", "the trained weights once, 2 B a parameter"));
  put_assumption(list, fixed_assumption("unit_count", q.units * 1e-9, "given", q.counts_tokens ? "--tokens" : "--samples"));
  if (!q.counts_tokens)
    for (CostAssumption& a : list) {
      if (a.name == "bytes_per_unit") {
        a.value = 100e3;
        a.low = 30e3;
        a.high = 500e3;
        a.source = "100 kB an image, assumed";
      }
      if (a.unit == "1e9 tokens") a.unit = "1e9 samples";
    }
}

/// The share of a step in which the busiest stage computes.
double busy_share(const StepTime& t) { return std::clamp((t.forward + t.backward + t.recompute + t.optimizer) / t.total(), 0.0, 1.0); }

/// What the loop of reinforcement learning adds to this plan's training, with its parts in the source.
CostAssumption rollout_of(const CostBasis& basis, const PlanPoint& point) {
  RolloutPolicy policy = basis.policy;
  const double step = point.cost.time.total().base(), devices = static_cast<double>(point.devices);
  policy.rate = FlopsPerSecond{point.cost.model_flops.base() / (step * devices)};
  const double tokens = basis.rollout->prompt + basis.rollout->response;
  const RolloutCost c = rollout_cost(*basis.rollout, policy, step * devices / basis.batch * tokens / basis.seq_len);
  const auto percent = [&](double part) { return significant(100.0 * part / c.training) + " %"; };
  return fixed_assumption(
      "rollout_share", Decimal::nearest(c.share()).value(), "predicted",
      fmt::format("of the policy's training: prompts {}, decoding {}, scoring {}, critic {}; formulas: Pope et al. 2022, arXiv "
                  "2211.05102; loop: --rollout",
                  percent(c.prefill), percent(c.decode), percent(c.scoring), percent(c.critic)));
}

void add_point(const CostBasis& basis, const PlanPoint& point, std::vector<CostAssumption>& list) {
  const std::string predicted = "predicted", model = "reckon's prediction of this strategy";
  put_assumption(list, fixed_assumption("device_count", static_cast<double>(point.devices), predicted, "the size of this plan"));
  put_assumption(list, fixed_assumption("step_count", point.projection.steps, predicted, "tokens or samples over those of a step"));
  put_assumption(list, fixed_assumption("step_seconds", point.cost.time.total().base(), predicted, model));
  put_assumption(list,
                 fixed_assumption("load_seconds", loading_time(basis.feed, point.cost.tokens_per_step, point.devices).base(), predicted,
                                  "stored bytes over --node-read, --storage-read; units over --loader-rate; 0 = as fast as needed"));
  put_assumption(list, fixed_assumption("busy_share", busy_share(point.cost.time), predicted, model));
  if (basis.rollout) put_assumption(list, rollout_of(basis, point));
  put_assumption(list, fixed_assumption("run_work", point.cost.model_flops.base() * point.projection.steps * 1e-18, predicted,
                                        "model FLOP of all steps"));
}

std::string bytes_of(const std::vector<double>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)};
}

}  // namespace

void put_assumption(std::vector<CostAssumption>& list, CostAssumption a) {
  const auto same = std::find_if(list.begin(), list.end(), [&](const CostAssumption& b) { return b.name == a.name; });
  if (same == list.end())
    list.push_back(std::move(a));
  else
    *same = std::move(a);
}

CostAssumption fixed_assumption(const std::string& name, double value, std::string basis, std::string source, std::string date) {
  const CostAssumptionRule& rule = cost_assumption_rule(name);
  return {rule.name, rule.title, rule.unit, value, value, value, Spread::fixed, std::move(basis), std::move(source), std::move(date)};
}

OptionGroup cost_options() {
  return {"Dollars beyond the rent, and how sure",
          {{.name = "costs", .argument = "FILE", .help = "assumptions that replace defaults; see models/costs/defaults.json"},
           {.name = "assume", .argument = "LIST", .help = "the same here: 'use_share=0.8,electricity_price=0.06 USD/kWh'"},
           {.name = "grid",
            .argument = "PLACE",
            .fallback = "WORLD",
            .help = "whose electricity: USA, FRA, SWE, ...; see models/costs/places.json"},
           {.name = "draws", .argument = "COUNT", .fallback = "2000", .help = "random draws for P10, P50, P90"},
           {.name = "seed", .argument = "NUMBER", .fallback = "1", .help = "of the random draws"}}};
}

void assume(const ParsedOptions& options, std::vector<CostAssumption>& assumptions) {
  for (const std::string& item : options.list("assume")) {
    const std::size_t sign = item.find('=');
    if (sign == std::string::npos) options.fail("assume", in_quotes(item) + " has no '='", "write e.g. use_share=0.8");
    const std::string name(trim(std::string_view(item).substr(0, sign)));
    try {
      const double value = parse_assumed(cost_assumption_rule(name), std::string_view(item).substr(sign + 1));
      move(assumptions, name, value, "given", "--assume");
    } catch (const TextError& error) {
      options.fail("assume", name + ": " + error.reason(), error.cure());
    }
  }
}

CostBasis read_cost_basis(const ParsedOptions& options, Scene& scene, const fs::path& models, const PlanQuestion& q) {
  CostBasis basis;
  basis.draws = options.count("draws", 1, most_draws);
  basis.seed = static_cast<std::uint64_t>(options.count("seed", 0));
  scene.inputs.push_back(input_of("costs", models / "costs" / "defaults.json", "models/costs/defaults.json"));
  basis.assumptions = read_cost_assumptions(read_json(models / "costs" / "defaults.json").root(), "default");
  basis.trust = {scene.interval, scene.stack, scene.cluster.device.id};
  put_assumption(basis.assumptions, model_error_of(basis.trust, scene.stack.residuals.most_devices));
  scene.inputs.push_back(input_of("places", models / "costs" / "places.json", "models/costs/places.json"));
  const std::vector<CostPlace> places = read_places(read_json(models / "costs" / "places.json").root());
  std::vector<std::string> ids;
  for (const CostPlace& p : places) ids.push_back(p.id);
  const std::string id = options.choice("grid", ids);
  for (const CostPlace& p : places)
    if (p.id == id) {
      put_assumption(basis.assumptions, p.grid_carbon);
      basis.place = p.name;
    }
  basis.feed = q.run.feed;
  basis.rollout = read_rollout(options);
  if (basis.rollout) basis.policy = rollout_policy(options, scene);
  basis.seq_len = static_cast<double>(std::max<std::int64_t>(1, q.seq_len));
  basis.batch = static_cast<double>(q.global_batch_size);
  add_run(options, q, basis.assumptions);
  add_prices(scene, q, basis);
  if (options.given("costs")) {
    const fs::path file = options.text("costs");
    scene.inputs.push_back(input_of("costs-given", file, file.string()));
    for (CostAssumption& a : read_cost_assumptions(read_json(file).root(), "given")) {
      if (a.source.empty()) a.source = "--costs";
      put_assumption(basis.assumptions, std::move(a));
    }
  }
  if (options.given("assume")) assume(options, basis.assumptions);
  return basis;
}

CostModel model_of(const CostBasis& basis, const PlanPoint& point) {
  std::vector<CostAssumption> list = basis.assumptions;
  std::vector<CostAssumption> of_point{model_error_of(basis.trust, point.devices)};
  add_point(basis, point, of_point);
  for (CostAssumption& a : of_point) {  // a stated one stays
    const bool stated =
        std::any_of(list.begin(), list.end(), [&](const CostAssumption& b) { return b.name == a.name && b.basis == "given"; });
    if (!stated) put_assumption(list, std::move(a));
  }
  try {
    return make_cost_model(std::move(list), basis.chosen);
  } catch (const TextError& error) {
    throw UsageError("the cost study: " + error.reason(), error.cure());
  }
}

CostStudy study_of(const CostBasis& basis, const PlanPoint& point) {
  return make_cost_study(model_of(basis, point), point.devices, basis.place);
}

std::vector<FanPoint> fan_of(const CostBasis& basis, const PlanResults& results) {
  std::vector<const PlanPoint*> points;
  for (const PlanSize& size : results.sizes)
    if (const PlanPoint* p = results.best_of(size.devices)) points.push_back(p);
  std::vector<FanPoint> out;
  const std::size_t n = std::min(points.size(), most_fan);
  for (std::size_t i = 0; i < n; ++i) {
    const PlanPoint& p = *points[n == 1 ? 0 : i * (points.size() - 1) / (n - 1)];
    const CostModel model = model_of(basis, p);
    const std::int64_t draws = std::min(basis.draws, fan_draws);
    const Uncertainty u = reduce_draws(model, basis.seed, draws, draw_rows(model, basis.seed, 0, draws));
    FanPoint& made = out.emplace_back();
    made.devices = p.devices;
    for (const Distribution& d : u.results) {
      if (d.name == "calendar_days") made.days = d.spread;
      if (d.name == model.chosen) made.cost = d.spread;
    }
  }
  return out;
}

Uncertainty draw_together(const MpiSession& session, const CostModel& model, std::uint64_t seed, std::int64_t draws) {
  const std::int64_t ranks = session.size(), rank = session.rank();
  const std::int64_t first = draws * rank / ranks, end = draws * (rank + 1) / ranks;
  std::string share, all;
  together(session, [&] { share = bytes_of(draw_rows(model, seed, first, end - first)); });
  for (const std::string& part : session.gather(share)) all += part;
  Uncertainty out;
  together(session, [&] {
    if (!session.is_root()) return;
    std::vector<double> rows(all.size() / sizeof(double));
    std::memcpy(rows.data(), all.data(), all.size());
    out = reduce_draws(model, seed, draws, rows);
  });
  return out;
}

}  // namespace reckon
