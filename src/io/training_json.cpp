// SPDX-License-Identifier: Apache-2.0
#include "io/training_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/json.hpp"

namespace reckon {
namespace {

using Json = nlohmann::ordered_json;

Json seconds_json(const train::PhaseSeconds& s) {
  return {{"forward", s.forward},
          {"backward", s.backward},
          {"optimizer", s.optimizer},
          {"tensor_messages", s.tensor},
          {"context_messages", s.context},
          {"expert_messages", s.expert},
          {"pipeline_messages", s.pipeline},
          {"replica_messages", s.replicas},
          {"other_messages", s.other},
          {"total", s.total}};
}

}  // namespace

double TrainingRecord::step_seconds() const {
  std::vector<double> totals;
  for (std::size_t i = steps.size() >= 3 ? 1 : 0; i < steps.size(); ++i) totals.push_back(steps[i].seconds.total);
  if (totals.empty()) return 0;
  std::nth_element(totals.begin(), totals.begin() + std::ptrdiff_t(totals.size() / 2), totals.end());
  return totals[totals.size() / 2];
}

std::string training_json(const TrainingRecord& r) {
  Json steps = Json::array(), validation = Json::array();
  for (const train::StepReport& s : r.steps) {
    steps.push_back({{"step", s.step},
                     {"loss", s.loss},
                     {"gradient_norm", s.gradient_norm},
                     {"learning_rate", s.learning_rate},
                     {"seconds", seconds_json(s.seconds)},
                     {"pace", s.pace}});
  }
  for (const ValidationPoint& v : r.validation) validation.push_back({{"step", v.step}, {"loss", v.loss}});
  const double step_time = r.step_seconds();
  const Json rate = step_time > 0 ? Json(r.tokens_per_step() / step_time) : Json();
  return dump_json(Json{{"schema", "reckon/training/1"},
                        {"model", r.model},
                        {"parameters", r.parameters},
                        {"strategy", r.strategy},
                        {"precision", r.precision},
                        {"optimizer", r.optimizer},
                        {"text", r.text},
                        {"ranks", r.ranks},
                        {"threads_per_rank", r.threads},
                        {"seq_len", r.seq_len},
                        {"micro_batch_size", r.micro_batch_size},
                        {"global_batch_size", r.global_batch_size},
                        {"first_step", r.first_step},
                        {"last_step", r.last_step},
                        {"state_bytes_of_a_rank", r.state_bytes},
                        {"step_time_s", step_time},
                        {"tokens_per_s", rate},
                        {"model_flops_per_s", step_time > 0 ? Json(r.tokens_per_step() / step_time * r.model_flops_per_token) : Json()},
                        {"steps", steps},
                        {"validation", validation}});
}

}  // namespace reckon
