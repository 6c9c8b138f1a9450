// SPDX-License-Identifier: Apache-2.0
#include "io/simulation_json.hpp"

#include <nlohmann/json.hpp>

#include "io/json.hpp"

namespace reckon {
namespace {

using Json = nlohmann::ordered_json;

Json step_json(const SimulationAnswer& a) {
  Json parts = Json::array(), stages = Json::array();
  for (const StepDifference& d : step_differences(a.plan, a.step))
    parts.push_back({{"part", d.part}, {"closed_s", d.closed}, {"simulated_s", d.simulated}, {"why", d.why}});
  for (std::size_t i = 0; i < a.step.timeline.stages.size(); ++i)
    stages.push_back({{"stage", i},
                      {"busy_s", a.step.timeline.busy(i)},
                      {"actions", a.step.timeline.stages[i].size()},
                      {"peak_memory_bytes", a.step.peak_bytes[i]}});
  const StepSeconds& s = a.step.seconds;
  return {{"simulated_s", s.total()},
          {"closed_form_s", a.plan.closed.time.total().base()},
          {"work_s", s.work},
          {"bubble_s", s.bubble},
          {"data_s", s.data},
          {"optimizer_s", s.optimizer},
          {"jitter_s", s.jitter},
          {"bubble_share", a.step.timeline.bubble_share()},
          {"parts", parts},
          {"stages", stages}};
}

}  // namespace

std::string simulation_json(const SimulationAnswer& a) {
  Json out{{"schema", "reckon/simulation/1"}, {"model", a.question.model}, {"cluster", a.question.cluster}, {"devices", a.strategy.num_devices()},
           {"strategy", describe(a.strategy)}};
  out["step"] = step_json(a);
  out["files"] = a.files;
  return dump_json(out);
}

}  // namespace reckon
