// SPDX-License-Identifier: Apache-2.0
#include "simulate/shared_step.hpp"

#include <algorithm>
#include <limits>

#include "base/error.hpp"

namespace reckon {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

/// Bytes over one edge of a ring, or between two members where all send to all, of a message of `size` among `n`.
double edge_bytes(Collective collective, double size, double n, bool all_pairs) {
  const double halves = collective == Collective::all_reduce ? 2.0 : 1.0;
  if (all_pairs) return halves * size / n;
  switch (collective) {
    case Collective::point_to_point:
    case Collective::broadcast:
      return size;
    default:
      return halves * (n - 1.0) / n * size;
  }
}

/// Share of the nominal bandwidth that large messages reach.
double efficiency(const LinkCalibration& links, Collective collective, bool leaves_domain) {
  double e = 0;
  if (leaves_domain)
    e = collective == Collective::all_to_all       ? links.fabric.all_to_all_efficiency
        : collective == Collective::point_to_point ? links.fabric.point_to_point_efficiency
                                                   : links.fabric.ring_efficiency;
  else
    e = collective == Collective::all_to_all       ? links.domain.all_to_all.efficiency
        : collective == Collective::point_to_point ? links.domain.point_to_point.efficiency
                                                   : links.domain.bulk.efficiency;
  return e > 0 ? std::min(e, 1.0) : 1.0;
}

/// What an event or a flow belongs to.  `index`: the stage, or the cell that a transfer fills.
enum class Kind : std::uint32_t { computed, messaged, arrived_forward, arrived_backward, reduce, reduced, gathered };
struct Task {
  Kind kind = Kind::computed;
  std::uint32_t index = 0;
  Stream stream = Stream::compute;
  double start = 0, alone = 0;
};

class SharedRun {
 public:
  SharedRun(const StepPlan& plan, const StepSimulation& calm, const LinkUse& links, const LinkCalibration& calibration, Sharing sharing)
      : plan_(plan),
        shape_(plan.shape),
        calm_(calm),
        links_(links),
        calibration_(calibration),
        sharing_(sharing),
        network_(links.network()) {
    const std::size_t cells = static_cast<std::size_t>(shape_.places()) * static_cast<std::size_t>(shape_.micro_batches);
    forward_.assign(cells, false);
    backward_.assign(cells, false);
    stages_.resize(plan.finish.size());
    out_.reduce_end.assign(stages_.size(), 0.0);
    late_.assign(stages_.size(), 0.0);
  }

  SharedStep run() {
    for (std::size_t i = 0; i < stages_.size(); ++i) begin_stage(i);
    for (std::size_t i = 0; i < stages_.size(); ++i) advance(i, 0.0);
    for (;;) {
      const double flows = network_.next_end(), events = queue_.first_time();
      if (flows == never && events == never) break;
      if (events <= flows) {
        const Event e = queue_.pop();
        const Task task = tasks_[e.payload];
        free_.push_back(e.payload);
        handle(task, e.time);
      } else {
        const std::uint32_t flow = network_.finish_next();
        const Task task = owner_[flow];  // owner_ may grow
        handle(task, flows);
      }
    }
    for (std::size_t i = 0; i < stages_.size(); ++i)
      if (stages_[i].next != order(i).size()) throw InternalError("a pipeline schedule waits for itself");
    sum_up();
    return std::move(out_);
  }

 private:
  struct StageState {
    std::size_t next = 0, piece = 0;  // action of the schedule, piece of its pass
    bool busy = false;
    double began = never, end = 0, beside_end = 0;
    std::size_t reduce_action = 0;  // which action begins before the reduction, and how long before
    double reduce_after = 0;
  };

  const std::vector<Action>& order(std::size_t stage) const { return calm_.schedule.order[stage]; }
  std::size_t cell(std::int32_t place, std::int32_t m) const {
    return static_cast<std::size_t>(place) * static_cast<std::size_t>(shape_.micro_batches) + static_cast<std::size_t>(m);
  }
  bool shares(Stream stream) const {
    if (stream == Stream::compute || stream == Stream::host) return false;
    return sharing_ == Sharing::all || (sharing_ != Sharing::none && (stream == Stream::data) == (sharing_ == Sharing::data_parallel));
  }

  void wait(double until, const Task& task) {
    std::uint32_t id;
    if (free_.empty()) {
      id = static_cast<std::uint32_t>(tasks_.size());
      tasks_.emplace_back();
    } else {
      id = free_.back();
      free_.pop_back();
    }
    tasks_[id] = task;
    queue_.push(until, id);
  }

  /// Sends a message that takes `length` alone; `task` is handled at its end.
  void send(double now, Task task, const GroupFlow* flow, Collective collective, double bytes, double length) {
    task.start = now, task.alone = length;
    const double n = static_cast<double>(plan_.ranks[static_cast<int>(task.stream)]);
    double wire = 0;
    if (flow != nullptr && bytes > 0 && length > 0) {
      wire = edge_bytes(collective, bytes, n, flow->all_pairs) / efficiency(calibration_, collective, flow->leaves_domain);
      wire = std::min(wire, length * flow->open_rate);
    }
    if (wire <= 0 || !shares(task.stream)) return wait(now + length, task);
    const std::uint32_t id = network_.start(now, wire, flow->route, wire / length);
    if (owner_.size() <= id) owner_.resize(id + 1);
    owner_[id] = task;
  }

  /// Where the reduction of a stage begins, and the hidden part of its gather, which begins with the step.
  void begin_stage(std::size_t i) {
    const StageFinish& f = plan_.finish[i];
    const std::vector<TimedAction>& actions = calm_.timeline.stages[i];
    StageState& s = stages_[i];
    s.reduce_action = actions.size();
    if (f.reduce > 0 && !actions.empty()) {
      const double start = std::max(0.0, actions.back().end - (f.reduce - f.exposed_reduce));
      s.reduce_action = 0;
      while (s.reduce_action + 1 < actions.size() && actions[s.reduce_action + 1].start <= start) ++s.reduce_action;
      if (s.reduce_action > 0 && actions[s.reduce_action - 1].action.with_next) --s.reduce_action;  // they begin together
      s.reduce_after = std::max(0.0, start - actions[s.reduce_action].start);
    }
    const double hidden = f.gather - f.exposed_gather;
    if (hidden > 0)
      send(0.0, {Kind::gathered, static_cast<std::uint32_t>(i), Stream::data}, links_.group(Stream::data, static_cast<std::int64_t>(i)),
           Collective::all_gather, f.gather_bytes * hidden / f.gather, hidden);
  }

  bool input_there(std::int32_t stage, const Action& a) const {
    if (a.kind == ActionKind::weight) return true;
    const std::int32_t place = shape_.place_of(stage, a.chunk);
    if (a.kind == ActionKind::forward) return place == 0 || forward_[cell(place, a.micro_batch)];
    return backward_[cell(place, a.micro_batch)];
  }

  /// Begins the next action of an idle stage when its inputs are there.
  void advance(std::size_t i, double now) {
    StageState& s = stages_[i];
    if (s.busy || s.next == order(i).size()) return;
    const Action& a = order(i)[s.next];
    const auto stage = static_cast<std::int32_t>(i);
    if (!input_there(stage, a) || (a.with_next && !input_there(stage, order(i)[s.next + 1]))) return;
    s.busy = true;
    s.began = std::min(s.began, now);
    begin_action(i, now);
  }

  void begin_action(std::size_t i, double now) {
    StageState& s = stages_[i];
    if (s.next == s.reduce_action) wait(now + s.reduce_after, {Kind::reduce, static_cast<std::uint32_t>(i)});
    s.piece = 0;
    begin_piece(i, now);
  }

  void begin_piece(std::size_t i, double now) {
    const Action& a = order(i)[stages_[i].next];
    const std::vector<Piece>& all = plan_.pieces(i, a);
    const bool blocks = plan_.times.transfer_blocks && a.kind != ActionKind::weight;
    if (stages_[i].piece < all.size()) return wait(now + all[stages_[i].piece].before, {Kind::computed, static_cast<std::uint32_t>(i)});
    if (stages_[i].piece == all.size() && blocks) {
      stages_[i].beside_end = now;
      return send(now, {Kind::messaged, static_cast<std::uint32_t>(i), Stream::pipeline}, way_out(i, a), Collective::point_to_point,
                  plan_.boundary_bytes, plan_.times.transfer);
    }
    end_action(i, now);
  }

  /// The transfer after an action; null where nothing leaves the stage.
  const GroupFlow* way_out(std::size_t i, const Action& a) const {
    const std::int32_t place = shape_.place_of(static_cast<std::int32_t>(i), a.chunk);
    const std::int32_t after = a.kind == ActionKind::forward ? place + 1 : place - 1;
    if (after < 0 || after >= shape_.places()) return nullptr;
    return links_.transfer(static_cast<std::int64_t>(i), shape_.stage_at(after, a.chunk));
  }

  void end_action(std::size_t i, double now) {
    StageState& s = stages_[i];
    const Action& a = order(i)[s.next];
    ++s.next;
    s.end = now;
    if (a.with_next) return begin_action(i, now);
    s.busy = false;
    if (s.next > 1 && order(i)[s.next - 2].with_next) deliver(i, order(i)[s.next - 2], now);
    deliver(i, a, now);
    advance(i, now);
  }

  /// Passes on what an action made.
  void deliver(std::size_t i, const Action& a, double now) {
    if (a.kind == ActionKind::weight) return;
    const bool forward = a.kind == ActionKind::forward;
    const std::int32_t place = shape_.place_of(static_cast<std::int32_t>(i), a.chunk), after = forward ? place + 1 : place - 1;
    if (forward && after == shape_.places()) backward_[cell(place, a.micro_batch)] = true;  // the loss
    if (after < 0 || after >= shape_.places()) return;
    const auto to = static_cast<std::uint32_t>(cell(after, a.micro_batch));
    const Task arrival{forward ? Kind::arrived_forward : Kind::arrived_backward, to, Stream::pipeline};
    const auto other = static_cast<std::size_t>(shape_.stage_at(after, a.chunk));
    if (other == i || plan_.times.transfer_blocks) {
      handle(arrival, now, false);
      return;
    }
    send(now, arrival, links_.transfer(static_cast<std::int64_t>(i), static_cast<std::int64_t>(other)), Collective::point_to_point,
         plan_.boundary_bytes, plan_.times.transfer);
  }

  void handle(const Task& task, double now, bool counts = true) {
    const std::size_t i = task.index;
    if (counts && task.alone > 0) {
      StreamUse& use = out_.use[static_cast<int>(task.stream)];
      use.alone += task.alone, use.together += now - task.start;
    }
    switch (task.kind) {
      case Kind::computed:
        return begin_message(i, now);
      case Kind::messaged:
        if (now < stages_[i].beside_end) return wait(stages_[i].beside_end, {Kind::messaged, task.index});
        ++stages_[i].piece;
        return begin_piece(i, now);
      case Kind::arrived_forward:
      case Kind::arrived_backward: {
        (task.kind == Kind::arrived_forward ? forward_ : backward_)[i] = true;
        const auto m = static_cast<std::int32_t>(i % static_cast<std::size_t>(shape_.micro_batches));
        const auto place = static_cast<std::int32_t>(i / static_cast<std::size_t>(shape_.micro_batches));
        return advance(static_cast<std::size_t>(shape_.stage_at(place, shape_.direction_of(m))), now);
      }
      case Kind::reduce: {
        const StageFinish& f = plan_.finish[i];
        return send(now, {Kind::reduced, task.index, Stream::data}, links_.group(Stream::data, static_cast<std::int64_t>(i)),
                    f.gather > 0 ? Collective::reduce_scatter : Collective::all_reduce, f.reduce_bytes, f.reduce);
      }
      case Kind::reduced:
        out_.reduce_end[i] = now;
        return;
      case Kind::gathered:
        late_[i] = now - task.alone;
        return;
    }
  }

  void begin_message(std::size_t i, double now) {
    StageState& s = stages_[i];
    const Piece& p = plan_.pieces(i, order(i)[s.next])[s.piece];
    s.beside_end = now + p.beside;
    send(now, {Kind::messaged, static_cast<std::uint32_t>(i), p.stream}, links_.group(p.stream, static_cast<std::int64_t>(i)), p.collective,
         p.bytes, p.message);
  }

  void sum_up() {
    double passes = 0, period = 0, reduced = 0, optimizer = 0;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const StageFinish& f = plan_.finish[i];
      const StageState& s = stages_[i];
      passes = std::max(passes, s.end);
      if (s.began < never) period = std::max(period, s.end - s.began);
      out_.reduce_end[i] = std::max(out_.reduce_end[i], s.end + f.exposed_reduce);  // what no overlap hides stays visible
      reduced = std::max(reduced, out_.reduce_end[i]);
      out_.gather = std::max(out_.gather, f.exposed_gather + late_[i]);
      optimizer = std::max(optimizer, f.optimizer);
    }
    out_.pipeline = without_barrier(shape_.schedule) ? period : passes;
    out_.seconds = out_.pipeline + std::max(0.0, reduced - passes) + out_.gather + optimizer + plan_.tied;
    for (std::uint32_t link = 0; link < network_.num_links(); ++link)
      if (const double bytes = network_.carried(link); bytes > 0)
        out_.loads.push_back({link, bytes, bytes / (network_.capacity(link) * out_.seconds)});
    std::stable_sort(out_.loads.begin(), out_.loads.end(), [](const ClassLoad& a, const ClassLoad& b) { return a.share > b.share; });
  }

  const StepPlan& plan_;
  const PipelineShape& shape_;
  const StepSimulation& calm_;
  const LinkUse& links_;
  const LinkCalibration& calibration_;
  Sharing sharing_;
  FlowNetwork network_;
  EventQueue queue_;
  std::vector<Task> tasks_, owner_;  // of events by payload, of flows by id
  std::vector<std::uint32_t> free_;
  std::vector<bool> forward_, backward_;  // inputs that are there, by place and micro-batch
  std::vector<StageState> stages_;
  std::vector<double> late_;
  SharedStep out_;
};

}  // namespace

SharedStep simulate_shared(const StepPlan& plan, const StepSimulation& calm, const LinkUse& links, const LinkCalibration& calibration,
                           Sharing sharing) {
  return SharedRun(plan, calm, links, calibration, sharing).run();
}

}  // namespace reckon
