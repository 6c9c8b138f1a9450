// Schedules whose order follows from counting alone.
// SPDX-License-Identifier: Apache-2.0
#include "simulate/schedule.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace reckon {

std::int32_t PipelineShape::place_of(std::int32_t stage, std::int32_t chunk) const {
  switch (layout) {
    case Layout::looped:
      return chunk * stages + stage;
    case Layout::folded:
      return chunk == 0 ? stage : 2 * stages - 1 - stage;
    case Layout::mirrored:
      return chunk == 0 ? stage : stages - 1 - stage;
  }
  return 0;
}

std::int32_t PipelineShape::stage_at(std::int32_t place, std::int32_t chunk_hint) const {
  switch (layout) {
    case Layout::looped:
      return place % stages;
    case Layout::folded:
      return place < stages ? place : 2 * stages - 1 - place;
    case Layout::mirrored:
      return chunk_hint == 0 ? place : stages - 1 - place;
  }
  return 0;
}

std::int32_t PipelineShape::chunk_at(std::int32_t place, std::int32_t chunk_hint) const {
  switch (layout) {
    case Layout::looped:
      return place / stages;
    case Layout::folded:
      return place < stages ? 0 : 1;
    case Layout::mirrored:
      return chunk_hint;
  }
  return 0;
}

PipelineShape pipeline_shape(Schedule schedule, std::int64_t stages, std::int64_t virtual_stages, std::int64_t micro_batches) {
  if (stages < 1 || virtual_stages < 1 || micro_batches < 1 || stages > 1 << 16 || virtual_stages > 1 << 14 || micro_batches > 1 << 30)
    throw UsageError("a pipeline needs 1 to 65536 stages, 1 to 16384 virtual stages and 1 to 2^30 micro-batches");
  PipelineShape shape;
  shape.stages = static_cast<std::int32_t>(stages);
  shape.micro_batches = static_cast<std::int32_t>(micro_batches);
  shape.schedule = stages == 1 ? Schedule::none : schedule;
  if (shape.schedule == Schedule::none && stages > 1) shape.schedule = Schedule::gpipe;
  switch (shape.schedule) {
    case Schedule::interleaved:
      shape.chunks = static_cast<std::int32_t>(virtual_stages);
      break;
    case Schedule::zb_v:
      shape.chunks = 2, shape.layout = Layout::folded;
      break;
    case Schedule::dualpipe:
      shape.chunks = 2, shape.layout = Layout::mirrored;
      break;
    default:
      break;
  }
  shape.splits_backward = shape.schedule == Schedule::zb_h1 || shape.schedule == Schedule::zb_h2 || shape.schedule == Schedule::zb_v ||
                          shape.schedule == Schedule::dualpipe;
  return shape;
}

namespace {

using Order = std::vector<Action>;

Action act(ActionKind kind, std::int32_t micro_batch, std::int32_t chunk = 0) {
  return {.kind = kind, .chunk = static_cast<std::int16_t>(chunk), .micro_batch = micro_batch};
}

Order plain_order(std::int32_t micro_batches, std::int32_t ahead) {
  Order out;
  out.reserve(2 * static_cast<std::size_t>(micro_batches));
  for (std::int32_t k = 0; k < micro_batches + ahead; ++k) {
    if (k < micro_batches) out.push_back(act(ActionKind::forward, k));
    if (k >= ahead) out.push_back(act(ActionKind::backward, k - ahead));
  }
  return out;
}

/// The order in which (micro-batch, chunk) pairs pass a stage: groups of `group` micro-batches, chunk by chunk; the remainder joins the
/// last group, so that no group is smaller than the pipeline.
std::vector<std::pair<std::int32_t, std::int32_t>> interleaved_pairs(std::int32_t micro_batches, std::int32_t chunks, std::int32_t group) {
  std::vector<std::pair<std::int32_t, std::int32_t>> out;
  for (std::int32_t first = 0; first < micro_batches;) {
    const std::int32_t left = micro_batches - first, size = left < 2 * group ? left : group;
    for (std::int32_t c = 0; c < chunks; ++c)
      for (std::int32_t k = 0; k < size; ++k) out.emplace_back(first + k, c);
    first += size;
  }
  return out;
}

Order interleaved_order(const PipelineShape& s, std::int32_t stage) {
  const auto pairs = interleaved_pairs(s.micro_batches, s.chunks, s.stages);
  const auto total = static_cast<std::int32_t>(pairs.size());
  const std::int32_t rest = s.micro_batches % s.stages;
  const std::int32_t largest_group = s.micro_batches < s.stages ? s.micro_batches : s.stages + rest;
  const std::int32_t ahead = std::min(total, 2 * (s.stages - 1 - stage) + (s.chunks - 1) * largest_group);
  Order out;
  for (std::int32_t k = 0; k < total + ahead; ++k) {
    if (k < total) {
      const auto [m, c] = pairs[static_cast<std::size_t>(k)];
      out.push_back(act(ActionKind::forward, m, c));
    }
    if (k >= ahead) {
      const auto [m, c] = pairs[static_cast<std::size_t>(k - ahead)];
      out.push_back(act(ActionKind::backward, m, s.chunks - 1 - c));
    }
  }
  return out;
}

/// One stage of DualPipe.  Directions are seen from this stage's half: `near` is the pipeline that enters at the nearer end.
class DualPipeStage {
 public:
  DualPipeStage(const PipelineShape& s, std::int32_t stage) : shape_(s) {
    const std::int32_t half = s.stages / 2;
    const bool second = stage >= half;
    near_chunk_ = second ? 1 : 0;
    place_ = second ? s.stages - 1 - stage : stage;  // distance from the nearer end
    half_ = half;
  }

  Order build() {
    const std::int32_t outer = half_ - place_ - 1;  // stages between this one and the middle
    const std::int32_t main = shape_.micro_batches / 2 - shape_.stages + place_ + 1;
    for (std::int32_t k = 0; k < 2 * outer; ++k) forward(0);
    for (std::int32_t k = 0; k < place_ + 1; ++k) forward(0), forward(1);
    for (std::int32_t k = 0; k < outer; ++k) backward(1, true), weight(), forward(1);
    for (std::int32_t k = 0; k < main; ++k) {
      if (k == 0 && outer == 0)
        forward(0), backward(1, false);  // the two middle stages feed each other: nothing to overlap yet
      else
        together(0, 1);
      together(1, 0);
    }
    for (std::int32_t k = 0; k < outer; ++k) backward(1, false), together(1, 0);
    bool split = false;
    for (std::int32_t k = 0; k < place_ + 1; ++k) {  // the second half of these splits its backward passes
      if (k == (place_ + 1) / 2 && place_ % 2 == 1) split = true;
      backward(1, split);
      if (k == (place_ + 1) / 2 && place_ % 2 == 0) split = true;
      backward(0, split);
    }
    for (std::int32_t k = 0; k < outer; ++k) weight(), backward(0, true);
    while (!waiting_.empty()) weight();
    return std::move(out_);
  }

 private:
  std::int32_t chunk(std::int32_t direction) const { return direction == 0 ? near_chunk_ : 1 - near_chunk_; }
  std::int32_t micro_batch(std::int32_t direction, std::int32_t count) const {
    return chunk(direction) == 0 ? count : (shape_.micro_batches + 1) / 2 + count;
  }
  void forward(std::int32_t d) { out_.push_back(act(ActionKind::forward, micro_batch(d, forwards_[d]++), chunk(d))); }
  void backward(std::int32_t d, bool split) {
    Action a = act(ActionKind::backward, micro_batch(d, backwards_[d]++), chunk(d));
    a.whole = !split;
    if (split) waiting_.push_back(a);
    out_.push_back(a);
  }
  void together(std::int32_t forward_direction, std::int32_t backward_direction) {
    forward(forward_direction);
    out_.back().with_next = true;
    backward(backward_direction, false);
  }
  void weight() {
    if (waiting_.empty()) return;
    Action a = waiting_.front();
    waiting_.erase(waiting_.begin());
    a.kind = ActionKind::weight;
    out_.push_back(a);
  }

  PipelineShape shape_;
  std::int32_t near_chunk_ = 0, place_ = 0, half_ = 1;
  std::int32_t forwards_[2] = {0, 0}, backwards_[2] = {0, 0};
  Order waiting_, out_;
};

/// One stage of ZB-V with equal passes: 2 (p - i) - 1 forwards of the way down, i pairs of both ways, p - i triples of the way up; then
/// three passes of one way, three of the other; the last weight gradients fill the end.
Order zb_v_order(const PipelineShape& s, std::int32_t stage) {
  Order out, waiting;
  std::int32_t forwards[2] = {0, 0}, backwards[2] = {0, 0};
  const auto forward = [&](std::int32_t c) {
    if (forwards[c] < s.micro_batches) out.push_back(act(ActionKind::forward, forwards[c]++, c));
  };
  const auto backward = [&](std::int32_t c) {
    if (backwards[c] >= s.micro_batches) return;
    out.push_back(act(ActionKind::backward, backwards[c]++, c));
    waiting.push_back(act(ActionKind::weight, out.back().micro_batch, c));
  };
  const auto weight = [&] {
    if (waiting.empty()) return;
    out.push_back(waiting.front());
    waiting.erase(waiting.begin());
  };
  for (std::int32_t k = 0; k < 2 * (s.stages - stage) - 1; ++k) forward(0);
  for (std::int32_t k = 0; k < stage; ++k) forward(1), forward(0);
  for (std::int32_t k = 0; k < s.stages - stage; ++k) forward(1), backward(1), weight();
  while (forwards[1] < s.micro_batches) {
    forward(0), backward(0), weight();
    forward(1), backward(1), weight();
  }
  for (std::int32_t k = 0; k < stage; ++k) backward(0), backward(1);
  for (std::int32_t k = 0; k < s.stages - stage; ++k) backward(0), weight();
  while (!waiting.empty()) weight();
  return out;
}

bool dualpipe_fits(const PipelineShape& s) { return s.stages % 2 == 0 && s.micro_batches % 2 == 0 && s.micro_batches >= 2 * s.stages; }

}  // namespace

bool without_barrier(Schedule schedule) { return schedule == Schedule::zb_h2 || schedule == Schedule::zb_v; }

PipelineSchedule schedule_actions(const PipelineShape& s, const PipelineTimes& times) {
  const double p = s.stages;
  switch (s.schedule) {
    case Schedule::zb_h1:
      return automatic_schedule(s, times, p);
    case Schedule::zb_v:
      if (s.micro_batches < 2 * s.stages) return automatic_schedule(s, times, p);
      break;
    case Schedule::zb_h2:
      return automatic_schedule(s, times, 2.0 * p);
    case Schedule::dualpipe:
      if (!dualpipe_fits(s)) return automatic_schedule(s, times, p + 1.0);
      break;
    default:
      break;
  }
  PipelineSchedule out{s, {}};
  for (std::int32_t i = 0; i < s.stages; ++i) {
    switch (s.schedule) {
      case Schedule::interleaved:
        out.order.push_back(interleaved_order(s, i));
        break;
      case Schedule::zb_v:
        out.order.push_back(zb_v_order(s, i));
        break;
      case Schedule::dualpipe:
        out.order.push_back(DualPipeStage(s, i).build());
        break;
      case Schedule::gpipe:
        out.order.push_back(plain_order(s.micro_batches, s.micro_batches));
        break;
      default:
        out.order.push_back(plain_order(s.micro_batches, std::min(s.micro_batches, s.stages - 1 - i)));
        break;
    }
  }
  return out;
}

}  // namespace reckon
