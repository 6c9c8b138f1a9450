// reckon scale: with this money or this time, which model, how many tokens, on which cluster.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include "app/command.hpp"
#include "app/planner.hpp"
#include "app/cures.hpp"
#include "app/question_options.hpp"
#include "app/run_options.hpp"
#include "app/several_places.hpp"
#include "app/space_options.hpp"
#include "io/data_path.hpp"
#include "io/explore_results.hpp"
#include "plan/compute_optimal.hpp"
#include "report/explore_report.hpp"

namespace reckon {
namespace {

constexpr std::int64_t most_devices = 1'000'000;
constexpr double least_model = 1e8, most_model = 1e14, grid = 1.3;

/// The training options without the model: it is what is asked for.
OptionGroup shape_options() {
  OptionGroup out = training_options();
  std::erase_if(out.options, [](const OptionSpec& o) { return o.name == "model" || o.name == "as" || o.name == "name"; });
  out.title = "How it is trained";
  return out;
}

struct Demands {
  std::optional<Seconds> deadline;
  std::optional<Dollars> budget;
  double reserve = 0;

  Seconds time_on(std::int64_t devices, DollarsPerSecond price) const {
    const Seconds paid = budget ? *budget / (price * (static_cast<double>(devices) * (1.0 + reserve))) : *deadline;
    return deadline ? min(*deadline, paid) : paid;
  }
};

Demands read_demands(const ParsedOptions& options) {
  Demands out;
  if (options.given("deadline")) out.deadline = options.quantity<Seconds>("deadline");
  if (options.given("budget")) out.budget = options.quantity<Dollars>("budget");
  if (!out.deadline && !out.budget) throw UsageError("neither --budget nor --deadline is given", "say what may be spent, e.g. --budget '$10M' --deadline 60d");
  if (out.deadline && !(*out.deadline > Seconds{})) options.fail("deadline", "a deadline of no time", "give e.g. 60 d");
  if (out.budget && !(*out.budget > Dollars{})) options.fail("budget", "a budget of nothing", "give e.g. '$10M'");
  out.reserve = options.number("reserve", 0, 10);
  return out;
}

class ScaleSearch {
 public:
  ScaleSearch(const ParsedOptions& options, const LossLaw& law, const LossLaw& other) : options_(options), law_(law), other_(other), demands_(read_demands(options)) {
    results_.deadline = demands_.deadline;
    results_.budget = demands_.budget;
    results_.law = law.name;
    results_.law_source = law.source;
    results_.other_law = other.name;
  }

  ScaleResults run() {
    const std::vector<std::string> names = place_names(options_);
    std::vector<ScaledPoint> all;
    for (const std::string& name : names) {
      std::vector<ScaledPoint> points = place(names, name);
      if (const auto best = std::min_element(points.begin(), points.end(), less_loss); best != points.end()) results_.best_of_device.push_back(*best);
      all.insert(all.end(), points.begin(), points.end());
    }
    std::stable_sort(results_.best_of_device.begin(), results_.best_of_device.end(), less_loss);
    if (!results_.best_of_device.empty()) add_sizes(all);
    return std::move(results_);
  }

 private:
  static bool less_loss(const ScaledPoint& a, const ScaledPoint& b) { return a.loss < b.loss; }

  std::vector<ScaledPoint> place(const std::vector<std::string>& names, const std::string& name) {
    Place p;
    p.scene = load_scene({"llama-3-8b", "", "", name, options_.text("stack")}, data_folder());
    p.question = read_question(options_, p.scene, "batch", p.assumptions);
    p.question.space = read_space(options_);
    p.stated = plan_question(p.question, p.scene);
    read_failures(options_, p.stated.run.failures, p.assumptions);
    p.stated.run.price = price_of(p);
    take_prices(options_, names, name, p.stated);
    std::vector<ScaledPoint> out;
    for (const std::int64_t n : options_.counts("devices", 1, most_devices)) {
      if (!whole_nodes(p.scene.cluster, n) || (p.scene.cluster.max_devices > 0 && n > p.scene.cluster.max_devices)) continue;
      for (const ScaledPoint& point : on_devices(p, n)) out.push_back(point);
    }
    return out;
  }

  DollarsPerSecond price_of(const Place& p) const {
    if (options_.given("price")) return options_.quantity<DollarsPerSecond>("price");
    const std::optional<Price> price = p.scene.catalog.usual_price(p.scene.cluster, options_.text("price-kind"));
    if (price) return price->per_device;
    if (options_.given("prices")) return dollars_per_hour;
    throw UsageError("the catalogue has no such price of " + p.stated.device, "give --prices, or another --price-kind");
  }

  /// Model sizes around the optimum of the peak, on so many devices: the optimum of what they really reach lies below.
  std::vector<ScaledPoint> on_devices(const Place& p, std::int64_t n) {
    const auto peak = p.scene.cluster.device.peak.find(p.question.precision);
    const Seconds time = demands_.time_on(n, p.stated.run.price);
    std::vector<ScaledPoint> out;
    if (peak == p.scene.cluster.device.peak.end() || !(time > Seconds{})) return out;
    const double centre = compute_optimal(law_, (peak->second * time).base() * static_cast<double>(n) * 0.4).parameters;
    for (double size = std::max(least_model, centre / 6.0); size <= std::min(most_model, centre * 6.0); size *= grid)
      if (const std::optional<ScaledPoint> point = trained(p, n, size, time)) out.push_back(*point);
    return out;
  }

  std::optional<ScaledPoint> trained(const Place& p, std::int64_t n, double size, Seconds time) {
    const Architecture architecture = llama_like(size, p.question.task.seq_len);
    const double parameters = parameter_count(architecture).total();
    Question question = p.question;
    question.architecture = &architecture;
    if (!options_.given("batch")) question.global_batch_size = default_batch_size(question.task.training, parameters, question.task.seq_len, true);
    const SearchResult found = search(question, n, 1);
    results_.counts += found.counts;
    if (found.best.empty()) return std::nullopt;
    const StepCost& cost = found.best[0].cost;
    ScaledPoint out;
    out.device = p.stated.device;
    out.devices = n;
    out.parameters = parameters;
    out.tokens = cost.tokens_per_step * std::floor(time / cost.time.total() * goodput(n, p.stated.run.failures).value);
    if (!(out.tokens > 0)) return std::nullopt;
    out.flop = cost.model_flops.base() * out.tokens / cost.tokens_per_step;
    out.time = time;
    out.cost = p.stated.run.price * time * (static_cast<double>(n) * (1.0 + demands_.reserve));
    out.loss = loss(law_, out.parameters, out.tokens);
    out.loss_other = loss(other_, out.parameters, out.tokens);
    out.strategy = found.best[0].strategy;
    return out;
  }

  /// On the best kind of device, the best cluster of every model size.
  void add_sizes(const std::vector<ScaledPoint>& all) {
    const ScaledPoint& best = results_.best_of_device.front();
    std::map<double, ScaledPoint> by_size;
    for (const ScaledPoint& p : all) {
      if (p.device != best.device || p.parameters < best.parameters / 4.0 || p.parameters > best.parameters * 4.0) continue;
      const auto [at, fresh] = by_size.emplace(p.parameters, p);
      if (!fresh && p.loss < at->second.loss) at->second = p;
    }
    const std::size_t step = by_size.size() / 12 + 1;
    std::size_t i = 0;
    for (const auto& [size, point] : by_size)
      if (i++ % step == 0 || size == best.parameters) results_.sizes.push_back(point);
  }

  const ParsedOptions& options_;
  const LossLaw &law_, &other_;
  Demands demands_;
  ScaleResults results_;
};

}  // namespace

CommandSpec scale_spec() {
  return {"scale",
          "this budget or deadline: which model size, how many tokens, which cluster",
          {"reckon scale --budget '$2M' --deadline 60d --device h100 --devices 128..2048",
           "reckon scale --deadline 30d --device h100 --devices 256,512 --law hoffmann --json"},
          {{"What may be spent",
            {{.name = "budget", .argument = "MONEY", .help = "the run may cost so much, e.g. '$10M'"},
             {.name = "deadline", .argument = "TIME", .help = "the run may take so long, e.g. 60d"}}},
           shape_options(),
           place_options(),
           prices_options(),
           {"Sizes", {{.name = "devices", .argument = "LIST", .fallback = "64..16384", .help = "numbers of devices", .letter = 'n'}}},
           {"The step", {{.name = "batch", .argument = "SIZE", .help = "of one step [default: 16M tokens from 20B parameters up, 4M below]", .letter = 'b'}}},
           money_options(),
           goodput_options(),
           space_options(),
           {"Output",
            {{.name = "law", .argument = "NAME", .fallback = "besiroglu", .help = "hoffmann (2022), or besiroglu (2024): the same data fitted again"},
             {.name = "json", .help = "the answer as JSON on stdout"}}}},
          {},
          "Every model size of a Llama-like family is planned on every cluster; what it reaches there, failures included, gives its tokens, and the law "
          "its loss. --device and --cluster take several names between commas."};
}

CommandResult run_scale(const ParsedOptions& options, const MpiSession&) {
  const bool hoffmann = options.choice("law", {"hoffmann", "besiroglu"}) == "hoffmann";
  const LossLaw &law = hoffmann ? hoffmann_law() : besiroglu_law(), &other = hoffmann ? besiroglu_law() : hoffmann_law();
  const ScaleResults results = ScaleSearch(options, law, other).run();
  return {options.flag("json") ? scale_json(results) : scale_report(results), results.best_of_device.empty() ? ExitCode::infeasible : ExitCode::ok};
}

}  // namespace reckon
