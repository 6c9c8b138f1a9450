// SPDX-License-Identifier: Apache-2.0
#include "simulate/step_simulation.hpp"

#include <algorithm>
#include <cmath>

namespace reckon {
namespace {

constexpr double weight_share =
    0.5;  // of a micro-batch's activations, kept until the weight gradient (Qi et al. 2023, section 3.2: about half)

void trace_memory(const StepPlan& plan, StepSimulation& out) {
  const PipelineShape& shape = plan.shape;
  for (std::size_t i = 0; i < out.timeline.stages.size(); ++i) {
    const StageHolds& h = plan.holds[i];
    const double unit = h.per_micro_batch / (shape.layout == Layout::mirrored ? 1.0 : shape.chunks);
    std::vector<MemoryPoint> curve{{0.0, h.fixed + h.head}};
    double held = curve[0].bytes, peak = held;
    for (const TimedAction& a : out.timeline.stages[i]) {
      const bool split = shape.splits_backward && !a.action.whole;
      if (a.action.kind == ActionKind::forward) held += unit, curve.push_back({a.start, held});
      peak = std::max(peak, held);
      if (a.action.kind == ActionKind::backward) held -= unit * (split ? 1.0 - weight_share : 1.0), curve.push_back({a.end, held});
      if (a.action.kind == ActionKind::weight) held -= unit * weight_share, curve.push_back({a.end, held});
    }
    std::stable_sort(curve.begin(), curve.end(), [](const MemoryPoint& a, const MemoryPoint& b) { return a.time < b.time; });
    out.memory.push_back(std::move(curve));
    out.peak_bytes.push_back(peak);
  }
}

std::string why(const std::string& part, const StepPlan& plan) {
  const Schedule s = plan.shape.schedule;
  if (part == "pipeline")
    return "the closed form spreads the stages' work and fills the pipeline with whole stages; the simulation runs the real order of " +
           std::string(name_of(s)) + ", where uneven stages wait for less or more than that, and messages in flight limit the pace";
  if (part == "data") return "stages that finish early reduce their gradients while the others still work";
  return "";
}

}  // namespace

StepSimulation simulate_step(const StepPlan& plan) {
  StepSimulation out;
  out.schedule = schedule_actions(plan.shape, plan.times);
  out.timeline = replay(out.schedule, plan.times);
  const double pipeline = without_barrier(plan.shape.schedule) ? out.timeline.period : out.timeline.makespan;
  double reduced = out.timeline.makespan, gather = 0;
  for (std::size_t i = 0; i < plan.finish.size(); ++i) {
    const StageFinish& f = plan.finish[i];
    const std::vector<TimedAction>& actions = out.timeline.stages[i];
    const double end = (actions.empty() ? 0.0 : actions.back().end) + f.exposed_reduce;
    out.reduce_end.push_back(end);
    reduced = std::max(reduced, end);
    gather = std::max(gather, f.exposed_gather);
    out.seconds.optimizer = std::max(out.seconds.optimizer, f.optimizer);
    out.seconds.work = std::max(out.seconds.work, out.timeline.busy(i));
  }
  out.seconds.bubble = pipeline - out.seconds.work;
  out.seconds.data = reduced - out.timeline.makespan + gather + plan.tied;
  out.seconds.jitter = plan.jitter_share * out.seconds.total();
  trace_memory(plan, out);
  return out;
}

std::vector<StepDifference> step_differences(const StepPlan& plan, const StepSimulation& simulation) {
  const StepTime& c = plan.closed.time;
  const StepSeconds& s = simulation.seconds;
  const bool sharded = plan.finish.size() > 0 && c.exposed_data.base() > 0 && s.data == 0;  // inside the passes (zero3)
  const double closed_pipeline = (c.forward + c.backward + c.recompute + c.exposed_tensor + c.exposed_context + c.exposed_expert +
                                  c.exposed_pipeline + c.bubble + (sharded ? c.exposed_data : Seconds{}))
                                     .base();
  std::vector<StepDifference> out{{"pipeline", closed_pipeline, s.work + s.bubble, ""},
                                  {"data", sharded ? 0.0 : c.exposed_data.base(), s.data, ""},
                                  {"optimizer", c.optimizer.base(), s.optimizer, ""},
                                  {"jitter", c.jitter.base(), s.jitter, ""},
                                  {"total", c.total().base(), s.total(), ""}};
  for (StepDifference& d : out)
    if (std::abs(d.closed - d.simulated) > 1e-3 * c.total().base()) d.why = why(d.part, plan);
  return out;
}

}  // namespace reckon
