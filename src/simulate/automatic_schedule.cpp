// List scheduling of pipelines whose backward pass is split, after Qi et al. 2023 (arXiv 2401.10241), section 3.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <queue>

#include "base/error.hpp"
#include "simulate/schedule.hpp"

namespace reckon {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

/// The thresholds that the search varies.
struct Policy {
  double gap_share = 1.0;      ///< a weight gradient starts in a gap of at least this share of its time
  bool extra_forward = false;  ///< before the first backward, a forward may start although it delays that backward
  bool eager = false;          ///< out of turn rather than idle
  double memory_limit = 1.0;
};

struct Choice {
  Action action;
  double ready = never;  ///< when its input is there; never = nothing to choose
  bool known = false;    ///< false: `ready` is a lower bound, its predecessor has not started
  double next = never;   ///< earliest known arrival after now among all candidates: when to look again
};

struct StageState {
  double clock = 0, memory = 0, began = never;    ///< began: start of the first action
  std::vector<std::int32_t> forwards, backwards;  ///< done, by chunk
  std::deque<Action> weights;                     ///< weight gradients that may run
  bool last_was_forward = false, any_backward = false;
  std::size_t left = 0;  ///< actions to come
  std::vector<Action> order;
};

/// One run of the list scheduler under one policy.
class ListScheduler {
 public:
  ListScheduler(const PipelineShape& shape, const PipelineTimes& times, const Policy& policy, double weight_share)
      : shape_(shape), times_(times), policy_(policy), weight_share_(weight_share), stages_(static_cast<std::size_t>(shape.stages)) {
    unit_ = shape.layout == Layout::mirrored ? 1.0 : 1.0 / shape.chunks;
    const std::size_t places = static_cast<std::size_t>(shape.places()) * static_cast<std::size_t>(shape.micro_batches);
    forward_done_.assign(places, never);
    backward_done_.assign(places, never);
    for (StageState& s : stages_) {
      s.forwards.assign(static_cast<std::size_t>(shape.chunks), 0);
      s.backwards = s.forwards;
      for (std::int32_t c = 0; c < shape.chunks; ++c) s.left += 3 * static_cast<std::size_t>(count(c));
    }
  }

  /// Runs to the end; false when memory leaves nothing that may start.
  bool run() {
    for (std::int32_t i = 0; i < shape_.stages; ++i) queue_.push({0.0, i});
    while (!queue_.empty()) {
      const auto [time, i] = queue_.top();
      queue_.pop();
      StageState& s = stages_[static_cast<std::size_t>(i)];
      if (s.left == 0 || time < s.clock) continue;
      s.clock = time;
      const double until = decide(i);
      if (until < never) queue_.push({until, i});
    }
    return std::all_of(stages_.begin(), stages_.end(), [](const StageState& s) { return s.left == 0; });
  }

  double makespan() const {
    double out = 0;
    for (const StageState& s : stages_) out = std::max(out, s.clock);
    return out;
  }
  /// The longest time from a stage's first action to its last.
  double period() const {
    double out = 0;
    for (const StageState& s : stages_) out = std::max(out, s.clock - s.began);
    return out;
  }
  std::vector<std::vector<Action>> take() {
    std::vector<std::vector<Action>> out;
    for (StageState& s : stages_) out.push_back(std::move(s.order));
    return out;
  }

 private:
  struct Turn {
    double time;
    std::int32_t stage;
    bool operator<(const Turn& b) const { return time > b.time || (time == b.time && stage > b.stage); }
  };

  std::int32_t count(std::int32_t chunk) const {
    if (shape_.layout != Layout::mirrored) return shape_.micro_batches;
    const std::int32_t first = (shape_.micro_batches + 1) / 2;
    return chunk == 0 ? first : shape_.micro_batches - first;
  }
  std::int32_t micro_batch(std::int32_t chunk, std::int32_t k) const {
    return shape_.layout == Layout::mirrored && chunk == 1 ? (shape_.micro_batches + 1) / 2 + k : k;
  }
  std::size_t cell(std::int32_t place, std::int32_t m) const {
    return static_cast<std::size_t>(place) * static_cast<std::size_t>(shape_.micro_batches) + static_cast<std::size_t>(m);
  }
  const PassTimes& pass(std::int32_t stage, std::int32_t chunk) const {
    return times_.pass[static_cast<std::size_t>(stage * shape_.chunks + chunk)];
  }

  /// When what `from` makes is at stage `to`, and whether it has been scheduled yet.
  void arrive(Choice& c, double done, std::int32_t from, std::int32_t to, double duration) const {
    const double way = from == to ? 0.0 : times_.transfer_blocks ? 0.0 : times_.transfer;
    c.known = done < never;
    c.ready =
        (c.known ? done : std::max(stages_[static_cast<std::size_t>(from)].clock, stages_[static_cast<std::size_t>(to)].clock) + duration) +
        way;
  }

  /// Keeps the better of two: what may start now, then what comes first, then what is certain.
  static void consider(const Choice& one, double now, Choice& best) {
    double next = best.next;
    if (one.known && one.ready > now) next = std::min(next, one.ready);
    const bool one_now = one.known && one.ready <= now, best_now = best.known && best.ready <= now;
    if (one_now ? !best_now : !best_now && (one.ready < best.ready || (one.ready == best.ready && one.known && !best.known))) best = one;
    best.next = next;
  }

  Choice next_forward(std::int32_t i) const {
    const StageState& s = stages_[static_cast<std::size_t>(i)];
    Choice best;
    for (std::int32_t c = shape_.chunks - 1; c >= 0; --c) {  // the deeper place first: it is nearer to a backward pass
      const std::int32_t k = s.forwards[static_cast<std::size_t>(c)];
      if (k == count(c)) continue;
      Choice one;
      const std::int32_t m = micro_batch(c, k), place = shape_.place_of(i, c);
      one.action = {.kind = ActionKind::forward, .chunk = static_cast<std::int16_t>(c), .micro_batch = m};
      if (place == 0) {
        one.ready = 0, one.known = true;
      } else {
        const std::int32_t from = shape_.stage_at(place - 1, c);
        arrive(one, forward_done_[cell(place - 1, m)], from, i, pass(from, shape_.chunk_at(place - 1, c)).forward);
      }
      // a micro-batch that comes back to this stage needs its second room: do not enter without it
      const double room = shape_.layout == Layout::folded && c == 0 ? 2 * unit_ : unit_;
      if (s.memory + room > policy_.memory_limit + 1e-9) continue;
      consider(one, s.clock, best);
    }
    return best;
  }

  Choice next_backward(std::int32_t i) const {
    const StageState& s = stages_[static_cast<std::size_t>(i)];
    Choice best;
    for (std::int32_t c = shape_.chunks - 1; c >= 0; --c) {
      const std::int32_t k = s.backwards[static_cast<std::size_t>(c)];
      if (k >= s.forwards[static_cast<std::size_t>(c)]) continue;
      Choice one;
      const std::int32_t m = micro_batch(c, k), place = shape_.place_of(i, c);
      one.action = {.kind = ActionKind::backward, .chunk = static_cast<std::int16_t>(c), .micro_batch = m};
      if (place == shape_.places() - 1) {
        one.ready = forward_done_[cell(place, m)], one.known = true;
      } else {
        const std::int32_t from = shape_.stage_at(place + 1, c);
        arrive(one, backward_done_[cell(place + 1, m)], from, i, pass(from, shape_.chunk_at(place + 1, c)).backward);
      }
      consider(one, s.clock, best);
    }
    return best;
  }

  /// Starts an action of stage i, or says until when it waits.  Returns the time of the stage's next turn; never = when others wake it.
  double decide(std::int32_t i) {
    StageState& s = stages_[static_cast<std::size_t>(i)];
    const Choice f = next_forward(i), b = next_backward(i);
    const bool f_now = f.known && f.ready <= s.clock, b_now = b.known && b.ready <= s.clock, w_now = !s.weights.empty();
    bool forwards_left = false;
    for (std::int32_t c = 0; c < shape_.chunks; ++c) forwards_left = forwards_left || s.forwards[static_cast<std::size_t>(c)] < count(c);

    const auto forward_end = [&] { return s.clock + pass(i, f.action.chunk).forward; };
    const auto gap_takes_weight = [&](double awaited) {
      return w_now && awaited - s.clock >= policy_.gap_share * pass(i, s.weights.front().chunk).weight - 1e-12;
    };
    if (!s.any_backward) {  // filling
      if (b_now) return start(i, b.action);
      if (f_now && (policy_.extra_forward || !b.known || forward_end() <= b.ready + 1e-12)) return start(i, f.action);
    } else if (!s.last_was_forward && forwards_left) {  // the turn of a forward
      if (f_now) return start(i, f.action);
      if (f.ready == never && w_now) return start(i, s.weights.front());  // memory binds: free some
      if (b_now && (!f.known || policy_.eager)) return start(i, b.action);
      if (gap_takes_weight(std::min(f.ready, b_now ? never : b.ready))) return start(i, s.weights.front());
    } else {  // the turn of a backward
      if (b_now) return start(i, b.action);
      if (f_now && (policy_.eager || (!b.known && forward_end() <= b.ready + 1e-12))) return start(i, f.action);
      if (gap_takes_weight(b.ready)) return start(i, s.weights.front());
      if (f_now && !b.known && !w_now) return start(i, f.action);
    }
    return std::min(f.next, b.next);
  }

  double start(std::int32_t i, Action a) {
    StageState& s = stages_[static_cast<std::size_t>(i)];
    const PassTimes& t = pass(i, a.chunk);
    const std::int32_t place = shape_.place_of(i, a.chunk);
    const double exchange = times_.transfer_blocks ? times_.transfer : 0.0;
    std::int32_t wake = -1;
    s.began = std::min(s.began, s.clock);
    switch (a.kind) {
      case ActionKind::forward:
        s.clock += t.forward + exchange;
        forward_done_[cell(place, a.micro_batch)] = s.clock;
        ++s.forwards[static_cast<std::size_t>(a.chunk)];
        s.memory += unit_;
        s.last_was_forward = true;
        if (place + 1 < shape_.places()) wake = shape_.stage_at(place + 1, a.chunk);
        break;
      case ActionKind::backward:
        s.clock += t.backward + exchange;
        backward_done_[cell(place, a.micro_batch)] = s.clock;
        ++s.backwards[static_cast<std::size_t>(a.chunk)];
        s.memory -= unit_ * (1.0 - weight_share_);
        s.last_was_forward = false;
        s.any_backward = true;
        s.weights.push_back({.kind = ActionKind::weight, .chunk = a.chunk, .micro_batch = a.micro_batch});
        if (place > 0) wake = shape_.stage_at(place - 1, a.chunk);
        break;
      case ActionKind::weight:
        s.clock += t.weight;
        s.memory -= unit_ * weight_share_;
        s.weights.pop_front();
        break;
    }
    s.order.push_back(a);
    --s.left;
    if (wake >= 0 && wake != i)
      queue_.push({std::max(stages_[static_cast<std::size_t>(wake)].clock, s.clock - duration(t, a) - exchange), wake});
    return s.clock;
  }
  static double duration(const PassTimes& t, const Action& a) {
    return a.kind == ActionKind::forward ? t.forward : a.kind == ActionKind::backward ? t.backward : t.weight;
  }

  const PipelineShape& shape_;
  const PipelineTimes& times_;
  Policy policy_;
  double weight_share_, unit_ = 1;
  std::vector<StageState> stages_;
  std::vector<double> forward_done_, backward_done_;
  std::priority_queue<Turn> queue_;
};

}  // namespace

PipelineSchedule automatic_schedule(const PipelineShape& shape, const PipelineTimes& times, double memory_limit, double weight_share) {
  PipelineSchedule best{shape, {}};
  double shortest = never;
  for (double limit = std::max(memory_limit, 1.0); best.order.empty(); limit += 1.0) {
    for (const double gap : {1.0, 0.5, 0.0})
      for (const bool extra : {false, true})
        for (const bool eager : {false, true}) {
          ListScheduler one(shape, times, {gap, extra, eager, limit}, weight_share);
          if (!one.run()) continue;
          const double length = without_barrier(shape.schedule) ? one.period() : one.makespan();
          if (length >= shortest) continue;
          shortest = length;
          best.order = one.take();
        }
    if (limit > memory_limit + 2.0 * shape.micro_batches + 2.0) throw InternalError("no pipeline schedule was found");
  }
  return best;
}

}  // namespace reckon
