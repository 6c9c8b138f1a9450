// SPDX-License-Identifier: Apache-2.0
#include "plan/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/quantile.hpp"

namespace reckon {

const Stack& CalibrationSet::stack(const std::string& id) const {
  auto it = stacks.entries.find(id);
  if (it == stacks.entries.end()) it = stacks.entries.find("default");
  if (it == stacks.entries.end()) throw CalibrationError(fmt::format("no software stack '{}' and no 'default' in the calibration", id));
  return it->second;
}

const Stack& CalibrationSet::stack_of(const PublishedRun& run) const {
  for (const StackGeneration& g : stacks.generations) {
    if (g.of == run.stack && run.id.find(g.id) != std::string::npos && run.detail.container.compare(0, g.container.size(), g.container) == 0) {
      return stack(g.stack);
    }
  }
  return stack(run.stack);
}

const ComputeCalibration& CalibrationSet::device(const std::string& id) const {
  const auto it = compute.find(id);
  if (it == compute.end()) throw CalibrationError(fmt::format("no compute calibration for device '{}'", id), "run `reckon catalog devices` to see which devices have one");
  return it->second;
}

Job job_of(const PublishedRun& run, const CalibrationSet& set, const Stack& stack, const LinkCalibration& links) {
  Job job{&run.architecture, &run.cluster, &set.device(run.cluster.device.id), &links, &stack, {}, run.strategy};
  if (stack.facts.packed_sequences > 1)
    job.strategy.global_batch_size = std::llround(static_cast<double>(run.strategy.global_batch_size) / stack.facts.packed_sequences);
  if (stack.facts.traced) job.strategy.recompute = Recompute::none;
  job.task.training = run.training;
  job.task.compiled = run.detail.torch_compile.value_or(false);
  job.task.async_tensor = run.detail.async_tensor_parallel.value_or(false);
  job.strategy.offload_activations = run.detail.activation_cpu_offload;
  if (const Transformer* t = run.architecture.transformer()) {
    job.task.seq_len = t->seq_len;
    if (!t->causal) job.task.optimizer = Optimizer::lamb;  // MLPerf BERT
  } else if (std::holds_alternative<ResNet>(run.architecture.body)) {
    job.task.optimizer = Optimizer::sgd;
  }
  return job;
}

Replay replay(const PublishedRun& run, const CalibrationSet& set) { return replay(run, set, set.stack_of(run)); }

Replay replay(const PublishedRun& run, const CalibrationSet& set, const Stack& stack) {
  Replay out;
  out.traced = stack.facts.traced;
  try {
    const LinkCalibration links = link_calibration(set.links, run.cluster.device, run.cluster.fabric, stack.facts);
    const Job job = job_of(run, set, stack, links);
    out.cost = step_cost(job);
  } catch (const CalibrationError& e) {
    out.status = ReplayStatus::unsupported;
    out.reason = e.what();
    return out;
  }
  out.relative_error = out.cost.time.total() / run.step_time - 1.0;
  out.spread = expected_spread(set.stacks.interval, stack, run.cluster.device.id, run.strategy.num_devices());
  out.interval = step_interval(set.stacks.interval, out.cost.time.total(), out.spread);
  if (!out.cost.fits(run.cluster.device.memory)) {
    if (!out.cost.fits(run.cluster.device.memory * (1.0 + memory_error))) out.status = ReplayStatus::infeasible;
    out.reason = fmt::format("needs {:.1f} GiB of {:.1f} GiB", out.cost.memory.total().in(gibibytes), run.cluster.device.memory.in(gibibytes));
  }
  return out;
}

std::vector<double> signed_errors(const std::vector<Replay>& replays) {
  std::vector<double> out;
  for (const Replay& r : replays)
    if (r.status != ReplayStatus::unsupported) out.push_back(r.relative_error);
  return out;
}

ErrorSummary summarise(const std::vector<double>& signed_errors) {
  ErrorSummary out;
  out.n = signed_errors.size();
  if (signed_errors.empty()) return out;
  std::vector<double> magnitude;
  for (const double e : signed_errors) {
    magnitude.push_back(std::abs(e));
    out.mean += std::abs(e);
    out.bias += e;
  }
  const double n = static_cast<double>(out.n);
  out.mean /= n;
  out.bias /= n;
  std::sort(magnitude.begin(), magnitude.end());
  out.median = quantile(magnitude, 0.5);
  out.p90 = quantile(magnitude, 0.9);
  out.worst = magnitude.back();
  return out;
}

ErrorSummary average(const std::vector<ErrorSummary>& groups) {
  ErrorSummary out;
  double used = 0;
  for (const ErrorSummary& s : groups) {
    if (s.n == 0) continue;
    used += 1;
    out.n += s.n;
    out.median += s.median;
    out.mean += s.mean;
    out.p90 += s.p90;
    out.bias += s.bias;
    out.worst = std::max(out.worst, s.worst);
  }
  if (used > 0) out.median /= used, out.mean /= used, out.p90 /= used, out.bias /= used;
  return out;
}

}  // namespace reckon
