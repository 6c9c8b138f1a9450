// reckon predict: one strategy, step time and memory part by part.
// SPDX-License-Identifier: Apache-2.0
#include "app/command.hpp"
#include "app/question_options.hpp"
#include "app/scene.hpp"
#include "app/strategy_options.hpp"
#include "cost/step_terms.hpp"
#include "io/data_path.hpp"
#include "io/results_json.hpp"
#include "report/prediction_report.hpp"

namespace reckon {
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
  point.projection.throughput = Tokens{point.cost.tokens_per_step} / point.cost.time.total();
  const Bytes host = host_memory_share(scene.cluster.node);
  const bool fits = point.cost.fits(stated.usable_memory()) && point.cost.host <= host;
  return {options.flag("json") ? prediction_json(stated, point, fits, assumptions) : prediction_report(stated, point, host, assumptions),
          fits ? ExitCode::ok : ExitCode::infeasible};
}

}  // namespace reckon
