// SPDX-License-Identifier: Apache-2.0
#include "simulate/unfolded.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/random.hpp"
#include "simulate/device_order.hpp"

namespace reckon {
namespace {

constexpr double not_yet = -1.0;

/// Sizes of the groups of a strategy, and how many data-parallel ranks must be simulated side by side so that no group is cut.
struct Grid {
  std::int64_t tensor, context, data, expert, span;  // expert: members of an expert group; span: data ranks of a column
  explicit Grid(const Strategy& s) : tensor(s.tensor_parallel), context(s.context_parallel), data(s.data_parallel), expert(1) {
    const std::int64_t inner = tensor * context;
    if (s.expert_parallel > 1) expert = std::min(s.expert_parallel * s.expert_tensor(), inner * data);
    span = s.sharding == Sharding::zero3 ? 0 : std::max<std::int64_t>(1, (expert + inner - 1) / inner);
    while (span > 0 && span < data && data % span != 0) ++span;
    span = std::min(span, data);
  }
};

/// Factors on compute and messages of all devices.
struct Factors {
  std::vector<double> compute, link;
  /// In the order stage after stage, wherever the strategy puts the devices.
  Factors(const Strategy& strategy, const Disturbance& d) : compute(static_cast<std::size_t>(strategy.num_devices()), 1.0), link(compute) {
    const std::int64_t devices = strategy.num_devices();
    const DeviceOrder order(strategy);
    const auto apply = [&](std::vector<double>& to, const std::vector<Disturbance::Slow>& all) {
      for (const Disturbance::Slow& s : all) {
        if (s.first < 0 || s.count < 1 || s.first + s.count > devices || !(s.slower > -1.0))
          throw UsageError("a slow device or link is not among the devices of the strategy, or its share is not above -1");
        for (std::int64_t k = 0; k < s.count; ++k) to[static_cast<std::size_t>(order.by_stage(s.first + k))] *= 1.0 + s.slower;
      }
    };
    apply(compute, d.devices);
    apply(link, d.links);
  }
};

/// Data-parallel ranks [first, first + count) of all stages: `width` devices a stage.
class Column {
 public:
  Column(const StepPlan& plan, const PipelineSchedule& schedule, const Grid& grid, const Factors& factors, const Disturbance& disturbance,
         std::int64_t first, std::int64_t count, const Share& share)
      : plan_(plan),
        schedule_(schedule),
        shape_(schedule.shape),
        grid_(grid),
        factors_(factors),
        disturbance_(disturbance),
        share_(share),
        first_(first),
        width_(static_cast<std::size_t>(grid.tensor * grid.context * count)) {
    const std::size_t cells = static_cast<std::size_t>(shape_.places()) * static_cast<std::size_t>(shape_.micro_batches);
    forward_.assign(cells * width_, not_yet);
    backward_.assign(cells * width_, not_yet);
    clock_.assign(static_cast<std::size_t>(shape_.stages) * width_, 0.0);
    begin_.assign(static_cast<std::size_t>(shape_.stages), std::numeric_limits<double>::infinity());
    next_.assign(static_cast<std::size_t>(shape_.stages), 0);
    factor_.resize(width_);
  }

  void run() {
    std::vector<std::int32_t> ready;
    for (std::int32_t i = shape_.stages; i-- > 0;) ready.push_back(i);
    while (!ready.empty()) {
      const std::int32_t i = ready.back();
      ready.pop_back();
      advance(i, ready);
    }
    for (std::size_t i = 0; i < next_.size(); ++i)
      if (next_[i] != schedule_.order[i].size()) throw InternalError("a pipeline schedule waits for itself");
  }

  std::int64_t tasks() const { return tasks_; }
  double begin(std::size_t stage) const { return begin_[stage]; }
  double clock(std::size_t stage, std::size_t k) const { return clock_[stage * width_ + k]; }
  std::size_t width() const { return width_; }
  std::int64_t device(std::size_t stage, std::size_t k) const {
    return static_cast<std::int64_t>(k) + grid_.tensor * grid_.context * (first_ + grid_.data * static_cast<std::int64_t>(stage));
  }

 private:
  std::size_t cell(std::int32_t place, std::int32_t m) const {
    return (static_cast<std::size_t>(place) * static_cast<std::size_t>(shape_.micro_batches) + static_cast<std::size_t>(m)) * width_;
  }

  /// The cells that an action waits for; null when it needs none, and `there` says whether they are made.
  const double* input(std::int32_t stage, const Action& a, bool& there, bool& moved) const {
    there = true, moved = false;
    if (a.kind == ActionKind::weight) return nullptr;
    const std::int32_t place = shape_.place_of(stage, a.chunk);
    const bool forward = a.kind == ActionKind::forward;
    if (forward && place == 0) return nullptr;
    const double* from;
    if (!forward && place == shape_.places() - 1) {
      from = &forward_[cell(place, a.micro_batch)];
    } else {
      const std::int32_t before = forward ? place - 1 : place + 1;
      from = &(forward ? forward_ : backward_)[cell(before, a.micro_batch)];
      moved = shape_.stage_at(before, a.chunk) != stage;
    }
    there = from[0] != not_yet;
    return from;
  }

  void wait(std::size_t stage, const double* from, bool moved) {
    if (from == nullptr) return;
    double* clock = &clock_[stage * width_];
    const double way = moved && !plan_.times.transfer_blocks ? plan_.times.transfer : 0.0;
    for (std::size_t k = 0; k < width_; ++k) {
      const double slow = way > 0 ? factors_.link[static_cast<std::size_t>(device(stage, k))] : 1.0;
      clock[k] = std::max(clock[k], from[k] + way * slow);
    }
  }

  void advance(std::int32_t stage, std::vector<std::int32_t>& ready) {
    const auto i = static_cast<std::size_t>(stage);
    const std::vector<Action>& order = schedule_.order[i];
    while (next_[i] < order.size()) {
      const Action& a = order[next_[i]];
      bool there, moved, other_there = true, other_moved = false;
      const double* from = input(stage, a, there, moved);
      const double* other = a.with_next ? input(stage, order[next_[i] + 1], other_there, other_moved) : nullptr;
      if (!there || !other_there) return;
      wait(i, from, moved);
      wait(i, other, other_moved);
      if (next_[i] == 0) begin_[i] = *std::min_element(&clock_[i * width_], &clock_[i * width_] + width_);
      execute(i, a, next_[i]);
      if (a.with_next) {
        execute(i, order[next_[i] + 1], next_[i] + 1);
        finish(stage, a, ready);
        ++next_[i];
      }
      finish(stage, order[next_[i]], ready);
      ++next_[i];
    }
  }

  void finish(std::int32_t stage, const Action& a, std::vector<std::int32_t>& ready) {
    if (a.kind == ActionKind::weight) return;
    const std::int32_t place = shape_.place_of(stage, a.chunk);
    const bool forward = a.kind == ActionKind::forward;
    const double* clock = &clock_[static_cast<std::size_t>(stage) * width_];
    std::copy(clock, clock + width_, &(forward ? forward_ : backward_)[cell(place, a.micro_batch)]);
    const std::int32_t after = forward ? place + 1 : place - 1;
    if (after < 0 || after >= shape_.places()) return;
    const std::int32_t next = shape_.stage_at(after, a.chunk);
    if (next != stage) ready.push_back(next);
  }

  /// All pieces of a pass on all devices of the column's stage.
  void execute(std::size_t stage, const Action& a, std::size_t number) {
    const std::vector<Piece>& pieces = plan_.pieces(stage, a);
    double* clock = &clock_[stage * width_];
    for (std::size_t k = 0; k < width_; ++k) {
      const std::int64_t d = device(stage, k);
      factor_[k] = factors_.compute[static_cast<std::size_t>(d)];
      if (disturbance_.jitter > 0) {
        Philox random(disturbance_.seed, static_cast<std::uint64_t>(d) << 32 | number);
        factor_[k] *= std::max(0.5, 1.0 + disturbance_.jitter * random.normal());
      }
    }
    const double* link = &factors_.link[static_cast<std::size_t>(device(stage, 0))];
    for (const Piece& p : pieces) piece(p, clock, link);
    tasks_ += static_cast<std::int64_t>(pieces.size() * width_);
    if (plan_.times.transfer_blocks && a.kind != ActionKind::weight)
      for (std::size_t k = 0; k < width_; ++k) clock[k] += plan_.times.transfer * link[k];
    if (a.kind != ActionKind::weight) tasks_ += static_cast<std::int64_t>(width_);
  }

  void piece(const Piece& p, double* clock, const double* link) {
    for (std::size_t k = 0; k < width_; ++k) clock[k] += p.before * factor_[k];
    if (p.stream == Stream::compute) return;
    tasks_ += static_cast<std::int64_t>(width_);
    const auto tensor = static_cast<std::size_t>(grid_.tensor), context = static_cast<std::size_t>(grid_.context),
               expert = static_cast<std::size_t>(grid_.expert);
    switch (p.stream) {
      case Stream::tensor:
        for (std::size_t k = 0; k < width_; k += tensor) together(p, clock + k, link + k, &factor_[k], tensor, 1);
        break;
      case Stream::context:
        for (std::size_t k = 0; k < width_; k += tensor * context)
          for (std::size_t t = 0; t < tensor; ++t) together(p, clock + k + t, link + k + t, &factor_[k + t], context, tensor);
        break;
      case Stream::expert:
        for (std::size_t k = 0; k < width_; k += std::min(expert, width_))
          together(p, clock + k, link + k, &factor_[k], std::min(expert, width_ - k), 1);
        break;
      default:
        sharded(p, clock, link);
        break;
    }
  }

  /// One message of `count` devices at distance `stride`: begins with the last of them.
  static void together(const Piece& p, double* clock, const double* link, const double* factor, std::size_t count, std::size_t stride) {
    double start = 0, slow = 1;
    for (std::size_t k = 0; k < count * stride; k += stride) start = std::max(start, clock[k]), slow = std::max(slow, link[k]);
    const double end = start + p.message * slow;
    for (std::size_t k = 0; k < count * stride; k += stride) clock[k] = std::max(clock[k] + p.beside * factor[k], end);
  }

  /// Sharded weights: all devices with the same place in their tensor group, on all processes.
  void sharded(const Piece& p, double* clock, const double* link) {
    const auto tensor = static_cast<std::size_t>(grid_.tensor);
    std::vector<double> start(2 * tensor, 0.0);
    for (std::size_t k = 0; k < width_; ++k) {
      start[k % tensor] = std::max(start[k % tensor], clock[k]);
      start[tensor + k % tensor] = std::max(start[tensor + k % tensor], link[k]);
    }
    if (share_.all_max) share_.all_max(start);
    for (std::size_t k = 0; k < width_; ++k)
      clock[k] = std::max(clock[k] + p.beside * factor_[k], start[k % tensor] + p.message * start[tensor + k % tensor]);
  }

  const StepPlan& plan_;
  const PipelineSchedule& schedule_;
  const PipelineShape& shape_;
  const Grid& grid_;
  const Factors& factors_;
  const Disturbance& disturbance_;
  const Share& share_;
  std::int64_t first_;
  std::size_t width_;
  std::vector<double> forward_, backward_, clock_, begin_, factor_;
  std::vector<std::size_t> next_;
  std::int64_t tasks_ = 0;
};

/// What all columns together say about the end of the step.
struct Ends {
  std::vector<double> passes, reduced, optimized, period;  // by stage, the latest
  explicit Ends(std::size_t stages) : passes(stages, 0.0), reduced(stages, 0.0), optimized(stages, 0.0), period(stages, 0.0) {}

  void add(const Column& column, const StepPlan& plan, const Factors& factors) {
    for (std::size_t i = 0; i < passes.size(); ++i) {
      const StageFinish& f = plan.finish[i];
      for (std::size_t k = 0; k < column.width(); ++k) {
        const auto d = static_cast<std::size_t>(column.device(i, k));
        const double end = column.clock(i, k);
        passes[i] = std::max(passes[i], end);
        reduced[i] = std::max(reduced[i], end + f.exposed_reduce + f.reduce * (factors.link[d] - 1.0));
        optimized[i] = std::max(optimized[i], f.optimizer * factors.compute[d] + f.exposed_gather + f.gather * (factors.link[d] - 1.0));
        period[i] = std::max(period[i], end - column.begin(i));
      }
    }
  }
};

}  // namespace

UnfoldedStep simulate_unfolded(const StepPlan& plan, const Strategy& strategy, const Disturbance& disturbance, const Share& share) {
  const PipelineSchedule schedule = schedule_actions(plan.shape, plan.times);
  const Grid grid(strategy);
  const Factors factors(strategy, disturbance);
  const auto stages = static_cast<std::size_t>(plan.shape.stages);
  Ends ends(stages);
  std::vector<double> tasks{0.0};
  // zero3: this process's replicas run side by side, since they meet in every layer; else column after column
  const std::int64_t columns = grid.span > 0 ? grid.data / grid.span : share.ranks,
                     span = grid.span > 0 ? grid.span : grid.data / share.ranks;
  if (grid.span == 0 && grid.data % share.ranks != 0)
    throw UsageError("sharded weights need a number of processes that divides data_parallel");
  for (std::int64_t c = share.rank; c < columns; c += share.ranks) {
    Column column(plan, schedule, grid, factors, disturbance, c * span, span, share);
    column.run();
    ends.add(column, plan, factors);
    tasks[0] += static_cast<double>(column.tasks());
  }
  std::vector<double> all;
  for (const std::vector<double>* part : {&ends.passes, &ends.reduced, &ends.optimized, &ends.period})
    all.insert(all.end(), part->begin(), part->end());
  if (share.all_max) share.all_max(all);
  const auto latest = [&](std::size_t part) { return *std::max_element(&all[part * stages], &all[part * stages] + stages); };

  UnfoldedStep out;
  out.stage_end.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(stages));
  const double passes = latest(0);
  out.pipeline = without_barrier(plan.shape.schedule) ? latest(3) : passes;
  out.seconds = out.pipeline + std::max(0.0, latest(1) - passes) + latest(2) + plan.tied;
  out.devices = strategy.num_devices();
  // every column executes the same number of tasks
  const double own = static_cast<double>((columns - share.rank + share.ranks - 1) / share.ranks);
  out.tasks = own > 0 ? static_cast<std::int64_t>(tasks[0] / own * static_cast<double>(columns)) : 0;
  return out;
}

}  // namespace reckon
