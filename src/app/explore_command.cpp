// reckon explore: several kinds of device, all sizes, every wish at once.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "app/command.hpp"
#include "app/plan_run.hpp"
#include "app/question_options.hpp"
#include "app/run_options.hpp"
#include "app/several_places.hpp"
#include "app/space_options.hpp"
#include "app/together.hpp"
#include "io/data_path.hpp"
#include "io/explore_results.hpp"
#include "plan/outcomes.hpp"
#include "report/explore_report.hpp"

namespace reckon {
namespace {

constexpr std::int64_t most_devices = 1'000'000;

std::unique_ptr<Place> load_place(const ParsedOptions& options, const std::vector<std::string>& all, const std::string& name) {
  if (!options.given("model")) throw UsageError("the option '--model' is required", "'reckon catalog architectures' lists names");
  auto out = std::make_unique<Place>();
  const SceneNames names{options.text("model"), options.find("as").value_or(""), options.find("name").value_or(""), name, options.text("stack")};
  out->scene = load_scene(names, data_folder());
  out->question = read_question(options, out->scene, "batch", out->assumptions);
  out->question.space = read_space(options);
  out->stated = plan_question(out->question, out->scene);
  read_run(options, out->scene, data_folder(), out->stated, out->assumptions);
  take_prices(options, all, name, out->stated);
  return out;
}

std::vector<std::int64_t> sizes_of(const ParsedOptions& options, const Cluster& cluster) {
  std::vector<std::int64_t> sizes = options.counts("devices", 1, most_devices);
  if (cluster.max_devices > 0) std::erase_if(sizes, [&](std::int64_t n) { return n > cluster.max_devices; });
  return sizes;
}

Outcome outcome_of(const ExploredPoint& e) {
  const Projection& p = e.point.projection;
  return {static_cast<double>(e.point.devices), p.wall_time, p.cost(), p.energy};
}

/// Adds one place's plans.
void add_place(const std::vector<PlannedSize>& planned, const Place& place, ExploreResults& out) {
  const std::string& device = place.stated.device;
  out.devices.push_back(device);
  out.prices.emplace_back(device, place.stated.run.price);
  for (const PlannedSize& p : planned) {
    out.counts += p.size.counts;
    for (const PlanPoint& point : p.candidates) out.points.push_back({device, point, false});
    if (!p.size.remark.empty()) out.remarks.push_back(fmt::format("{} x {}: {}", p.size.devices, device, p.size.remark));
  }
}

void settle(ExploreResults& r) {
  std::vector<Outcome> outcomes;
  for (const ExploredPoint& e : r.points) outcomes.push_back(outcome_of(e));
  for (const std::size_t i : outcome_front(outcomes)) r.points[i].on_front = true;
  r.wishes = best_by_wish(outcomes, r.deadline, r.budget);
  const auto both = [&](const Outcome& o) { return (!r.deadline || o.time <= *r.deadline) && (!r.budget || o.cost <= *r.budget); };
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    if (both(outcomes[i]) && (!r.answer || outcomes[i].cost < outcomes[*r.answer].cost)) r.answer = i;
}

}  // namespace

CommandSpec explore_spec() {
  return {"explore",
          "kinds of device and sizes in one search: the best for each wish, and the front",
          {"reckon explore --model llama-3-70b --device h100,b200 --devices 256..4096 --tokens 15T --deadline 60d",
           "reckon explore --model llama-3-8b --device a100,h100 --prices 'a100=$1.20/h,h100=$2.10/h' --devices 64..512+64 --tokens 1T --json"},
          {training_options(),
           place_options(),
           prices_options(),
           {"Sizes",
            {{.name = "devices", .argument = "LIST", .fallback = "64..16384", .help = "numbers of devices: 512, 256,512,1024, 256..24576 (doubling), 64..512+64", .letter = 'n'}}},
           amount_options(),
           {"The step", {{.name = "batch", .argument = "SIZE", .help = "of one step [default: 16M tokens from 20B parameters up, 4M below]", .letter = 'b'}}},
           money_options(),
           goodput_options(),
           space_options(),
           {"Output",
            {{.name = "top", .argument = "COUNT", .fallback = "3", .help = "strategies to keep for each size", .letter = 'k'},
             {.name = "stop-after", .argument = "TIME", .help = "stop then, as on SIGTERM"},
             {.name = "json", .help = "the answer as JSON on stdout"},
             {.name = "quiet", .help = "no progress, no notes", .letter = 'q'},
             {.name = "allow-singleton", .help = "run although other processes were started without MPI"}}}},
          {},
          "--device and --cluster take several names between commas. The answer is the cheapest plan that meets --deadline and --budget; exit code 3 "
          "when there is none. Ranks share the work; the answer is the same, byte for byte."};
}

CommandResult run_explore(const ParsedOptions& options, const MpiSession& session) {
  std::optional<double> limit;
  if (options.given("stop-after")) limit = options.quantity<Seconds>("stop-after").base();
  const StopWatch stop(limit);
  std::vector<std::string> names;
  std::vector<std::unique_ptr<Place>> places;
  together(session, [&] {
    names = place_names(options);
    for (const std::string& name : names) places.push_back(load_place(options, names, name));
  });
  const auto keep = static_cast<std::size_t>(options.count("top", 1, 1000));
  ExploreResults results;
  for (const auto& place : places) {
    PlanRunSettings settings;
    settings.keep = keep;
    settings.quiet = options.flag("quiet");
    PlanRun run(place->question, place->stated.run, settings, session, stop);
    const std::vector<PlannedSize> planned = run.plan(sizes_of(options, place->scene.cluster));
    add_place(planned, *place, results);
  }
  CommandResult out;
  together(session, [&] {
    if (!session.is_root()) return;
    const PlanQuestion& stated = places[0]->stated;
    results.model = stated.model;
    results.units = stated.units;
    results.deadline = stated.deadline;
    results.budget = stated.budget;
    settle(results);
    if (results.answer) {
      const ExploredPoint& best = results.points[*results.answer];
      const auto at = std::find(results.devices.begin(), results.devices.end(), best.device) - results.devices.begin();
      results.sensitivities = input_effects(places[static_cast<std::size_t>(at)]->question, {best.point.strategy, best.point.cost}, 0.1);
    }
    out = {options.flag("json") ? explore_json(results) : explore_report(results), results.answer ? ExitCode::ok : ExitCode::infeasible};
  });
  return out;
}

}  // namespace reckon
