// reckon predict: one strategy, step time and memory part by part.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "app/command.hpp"
#include "app/question_options.hpp"
#include "app/scene.hpp"
#include "app/strategy_options.hpp"
#include "cost/step_terms.hpp"
#include "io/data_path.hpp"
#include "io/results_json.hpp"
#include "report/numbers.hpp"
#include "report/prediction_report.hpp"
#include "simulate/step_simulation.hpp"

namespace reckon {
namespace {

/// Which of the two says how long the pipeline takes, and what the other says where they differ.
void add_pipeline_evidence(const Job& job, const StepCost& cost, std::vector<Assumption>& out) {
  if (job.strategy.pipeline_parallel < 2) return;
  const StepPlan plan = step_plan(job);
  const StepSimulation simulation = simulate_step(plan);
  const double closed = cost.time.total().base(), simulated = simulation.seconds.total();
  constexpr double agreed = 0.01;
  const bool agrees = std::abs(simulated / closed - 1.0) <= agreed;
  const DisplayUnit unit = duration_unit({simulated});
  std::string why = "reckon simulate, passes in the order of the schedule";
  for (const StepDifference& d : step_differences(plan, simulation))
    if (!agrees && d.part == "pipeline" && !d.why.empty()) why += ": " + d.why;
  out.push_back({"pipeline in time",
                 agrees ? "closed form; event by event the same within 1 %"
                        : fmt::format("closed form; event by event {} {} a step, {:+.1f} %", significant(simulated / unit.size, 4),
                                      unit.name, 100.0 * (simulated / closed - 1.0)),
                 "derived", why, ""});
}

}  // namespace

CommandSpec predict_spec() {
  return {"predict",
          "one given strategy: step time and memory, part by part",
          {"reckon predict --model llama-3-8b --device h100 --tp 2 --dp 32 --gb 512",
           "reckon predict --model llama-3-70b --device h100 --tp 8 --pp 4 --vpp 5 --devices 1024 --gb 2048 --json",
           "reckon predict --model mixtral-8x7b --cluster aws-p5 --tp 2 --ep 8 --pp 4 --dp 16 --gb 1024 --recompute full"},
          {training_options(), place_options(), strategy_options(), {"Output", {{.name = "json", .help = "the answer as JSON on stdout"}}}},
          {},
          "Exit code 3 when the strategy does not fit in memory; the parts are printed all the same."};
}

CommandResult run_predict(const ParsedOptions& options, const MpiSession&) {
  std::vector<Assumption> assumptions;
  const SceneNames names = scene_names(options);
  Scene scene = load_scene(names, data_folder());
  const Question question = read_question(options, scene, "gb", assumptions);
  const Strategy strategy = read_strategy(options, question);
  add_evidence(scene, question, strategy.num_devices(), assumptions);
  check_strategy(strategy, scene);

  const PlanQuestion stated = plan_question(question, scene);
  PlanPoint point{strategy.num_devices(), 1, strategy, step_cost(question.job(strategy)), {}};
  add_pipeline_evidence(question.job(strategy), point.cost, assumptions);
  point.projection.throughput = Tokens{point.cost.tokens_per_step} / point.cost.time.total();
  const Bytes host = host_memory_share(scene.cluster.node);
  const bool fits = point.cost.fits(stated.usable_memory()) && point.cost.host <= host;
  return {options.flag("json") ? prediction_json(stated, point, fits, assumptions) : prediction_report(stated, point, host, assumptions),
          fits ? ExitCode::ok : ExitCode::infeasible};
}

}  // namespace reckon
