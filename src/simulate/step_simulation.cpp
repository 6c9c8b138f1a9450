// SPDX-License-Identifier: Apache-2.0
#include "simulate/step_simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"

namespace reckon {
namespace {

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
      if (a.action.kind == ActionKind::backward) held -= unit * (split ? 1.0 - weight_gradient_share : 1.0), curve.push_back({a.end, held});
      if (a.action.kind == ActionKind::weight) held -= unit * weight_gradient_share, curve.push_back({a.end, held});
    }
    std::stable_sort(curve.begin(), curve.end(), [](const MemoryPoint& a, const MemoryPoint& b) { return a.time < b.time; });
    out.memory.push_back(std::move(curve));
    out.peak_bytes.push_back(peak);
  }
}

/// Seconds of a micro-batch on a stage.
double stage_seconds(const StepPlan& plan, std::size_t stage) {
  const auto chunks = static_cast<std::size_t>(plan.shape.chunks);
  double sum = 0;
  for (std::size_t c = 0; c < chunks; ++c) sum += plan.times.pass[stage * chunks + c].total();
  return sum;
}

bool holds_sharded_weights(const StepPlan& plan) {
  for (const ChunkWork& c : plan.chunks)
    for (const Piece& p : c.forward)
      if (p.stream == Stream::data) return true;
  return false;
}

/// What of this job's pipeline the closed form simplifies.
std::string pipeline_causes(const StepPlan& plan) {
  const PipelineShape& shape = plan.shape;
  std::vector<std::string> causes;
  const auto unequal = [](const auto& of, std::size_t count) {
    double least = of(0), most = least;
    for (std::size_t i = 1; i < count; ++i) least = std::min(least, of(i)), most = std::max(most, of(i));
    return most > 0 ? 1.0 - least / most : 0.0;
  };
  constexpr double even = 0.001;
  const double stages = unequal([&](std::size_t i) { return stage_seconds(plan, i); }, plan.finish.size());
  const double chunks = unequal([&](std::size_t i) { return plan.times.pass[i].total(); }, plan.times.pass.size());
  if (shape.splits_backward)
    causes.push_back(
        fmt::format("the closed form fills the waits of {} with weight gradients as if all stages were equal", name_of(shape.schedule)));
  if (stages > even) causes.push_back(fmt::format("stages differ by up to {:.1f} %, and each waits for just what it needs", 100 * stages));
  if (shape.schedule == Schedule::interleaved && chunks > even)
    causes.push_back(fmt::format("chunks differ by up to {:.1f} %: a long one holds up the round of the others", 100 * chunks));
  if (shape.schedule == Schedule::interleaved && shape.micro_batches % shape.stages != 0)
    causes.push_back("the last group of micro-batches is longer than the pipeline");
  if (holds_sharded_weights(plan))
    causes.push_back("every stage waits for its own parameter gathers, the closed form for the worst stage's");
  if (plan.times.transfer > 0 && !plan.times.transfer_blocks)
    causes.push_back(
        shape.schedule == Schedule::interleaved
            ? "the fill and the drain wait for a message at each of the p v - 1 boundaries, the closed form counts p - 1"
            : "messages in flight between stages limit the pace, where the closed form counts them in the fill and drain only");
  return causes.empty() ? "the order of the passes" : join(causes, "; ");
}

std::string why(const std::string& part, const StepPlan& plan) {
  if (part == "pipeline") return pipeline_causes(plan);
  if (part == "data") return "stages that finish early reduce their gradients while the others still work";
  if (part == "optimizer") return "the largest optimizer step and the largest messages need not be of one stage";
  return "";
}

/// The stages that decide about a part.
std::string where(const std::string& part, const StepSimulation& s) {
  const auto last = [](const auto& of, std::size_t count) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < count; ++i)
      if (of(i) > of(best)) best = i;
    return best;
  };
  const std::size_t stages = s.timeline.stages.size();
  if (part == "pipeline") {
    const auto busy = [&](std::size_t i) { return s.timeline.busy(i); };
    const std::size_t busiest = last(busy, stages), idlest = last([&](std::size_t i) { return -busy(i); }, stages);
    return fmt::format("stage {} works most, stage {} waits most ({:.1f} % of the time)", busiest, idlest,
                       100.0 * (1.0 - busy(idlest) / s.timeline.makespan));
  }
  if (part == "data") return fmt::format("stage {} reduces last", last([&](std::size_t i) { return s.reduce_end[i]; }, stages));
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
                                  c.exposed_pipeline + c.exposed_offload + c.bubble + (sharded ? c.exposed_data : Seconds{}))
                                     .base();
  std::vector<StepDifference> out{{"pipeline", closed_pipeline, s.work + s.bubble, "", ""},
                                  {"data", sharded ? 0.0 : c.exposed_data.base(), s.data, "", ""},
                                  {"optimizer", c.optimizer.base(), s.optimizer, "", ""},
                                  {"jitter", c.jitter.base(), s.jitter, "", ""},
                                  {"total", c.total().base(), s.total(), "", ""}};
  for (StepDifference& d : out)
    if (std::abs(d.closed - d.simulated) > 1e-3 * c.total().base()) d.why = why(d.part, plan), d.where = where(d.part, simulation);
  return out;
}

}  // namespace reckon
