// SPDX-License-Identifier: Apache-2.0
#include "report/training_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/numbers.hpp"
#include "report/table.hpp"

namespace reckon {
namespace {

constexpr std::size_t most_rows = 20;

/// Mean seconds of a step by phase, the first step left out where there are three or more, as TrainingRecord::step_seconds does.
train::PhaseSeconds mean_phases(const TrainingRecord& r) {
  train::PhaseSeconds sum;
  const std::size_t first = r.steps.size() >= 3 ? 1 : 0;
  const double share = 1.0 / double(std::max<std::size_t>(1, r.steps.size() - first));
  for (std::size_t i = first; i < r.steps.size(); ++i) {
    const train::PhaseSeconds& s = r.steps[i].seconds;
    sum.forward += share * s.forward, sum.backward += share * s.backward, sum.optimizer += share * s.optimizer;
    sum.tensor += share * s.tensor, sum.context += share * s.context, sum.expert += share * s.expert;
    sum.pipeline += share * s.pipeline, sum.replicas += share * s.replicas, sum.other += share * s.other, sum.total += share * s.total;
  }
  return sum;
}

std::string phases_text(const TrainingRecord& r) {
  const train::PhaseSeconds s = mean_phases(r);
  std::string out = "  of a step, ms, mean over ranks:";
  const auto part = [&](const char* name, double seconds) {
    if (seconds > 0.0005 * s.total) out += fmt::format(" {} {},", name, significant(seconds * 1e3));
  };
  part("forward", s.forward);
  part("backward", s.backward);
  part("optimizer", s.optimizer);
  part("tensor messages", s.tensor);
  part("context messages", s.context);
  part("expert messages", s.expert);
  part("pipeline messages", s.pipeline);
  part("replica messages", s.replicas);
  part("other", s.other);
  out.back() = '\n';
  return out;
}

}  // namespace

std::string step_line(const train::StepReport& s, double tokens, std::int64_t last_step) {
  const double left = double(last_step - s.step) * s.seconds.total;
  return fmt::format("step {} of {}: loss {:.4f}, gradient {}, {} s, {} tokens/s{}", s.step, last_step, s.loss,
                     significant(s.gradient_norm), significant(s.seconds.total), significant(tokens / s.seconds.total),
                     s.step == last_step ? "" : ", " + run_text(Seconds{std::ceil(left)}) + " left");
}

std::string training_report(const TrainingRecord& r) {
  std::string out =
      fmt::format("{}, {} parameters, {} {}, on {} {} of {} {}: {}\n\n", r.model, count_text(r.parameters), r.precision, r.optimizer,
                  r.ranks, r.ranks == 1 ? "rank" : "ranks", r.threads, r.threads == 1 ? "thread" : "threads", r.strategy);
  Table table({{"step"}, {"loss"}, {"gradient"}, {"rate"}, {"time, s"}, {"tokens/s"}});
  const std::size_t every = (r.steps.size() + most_rows - 1) / most_rows;
  for (std::size_t i = 0; i < r.steps.size(); ++i) {
    if (i % every != 0 && i + 1 != r.steps.size()) continue;
    const train::StepReport& s = r.steps[i];
    table.row({grouped(s.step), fmt::format("{:.4f}", s.loss), significant(s.gradient_norm), significant(s.learning_rate),
               significant(s.seconds.total), significant(r.tokens_per_step() / s.seconds.total)});
  }
  if (!r.steps.empty()) out += table.text();
  for (const ValidationPoint& v : r.validation) out += fmt::format("validation loss after step {}: {:.4f}\n", v.step, v.loss);
  const double step_time = r.step_seconds();
  if (step_time > 0) {
    out += fmt::format("\n{} s a step of {} tokens: {} tokens/s, {} GFLOP/s of the model's own work\n", significant(step_time),
                       grouped(std::int64_t(r.tokens_per_step())), significant(r.tokens_per_step() / step_time),
                       significant(r.tokens_per_step() / step_time * r.model_flops_per_token / 1e9));
    out += phases_text(r);
  } else {
    out += fmt::format("all {} steps were trained before\n", r.last_step);
  }
  return out;
}

}  // namespace reckon
