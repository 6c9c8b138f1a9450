// reckon simulate: one strategy, event by event; a run, day by day.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/command.hpp"
#include "app/question_options.hpp"
#include "app/scene.hpp"
#include "app/strategy_options.hpp"
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
  for (const char* name : {"trace", "picture", "memory"})
    if (options.given(name)) check_target(options.text(name), force);
  if (options.given("trace")) {
    const auto most = static_cast<std::size_t>(options.count("most-events", 1000, 100'000'000));
    write(options.text("trace"), trace_json(a.plan, a.step, most).json);
  }
  if (options.given("picture"))
    write(options.text("picture"), pipeline_svg(a.plan, a.step, fmt::format("{} on {} x {}: {}", a.question.model, a.strategy.num_devices(),
                                                                            a.question.device_name, describe(a.strategy))));
  if (options.given("memory")) write(options.text("memory"), memory_csv(a.step));
  if (options.given("chakra"))
    for (std::size_t i = 0; i < a.plan.finish.size(); ++i)
      write(fmt::format("{}.{}.et", options.text("chakra"), i), chakra_trace(a.plan, a.step, i));
}

}  // namespace

CommandSpec simulate_spec() {
  return {"simulate",
          "one given strategy, event by event: timeline, memory, what the closed form leaves out",
          {"reckon simulate --model llama-3-70b --device h100 --tp 8 --pp 4 --vpp 5 --devices 1024 --gb 2048",
           "reckon simulate --model llama-3-8b --device h100 --pp 4 --dp 2 --gb 64 --schedule zb-1p --json"},
          {training_options(), place_options(), strategy_options(), file_options()},
          {},
          "The step is replayed with the prices of 'reckon predict' in the real order of the schedule."};
}

CommandResult run_simulate(const ParsedOptions& options, const MpiSession& session) {
  SimulationAnswer a;
  const SceneNames names = scene_names(options);
  Scene scene = load_scene(names, data_folder());
  const Question question = read_question(options, scene, "gb", a.assumptions);
  a.strategy = read_strategy(options, question);
  check_strategy(a.strategy, scene);
  a.question = plan_question(question, scene);
  const Job job = question.job(a.strategy);
  a.plan = step_plan(job);
  a.step = simulate_step(a.plan);
  if (!session.is_root()) return {};
  write_files(options, a);
  return {options.flag("json") ? simulation_json(a) : simulation_report(a)};
}

}  // namespace reckon
