// reckon plan: how many devices, how long, how much.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include "app/command.hpp"
#include "app/cost_options.hpp"
#include "app/job_options.hpp"
#include "app/keep_all.hpp"
#include "app/plan_run.hpp"
#include "app/planner.hpp"
#include "app/progress.hpp"
#include "app/provenance.hpp"
#include "app/question_options.hpp"
#include "app/run_options.hpp"
#include "app/scene.hpp"
#include "app/space_options.hpp"
#include "app/together.hpp"
#include "app/version.hpp"
#include "base/text.hpp"
#include "io/atomic_file.hpp"
#include "io/data_path.hpp"
#include "io/distribution_file.hpp"
#include "io/journal.hpp"
#include "io/listing.hpp"
#include "io/results_columns.hpp"
#include "io/results_file.hpp"
#include "io/results_json.hpp"
#include "io/simulation_json.hpp"
#include "plan/strategy_space.hpp"
#include "report/numbers.hpp"
#include "report/plan_report.hpp"
#include "report/simulation_report.hpp"
#include "report/verdict.hpp"

namespace reckon {
namespace {

const std::vector<std::string> output_options{"out",   "report",          "force",    "json",       "dry-run",
                                              "quiet", "allow-singleton", "simulate", "stop-after", "array-task", "distribution", "keep-all"};
constexpr std::int64_t most_devices = 1'000'000, most_kept = 1000;

/// The question with all that it points into.
struct Plan {
  Scene scene;
  Question question{};
  std::vector<std::int64_t> devices;
  CostBasis costs;
  PlanResults results;  // all but the sizes, at first
};

std::vector<std::int64_t> sizes_to_plan(const ParsedOptions& options, const Cluster& cluster) {
  std::vector<std::int64_t> sizes = options.counts("devices", 1, most_devices);
  if (cluster.max_devices == 0 || sizes.back() <= cluster.max_devices) return sizes;
  if (options.given("devices"))
    options.fail("devices", fmt::format("{} has {} devices", cluster.id, grouped(cluster.max_devices)),
                 "list fewer, or choose another --cluster");
  std::erase_if(sizes, [&](std::int64_t n) { return n > cluster.max_devices; });
  sizes.push_back(cluster.max_devices);
  return sizes;
}

void load(const ParsedOptions& options, Plan& plan) {
  const SceneNames names = scene_names(options);
  const std::filesystem::path models = data_folder();
  plan.scene = load_scene(names, models);
  PlanResults& r = plan.results;
  plan.devices = sizes_to_plan(options, plan.scene.cluster);
  plan.question = read_question(options, plan.scene, "batch", r.assumptions);
  plan.question.space = read_space(options);
  r.question = plan_question(plan.question, plan.scene);
  read_run(options, plan.scene, models, r.question, r.assumptions);
  r.question.run.feed = read_data_feed(options, plan.scene, r.question.counts_tokens);
  add_evidence(plan.scene, plan.question, plan.devices.back(), r.assumptions);
  r.question.restrictions = restrictions(options);
  r.question.keep = options.count("top", 1, most_kept);
  plan.costs = read_cost_basis(options, plan.scene, models, r.question);
  r.inputs = plan.scene.inputs;
  std::string program = version().number + " " + commit_text();
  for (const char* option : {"assume", "grid", "draws", "seed"}) program += "\n" + options.find(option).value_or("");
  r.provenance = {version().number,
                  commit_text(),
                  canonical_command(plan_spec(), options, output_options),
                  date_of_epoch(std::getenv("SOURCE_DATE_EPOCH")),
                  static_cast<std::int64_t>(plan.costs.seed),
                  derived_uuid(r.question, r.inputs, program)};
}

/// Beside the results file while they are made: what a stopped run has done.
std::filesystem::path journal_folder(const ParsedOptions& options) { return options.text("out") + ".journal"; }

/// --array-task 2/8, or what Slurm says of the job array that this runs in.
ArrayTask array_task(const ParsedOptions& options) {
  ArrayTask out;
  if (!options.given("array-task")) return out;
  std::string text = options.text("array-task");
  if (text == "auto") {
    const Environment environment = process_environment();
    const auto id = environment("SLURM_ARRAY_TASK_ID"), first = environment("SLURM_ARRAY_TASK_MIN"), count = environment("SLURM_ARRAY_TASK_COUNT");
    if (!id || !count) options.fail("array-task", "this is no task of a Slurm job array", "write the task's number from 0 and how many there are, such as 2/8");
    text = fmt::format("{}/{}", std::atoll(id->c_str()) - (first ? std::atoll(first->c_str()) : 0), *count);
  }
  const std::vector<std::string_view> parts = split(text, '/');
  const auto whole = [&](std::size_t i) { return i < parts.size() ? std::atoll(std::string(parts[i]).c_str()) : -1; };
  out = {whole(0), whole(1)};
  if (parts.size() != 2 || out.tasks < 1 || out.task < 0 || out.task >= out.tasks || fmt::format("{}/{}", out.task, out.tasks) != text)
    options.fail("array-task", "'" + text + "' is no task", "write the task's number from 0 and how many there are, such as 2/8");
  if (!options.given("out")) options.fail("array-task", "the tasks of an array meet in the journals of a results file", "give --out");
  return out;
}

PlanRunSettings run_settings(const ParsedOptions& options, const Plan& plan) {
  PlanRunSettings out;
  out.keep = static_cast<std::size_t>(plan.results.question.keep);
  out.quiet = options.flag("quiet");
  if (options.given("out")) out.journal = journal_folder(options);
  out.run = plan.results.provenance.uuid;
  out.array = array_task(options);
  out.replace = options.flag("force");
  return out;
}

/// Files that will be written, refused early.
void check_files(const ParsedOptions& options, const std::string& uuid) {
  for (const char* option : {"out", "report", "distribution"})
    if (options.given(option)) check_target(options.text(option), options.flag("force"));
  if (options.given("keep-all")) check_batch_folder(options.text("keep-all"), uuid);
  if (options.given("out") && options.given("report") && options.text("out") == options.text("report"))
    options.fail("report", "is the same file as --out", "give two names");
}

std::optional<double> stop_after(const ParsedOptions& options) {
  if (!options.given("stop-after")) return std::nullopt;
  return options.quantity<Seconds>("stop-after").base();
}

/// What the largest size takes on this machine now, for every size.
Seconds expected_duration(const Plan& plan) {
  const auto begin = std::chrono::steady_clock::now();
  search(plan.question, plan.devices.back(), static_cast<std::size_t>(plan.results.question.keep));
  const std::chrono::duration<double> one = std::chrono::steady_clock::now() - begin;
  return Seconds{one.count() * static_cast<double>(plan.devices.size())};
}

std::string dry_run(const ParsedOptions& options, const Plan& plan) {
  const PlanQuestion& q = plan.results.question;
  std::int64_t strategies = 0;
  for (const std::int64_t n : plan.devices) strategies += space_size(plan.question, n);
  const std::string duration = run_text(expected_duration(plan));
  std::vector<std::string> sizes, files;
  for (const std::int64_t n : plan.devices) sizes.push_back(fmt::to_string(n));
  for (const char* option : {"out", "report"})
    if (options.given(option)) files.push_back(options.text(option));
  if (options.flag("json"))
    return record_json("reckon/plan-dry-run/1", {{"command_line", plan.results.provenance.command_line},
                                                 {"sizes", join(sizes, ",")},
                                                 {"strategies", fmt::to_string(strategies)},
                                                 {"expected_duration", duration},
                                                 {"files", join(files, ",")},
                                                 {"uuid", plan.results.provenance.uuid}});
  std::string out = fmt::format("{} ({} parameters), {} {}, on {} ({} with {})\n", q.model, count_text(q.parameters), count_text(q.units),
                                q.counts_tokens ? "tokens" : "samples", q.cluster, q.device_name, format_quantity(q.device_memory));
  out += fmt::format("{} sizes: {}\n{} strategies to decide, in about {} on one rank\n", sizes.size(), join(sizes, " "), grouped(strategies), duration);
  for (const Assumption& a : plan.results.assumptions)
    out += fmt::format("  {}: {} ({}{})\n", a.name, a.value, a.basis, a.source.empty() ? "" : ": " + a.source);
  for (const InputText& i : plan.results.inputs)
    out += fmt::format("  reads {} ({} bytes, sha256 {})\n", i.path, i.text.size(), i.sha256.substr(0, 12));
  for (const std::string& file : files) out += fmt::format("  would write {}\n", file);
  return out;
}

/// The sizes of the question; with a deadline and a range of sizes also those between the last that is too slow and the first that is not.
void plan_all(const ParsedOptions& options, const MpiSession& session, const StopWatch& stop, Plan& plan) {
  PlanRun run(plan.question, plan.results.question.run, run_settings(options, plan), session, stop);
  if (run.resumed() > 0 && !options.flag("quiet"))
    note(session, fmt::format("going on after {} parts that are done", grouped(run.resumed())));
  std::vector<PlannedSize> planned = run.plan(plan.devices);
  const std::optional<Seconds> deadline = plan.results.question.deadline;
  if (deadline && options.text("devices").find("..") != std::string::npos) {
    std::string list;
    if (session.is_root())
      for (const std::int64_t n : sizes_between(planned, *deadline, plan.scene.cluster.node.devices_per_node))
        list += (list.empty() ? "" : ",") + fmt::to_string(n);
    session.broadcast(list);
    if (!list.empty()) {
      std::vector<PlannedSize> extra = run.plan(parse_counts(list));
      keep_nearest(planned, std::move(extra), *deadline);
    }
  }
  collect(std::move(planned), plan.results);
}

/// The best `most` strategies of every size, simulated.
std::vector<PlanReplay> replays(const Question& question, const PlanResults& results, std::int64_t most) {
  std::vector<PlanReplay> out;
  for (const PlanPoint& p : results.candidates) {
    if (p.place > most) continue;
    const StepPlan step = step_plan(question.job(p.strategy));
    const StepSimulation simulation = simulate_step(step);
    out.push_back({p.devices, p.place, p.strategy, step.closed.time.total().base(), simulation.seconds.total(),
                   step_differences(step, simulation)});
  }
  return out;
}

/// The answer in words, then what it costs all in all and how sure that is.
void study_costs(const MpiSession& session, Plan& plan) {
  PlanResults& r = plan.results;
  std::string message;
  together(session, [&] {
    if (!session.is_root()) return;
    r.answer = answer_of(judge(r));
    if (const PlanPoint* best = r.best_of(r.answer.devices)) message = pack({*best});
  });
  session.broadcast(message);
  if (message.empty()) return;
  CostStudy study;
  bool beyond = false;
  together(session, [&] {
    try {
      study = study_of(plan.costs, unpack_points(message).at(0));
    } catch (const MoneyRangeError&) {
      beyond = true;  // of absurd runs; the plan is an answer all the same
    }
  });
  if (beyond) return;
  study.uncertainty = draw_together(session, study.model, plan.costs.seed, plan.costs.draws);
  together(session, [&] {
    if (!session.is_root()) return;
    study.fan = fan_of(plan.costs, r);
    r.costs = std::move(study);
  });
}

/// Every strategy of every size, counted in bins.
void write_distributions(const ParsedOptions& options, const StopWatch& stop, const Plan& plan) {
  std::vector<SpaceDistribution> all;
  Searcher searcher(plan.question);
  for (const PlanSize& size : plan.results.sizes) {
    all.push_back(space_distribution(searcher, size.devices, [&stop] { return !stop.requested(); }));
    if (stop.requested()) throw StoppedError("stopped while counting strategies; the same command starts that again");
  }
  save_distributions(all, plan.results, options.text("distribution"), options.flag("force"));
}

/// The files, the text for stdout.
CommandResult deliver_plan(const ParsedOptions& options, const MpiSession& session, const Question& question, PlanResults& results) {
  const Verdict verdict = judge(results);
  const std::string text = plan_report(results);
  const bool force = options.flag("force");
  if (options.given("out")) {
    save_results(results, options.text("out"), force || array_task(options).tasks > 1);  // the tasks of an array write the same bytes
    remove_journals(journal_folder(options));
  }
  if (options.given("report")) write_file(options.text("report"), text, force);
  if (!options.flag("quiet"))
    for (const char* option : {"out", "report"})
      if (options.given(option)) note(session, "wrote " + options.text(option));
  std::vector<PlanReplay> simulated;
  if (options.given("simulate")) simulated = replays(question, results, options.count("simulate", 1, most_kept));
  const auto json = [&] { return simulated.empty() ? plan_json(results) : add_replays(plan_json(results), simulated); };
  return {options.flag("json") ? json() : text + replays_report(simulated), verdict.satisfied() ? ExitCode::ok : ExitCode::infeasible};
}

}  // namespace

CommandSpec plan_spec() {
  return {"plan",
          "how many devices, how long, how much: the best strategy for each cluster size",
          {"reckon plan --model llama-3-70b --device h100 --devices 256..24576 --tokens 15T",
           "reckon plan --model llama-2-7b --device h100 --devices 8..512 --tokens 2T --deadline 30d --budget '$2M'",
           "reckon plan --model llama-3-8b --device h100 --devices 64,128 --tokens 1T --simulate 3",
           "reckon plan --model mixtral-8x7b --cluster aws-p5 --devices 128,256 --tokens 1T --tp 1,2,4 --out mixtral.h5 --force"},
          {training_options(),
           place_options(),
           {"Sizes",
            {{.name = "devices",
              .argument = "LIST",
              .fallback = "64..16384",
              .help = "numbers of devices: 512, 256,512,1024, 256..24576 (doubling), 64..512+64",
              .letter = 'n'}}},
           amount_options(),
           {"The step",
            {{.name = "batch",
              .argument = "SIZE",
              .help = "of one step: sequences or samples, or '16M tokens' [default: 16M tokens from 20B parameters up, 4M below]",
              .letter = 'b'}}},
           money_options(),
           job_options(),
           cost_options(),
           goodput_options(),
           space_options(),
           {"Output",
            {{.name = "top", .argument = "COUNT", .fallback = "3", .help = "strategies to keep for each size", .letter = 'k'},
             {.name = "simulate", .argument = "K", .help = "replay the K best of each size event by event"},
             {.name = "out", .argument = "FILE.h5", .help = "write all results as HDF5", .letter = 'o'},
             {.name = "report", .argument = "FILE.txt", .help = "write the text of the answer"},
             {.name = "distribution", .argument = "FILE.h5", .help = "decide every strategy and write counts by step time and memory"},
             {.name = "keep-all", .argument = "FOLDER", .help = "decide every strategy and write them all, in HDF5 files of 262,144 rows"},
             {.name = "force", .help = "replace files that exist", .letter = 'f'},
             {.name = "json", .help = "the answer as JSON on stdout"},
             {.name = "stop-after", .argument = "TIME", .help = "stop then, as on SIGTERM; a Slurm job's own end counts too where Slurm says it"},
             {.name = "array-task", .argument = "I/N", .help = "do a share of a job array, 0/4 to 3/4 or 'auto' in Slurm; needs --out"},
             {.name = "dry-run", .help = "say what would be planned and written, and leave"},
             {.name = "quiet", .help = "no progress, no notes", .letter = 'q'},
             {.name = "allow-singleton", .help = "run although other processes were started without MPI"}}}},
          {},
          "With --deadline and a range of --devices the sizes between the last that is too slow and the first that is not are tried too. "
          "Exit code 3 when no size has a plan, or none meets --deadline and --budget; the table is printed all the same. 'mpiexec -n N "
          "reckon plan ...' and 'srun --mpi=pmi2 reckon plan ...' share the work among ranks; the results are the same, byte for byte. "
          "With --out, finished work is kept in FILE.h5.journal/ until the file is written: after SIGTERM, SIGUSR1, SIGINT, SIGHUP, SIGXCPU or "
          "--stop-after (exit code 6), or after a crash, the same command goes on from there. Under mpiexec send SIGUSR1, never SIGUSR2. "
          "Every plan is proved: the report says how many strategies there are, how many were priced and which bound cut the others."};
}

CommandResult run_plan(const ParsedOptions& options, const MpiSession& session) {
  const StopWatch stop(stop_after(options));
  Plan plan;
  together(session, [&] {
    load(options, plan);
    if (session.is_root()) check_files(options, plan.results.provenance.uuid);
  });
  if (options.flag("dry-run")) return {session.is_root() ? dry_run(options, plan) : ""};
  plan_all(options, session, stop, plan);
  study_costs(session, plan);
  if (options.given("keep-all")) {
    const std::int64_t kept = keep_all(plan.question, plan.devices, plan.results.provenance, options.text("keep-all"), session, stop, options.flag("quiet"));
    if (!options.flag("quiet")) note(session, fmt::format("wrote {} strategies to {}", grouped(kept), options.text("keep-all")));
  }
  CommandResult result;
  together(session, [&] {
    if (session.is_root() && options.given("distribution")) write_distributions(options, stop, plan);
    if (session.is_root()) result = deliver_plan(options, session, plan.question, plan.results);
  });
  return result;
}

}  // namespace reckon
