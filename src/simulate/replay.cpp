// SPDX-License-Identifier: Apache-2.0
#include "simulate/replay.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace reckon {
namespace {

constexpr double not_yet = -1.0;

class Replay {
 public:
  Replay(const PipelineSchedule& schedule, const PipelineTimes& times) : schedule_(schedule), shape_(schedule.shape), times_(times) {
    const std::size_t cells = static_cast<std::size_t>(shape_.places()) * static_cast<std::size_t>(shape_.micro_batches);
    forward_.assign(cells, not_yet);
    backward_.assign(cells, not_yet);
    next_.assign(schedule.order.size(), 0);
    clock_.assign(schedule.order.size(), 0.0);
    out_.stages.resize(schedule.order.size());
    for (std::size_t i = 0; i < schedule.order.size(); ++i) out_.stages[i].reserve(schedule.order[i].size());
  }

  PipelineTimeline run() {
    std::vector<std::int32_t> ready(schedule_.order.size());
    for (std::size_t i = 0; i < ready.size(); ++i) ready[i] = static_cast<std::int32_t>(ready.size() - 1 - i);
    while (!ready.empty()) {
      const std::int32_t i = ready.back();
      ready.pop_back();
      advance(i, ready);
    }
    for (std::size_t i = 0; i < next_.size(); ++i) {
      if (next_[i] != schedule_.order[i].size()) throw InternalError("a pipeline schedule waits for itself");
      out_.makespan = std::max(out_.makespan, clock_[i]);
      if (!out_.stages[i].empty()) out_.period = std::max(out_.period, clock_[i] - out_.stages[i].front().start);
    }
    return std::move(out_);
  }

 private:
  std::size_t cell(std::int32_t place, std::int32_t m) const {
    return static_cast<std::size_t>(place) * static_cast<std::size_t>(shape_.micro_batches) + static_cast<std::size_t>(m);
  }

  /// When the inputs of an action are there; not_yet when they are still to be made.
  double input(std::int32_t stage, const Action& a) const {
    if (a.kind == ActionKind::weight) return 0.0;
    const std::int32_t place = shape_.place_of(stage, a.chunk);
    const bool first = a.kind == ActionKind::forward ? place == 0 : place == shape_.places() - 1;
    if (first && a.kind == ActionKind::forward) return 0.0;
    if (first) return forward_[cell(place, a.micro_batch)];
    const std::int32_t before = a.kind == ActionKind::forward ? place - 1 : place + 1;
    const double done = (a.kind == ActionKind::forward ? forward_ : backward_)[cell(before, a.micro_batch)];
    if (done == not_yet) return not_yet;
    return times_.transfer_blocks || shape_.stage_at(before, a.chunk) == stage ? done : done + times_.transfer;
  }

  double duration(std::int32_t stage, const Action& a) const {
    const PassTimes& t = times_.pass[static_cast<std::size_t>(stage * shape_.chunks + a.chunk)];
    const double exchange = times_.transfer_blocks ? times_.transfer : 0.0;
    switch (a.kind) {
      case ActionKind::forward:
        return t.forward + exchange;
      case ActionKind::backward:
        return t.backward + (shape_.splits_backward && !a.whole ? 0.0 : t.weight) + exchange;
      case ActionKind::weight:
        return t.weight;
    }
    return 0.0;
  }

  void finish(std::int32_t stage, const Action& a, double start, double end, std::vector<std::int32_t>& ready) {
    out_.stages[static_cast<std::size_t>(stage)].push_back({a, start, end});
    if (a.kind == ActionKind::weight) return;
    const std::int32_t place = shape_.place_of(stage, a.chunk);
    const bool forward = a.kind == ActionKind::forward;
    (forward ? forward_ : backward_)[cell(place, a.micro_batch)] = end;
    const std::int32_t after = forward ? place + 1 : place - 1;
    if (after < 0 || after >= shape_.places()) return;
    const std::int32_t other = shape_.stage_at(after, a.chunk);
    if (other != stage) ready.push_back(other);
  }

  /// Runs a stage as far as its inputs reach.
  void advance(std::int32_t stage, std::vector<std::int32_t>& ready) {
    const auto i = static_cast<std::size_t>(stage);
    const std::vector<Action>& order = schedule_.order[i];
    while (next_[i] < order.size()) {
      const Action& a = order[next_[i]];
      double start = input(stage, a);
      if (start == not_yet) return;
      start = std::max(start, clock_[i]);
      double end = start + duration(stage, a);
      if (a.with_next) {
        const Action& b = order[next_[i] + 1];
        const double other = input(stage, b);
        if (other == not_yet) return;
        start = std::max(start, other);
        end = start + duration(stage, a) + duration(stage, b);
        finish(stage, a, start, end, ready);
        finish(stage, b, start, end, ready);
        ++next_[i];
      } else {
        finish(stage, a, start, end, ready);
      }
      clock_[i] = end;
      ++next_[i];
    }
  }

  const PipelineSchedule& schedule_;
  const PipelineShape& shape_;
  const PipelineTimes& times_;
  std::vector<double> forward_, backward_, clock_;
  std::vector<std::size_t> next_;
  PipelineTimeline out_;
};

}  // namespace

double PipelineTimeline::busy(std::size_t stage) const {
  double sum = 0;
  for (const TimedAction& a : stages[stage])
    if (!a.action.with_next) sum += a.end - a.start;
  return sum;
}

double PipelineTimeline::bubble_share() const {
  double sum = 0;
  for (std::size_t i = 0; i < stages.size(); ++i) sum += busy(i);
  return makespan > 0 ? 1.0 - sum / (makespan * static_cast<double>(stages.size())) : 0.0;
}

PipelineTimeline replay(const PipelineSchedule& schedule, const PipelineTimes& times) { return Replay(schedule, times).run(); }

std::vector<double> peak_micro_batches(const PipelineTimeline& timeline, const PipelineShape& shape, double weight_share) {
  const double unit = shape.layout == Layout::mirrored ? 1.0 : 1.0 / shape.chunks;
  std::vector<double> out;
  for (const std::vector<TimedAction>& stage : timeline.stages) {
    double held = 0, peak = 0;
    for (const TimedAction& a : stage) {
      const bool split = shape.splits_backward && !a.action.whole;
      if (a.action.kind == ActionKind::forward) held += unit;
      peak = std::max(peak, held);
      if (a.action.kind == ActionKind::backward) held -= unit * (split ? 1.0 - weight_share : 1.0);
      if (a.action.kind == ActionKind::weight) held -= unit * weight_share;
    }
    out.push_back(peak);
  }
  return out;
}

}  // namespace reckon
