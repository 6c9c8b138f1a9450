// reckon simulate: one strategy, event by event; a run, day by day.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "app/command.hpp"
#include "app/question_options.hpp"
#include "app/run_options.hpp"
#include "app/scenario_options.hpp"
#include "app/scene.hpp"
#include "app/strategy_options.hpp"
#include "app/together.hpp"
#include "io/atomic_file.hpp"
#include "io/data_path.hpp"
#include "io/simulation_json.hpp"
#include "io/trace_export.hpp"
#include "report/simulation_report.hpp"

namespace reckon {
namespace {

OptionGroup file_options() {
  return {"Files",
          {{.name = "trace", .argument = "FILE", .help = "timeline for ui.perfetto.dev or chrome://tracing (JSON)"},
           {.name = "most-events", .argument = "COUNT", .fallback = "1M", .help = "events in the trace; details are left out beyond"},
           {.name = "picture", .argument = "FILE", .help = "the pipeline and its memory as SVG"},
           {.name = "memory", .argument = "FILE", .help = "held memory over time, by stage (CSV)"},
           {.name = "links", .argument = "FILE", .help = "with --contention: bytes and load of every link (CSV)"},
           {.name = "chakra", .argument = "PREFIX", .help = "MLCommons Chakra execution traces, PREFIX.<stage>.et"},
           {.name = "force", .help = "replace files that exist"},
           {.name = "json", .help = "the answer as JSON on stdout"},
           {.name = "allow-singleton", .help = "run although several processes were started and MPI sees each alone"}}};
}

void write_files(const ParsedOptions& options, SimulationAnswer& a) {
  const bool force = options.flag("force");
  const auto write = [&](const std::string& name, const std::string& content) {
    write_file(name, content, force);
    a.files.push_back(name);
  };
  if (options.given("histogram") && !a.run)
    options.fail("histogram", "there is no run without --tokens or --samples", "say how much is trained");
  if (options.given("links") && !a.contention) options.fail("links", "messages share links with --contention only", "add --contention");
  for (const char* name : {"trace", "picture", "memory", "links", "histogram"})
    if (options.given(name)) check_target(options.text(name), force);
  if (options.given("trace")) {
    const auto most = static_cast<std::size_t>(options.count("most-events", 1000, 100'000'000));
    write(options.text("trace"), trace_json(a.plan, a.step, most).json);
  }
  if (options.given("picture"))
    write(options.text("picture"), pipeline_svg(a.plan, a.step,
                                                fmt::format("{} on {} x {}: {}", a.question.model, a.strategy.num_devices(),
                                                            a.question.device_name, describe(a.strategy))));
  if (options.given("histogram")) write(options.text("histogram"), histogram_svg(*a.run, a.question.model));
  if (options.given("links")) write(options.text("links"), links_csv(*a.contention));
  if (options.given("memory")) write(options.text("memory"), memory_csv(a.step));
  if (options.given("chakra"))
    for (std::size_t i = 0; i < a.plan.finish.size(); ++i)
      write(fmt::format("{}.{}.et", options.text("chakra"), i), chakra_trace(a.plan, a.step, i));
}

/// All ranks' samples in their order, on rank 0.
std::vector<RunOutcome> sampled(const RunScenario& scenario, std::uint64_t seed, std::uint64_t samples, const MpiSession& session) {
  const auto rank = static_cast<std::uint64_t>(session.rank()), ranks = static_cast<std::uint64_t>(session.size());
  const std::vector<RunOutcome> own = simulate_runs(scenario, seed, samples, rank, ranks);
  const std::vector<std::string> parts =
      session.gather(std::string(reinterpret_cast<const char*>(own.data()), own.size() * sizeof(RunOutcome)));
  std::vector<RunOutcome> all(session.is_root() ? samples : 0);
  for (std::uint64_t r = 0; r < parts.size(); ++r)
    for (std::uint64_t i = r, k = 0; i < samples; i += ranks, ++k)
      std::memcpy(&all[i], parts[r].data() + k * sizeof(RunOutcome), sizeof(RunOutcome));
  return all;
}

/// The run of the strategy; nothing when no amount is given.
void sample_run(const ParsedOptions& options, Scene& scene, const MpiSession& session, SimulationAnswer& a) {
  if (!options.given("tokens") && !options.given("samples")) {
    if (options.given("runs")) options.fail("runs", "there is no run without --tokens or --samples", "say how much is trained");
    return;
  }
  RunAnswer run;
  together(session, [&] {
    read_run(options, scene, data_folder(), a.question, a.assumptions);
    const double steps = std::ceil(a.question.units / a.plan.closed.tokens_per_step);
    const double step = a.unfolded ? a.unfolded->seconds : a.step.seconds.total();
    const StackFacts& facts = scene.stack.facts;
    const Bytes state{a.plan.closed.parameters * (activation_bytes(a.strategy.precision) + facts.master_bytes + facts.moment_bytes)};
    run.scenario = read_scenario(options, a.question, a.strategy.num_devices(), Seconds{steps * step}, state);
    run.seed = static_cast<std::uint64_t>(options.count("seed", 0));
  });
  const auto samples = static_cast<std::uint64_t>(options.count("runs", 1, 10'000'000));
  const std::vector<RunOutcome> all = sampled(run.scenario, run.seed, samples, session);
  if (!session.is_root()) return;
  for (const RunOutcome& o : all)
    if (!std::isfinite(o.wall))
      throw Error(ExitCode::infeasible,
                  "interruptions leave the run almost no time to train: it does not end\n  cure: fewer devices, a shorter --restart, more "
                  "frequent checkpoints");
  run.summary = summarise_runs(run.scenario, all);
  for (const RunOutcome& o : all) run.wall.push_back(o.wall);
  run.intervals = checkpoint_intervals(run.scenario, run.seed, std::min<std::uint64_t>(samples, 200));
  a.run = std::move(run);
}

}  // namespace

CommandSpec simulate_spec() {
  return {"simulate",
          "one given strategy, event by event; a run with its failures",
          {"reckon simulate --model llama-3-70b --device h100 --tp 8 --pp 4 --vpp 5 --devices 1024 --gb 2048",
           "reckon simulate --model llama-3-8b --device h100 --pp 4 --dp 2 --gb 64 --schedule zb-1p --json",
           "reckon simulate --model llama-3-8b --device h100 --tp 8 --dp 16 --gb 512 --slow-devices 13 --slow-by '10 %'",
           "reckon simulate --model llama-3.1-405b --device h100 --tp 8 --pp 16 --dp 128 --gb 2048 --tokens 3.8T --runs 500"},
          {training_options(), place_options(), strategy_options(), disturbance_options(), amount_options(), money_options(),
           goodput_options(), scenario_options(), file_options()},
          {},
          "The step is replayed with the prices of 'reckon predict' in the real order of the schedule.  With --tokens or --samples the "
          "whole run is "
          "sampled, failures and all.  Ranks of an MPI job share devices and samples; the answer does not depend on their number."};
}

CommandResult run_simulate(const ParsedOptions& options, const MpiSession& session) {
  SimulationAnswer a;
  const SceneNames names = scene_names(options);
  Scene scene = load_scene(names, data_folder());
  const Question question = read_question(options, scene, "gb", a.assumptions);
  a.strategy = read_strategy(options, question);
  check_strategy(a.strategy, scene);
  a.question = plan_question(question, scene);
  const ClusterLayout layout = read_layout(options);
  const Job job = question.job(a.strategy);
  a.plan = step_plan(job);
  a.step = simulate_step(a.plan);
  if (wants_unfolded(options))
    a.unfolded = simulate_unfolded(a.plan, a.strategy, read_disturbance(options, a.strategy.num_devices()),
                                   {session.rank(), session.size(), [&](std::vector<double>& values) { session.all_reduce_max(values); }});
  if (options.flag("contention") && session.is_root()) a.contention = simulate_contention(job, layout);
  sample_run(options, scene, session, a);
  if (!session.is_root()) return {};
  write_files(options, a);
  return {options.flag("json") ? simulation_json(a) : simulation_report(a)};
}

}  // namespace reckon
