// SPDX-License-Identifier: Apache-2.0
#include "simulate/run_simulation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/random.hpp"

namespace reckon {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();
constexpr double most_wall = 100.0;  // times the work; beyond, the run does not end
constexpr double most_stops = 1e5;   // of one run; beyond, it hardly trains
constexpr double most_risk = 4.0;    // failures expected in one restart or one cycle, beyond which hardly one in 50 succeeds

double per_second(double per_day) { return per_day / days.base(); }

/// The cycle of training and checkpoints, worked out once for all samples.
struct Cycle {
  double interval = never;  ///< training between checkpoints
  double stall = 0;
  double write = 0;  ///< from the end of a stall until its checkpoint is safe
  double slow = 0;   ///< training time lost to one write behind it
  double length() const { return interval + stall + slow; }
};

double write_time(const RunScenario& s) {
  return s.checkpoint_size.base() > 0 ? s.checkpoint_size / s.storage_bandwidth / Seconds{1.0} : 0.0;
}

Cycle cycle_of(const RunScenario& s) {
  Cycle c;
  c.stall = checkpoint_stall(s).base();
  c.write = s.asynchronous ? write_time(s) : 0.0;
  const double mttf = mean_time_to_interruption(s).base();
  c.interval = s.failures.checkpoint_interval.base();
  if (c.interval <= 0) c.interval = mttf < never ? std::max(std::sqrt(2.0 * c.stall * mttf), c.stall) : never;
  if (c.interval <= 0) c.interval = 1.0;       // checkpoints that cost nothing: every second
  c.interval = std::max(c.interval, c.write);  // one write at a time
  c.slow = c.interval < never ? c.write * s.write_slowdown : 0.0;
  return c;
}

enum class Cause { failure, planned, preemption };

/// One run under way.
class Run {
 public:
  Run(const RunScenario& s, const Cycle& cycle, std::uint64_t seed, std::uint64_t sample) : s_(s), cycle_(cycle), random_(seed, sample) {
    const double devices = static_cast<double>(s.devices);
    failure_rate_ = per_second(s.failures.failures_per_device_day) * devices;
    planned_rate_ = failure_rate_ * s.failures.planned_per_unexpected;
    preemption_rate_ = per_second(s.preemptions_per_device_day) * devices;
    stall_rate_ = per_second(s.stalls_per_day);
  }

  RunOutcome run() {
    const double work = s_.work.base();
    if (failure_rate_ * s_.failures.restart.base() > most_risk ||
        (cycle_.interval < never && failure_rate_ * std::min(cycle_.length(), work) > most_risk)) {
      out_.wall = never;
      return out_;
    }
    draw();
    while (!train(work, until_)) {
      interrupt();
      if (out_.wall > most_wall * work || out_.interruptions + out_.planned + out_.preemptions > most_stops) {
        out_.wall = never;
        break;
      }
    }
    return out_;
  }

 private:
  /// When the next interruption comes, and which.
  void draw() {
    const double rate = failure_rate_ + planned_rate_ + preemption_rate_;
    if (rate <= 0) return;
    until_ = random_.exponential(rate);
    const double kind = random_.uniform() * rate;
    cause_ = kind < failure_rate_ ? Cause::failure : kind < failure_rate_ + planned_rate_ ? Cause::planned : Cause::preemption;
    takes_node_ = kind < failure_rate_ * s_.node_loss_share;
  }

  /// Trains from what is safe until all work is done (true) or for `until` seconds of wall time (false).  Everything between is whole
  /// cycles, so that their number decides, not their course.
  bool train(double work, double until) {
    const double left = work - safe_;
    const double checkpoints = cycle_.interval < never ? std::ceil(left / cycle_.interval) - 1.0 : 0.0;
    double needed = left + checkpoints * (cycle_.stall + cycle_.slow);
    double stalled = 0;
    if (stall_rate_ > 0) {  // waits for data stretch the time; their number in it is Poisson's, their sum is drawn as a normal
      const double span = std::min(needed, until), count = stall_rate_ * span, mean = s_.stall.base();
      stalled = std::max(0.0, count * mean + std::sqrt(2.0 * count) * mean * random_.normal());
      stalled = std::min(stalled, until < needed ? 0.9 * until : stalled);
    }
    if (needed + stalled <= until) {
      out_.wall += needed + stalled;
      out_.stalled += stalled;
      out_.checkpoint += checkpoints * cycle_.stall;
      out_.slowed += checkpoints * cycle_.slow;
      safe_ = work;
      return true;
    }
    const double active = until - stalled;
    out_.wall += until;
    out_.stalled += stalled;
    if (cycle_.interval == never) {
      (cause_ == Cause::planned ? safe_ : out_.lost) += active;
      return false;
    }
    const double done = std::floor(active / cycle_.length());
    const double into = active - done * cycle_.length();  // of the cycle that was cut off
    double stalls = done, secure = done;
    // the last stall, and whether the write behind it was through; a checkpoint is safe one write after its stall
    double last_stall = 0;
    if (into > cycle_.interval) last_stall = std::min(into - cycle_.interval, cycle_.stall);
    if (done > 0 && into < cycle_.write) secure -= 1;  // the newest checkpoint is still being written
    out_.checkpoint += stalls * cycle_.stall + last_stall;
    out_.slowed += done * cycle_.slow;
    const double trained = active - done * (cycle_.stall + cycle_.slow) - last_stall;
    if (cause_ == Cause::planned) secure = trained / cycle_.interval;  // a planned stop writes a checkpoint first
    out_.lost += trained - secure * cycle_.interval;
    safe_ += secure * cycle_.interval;
    return false;
  }

  double restart_time() {
    const double mean = s_.failures.restart.base();
    if (s_.restart_spread <= 0) return mean;
    return mean * std::exp(s_.restart_spread * random_.normal() - 0.5 * s_.restart_spread * s_.restart_spread);
  }

  void down(double time) { out_.wall += time, out_.down += time; }

  /// What stopped the run, and all that it takes until it trains again.
  void interrupt() {
    const bool failed = cause_ == Cause::failure;
    out_.interruptions += failed, out_.planned += cause_ == Cause::planned, out_.preemptions += cause_ == Cause::preemption;
    if (cause_ == Cause::planned) out_.wall += cycle_.stall, out_.checkpoint += cycle_.stall;
    if (cause_ == Cause::preemption) {
      const double wait = random_.exponential(1.0 / s_.preemption_wait.base());
      out_.wall += wait, out_.waiting += wait;
    }
    if (failed) fail();
    // times between events have no memory: what is drawn now counts from the start of the restart
    double restart = restart_time();
    draw();
    while (until_ < restart) {
      if (cause_ != Cause::failure) {  // nothing to stop: the next event comes later
        const double passed = until_;
        draw();
        until_ += passed;
        continue;
      }
      down(until_);  // failed again before it trained
      out_.interruptions += 1;
      fail();
      if (out_.wall > most_wall * s_.work.base() || out_.interruptions > most_stops) return;
      restart = restart_time();
      draw();
    }
    until_ -= restart;
    down(restart);
  }

  void fail() {
    down(s_.detection.base());
    if (takes_node_) lose_node();
  }

  /// Takes a spare; without one the run waits for the first repair.
  void lose_node() {
    if (s_.spare_nodes < 0) return;
    std::erase_if(repairs_, [this](double t) { return t <= out_.wall; });
    if (static_cast<std::int64_t>(repairs_.size()) >= s_.spare_nodes) {
      repairs_.push_back(out_.wall + s_.repair.base());
      std::sort(repairs_.begin(), repairs_.end());
      // as many nodes are away as there are spares, and one more: wait until the surplus is back
      const double back = repairs_[repairs_.size() - static_cast<std::size_t>(s_.spare_nodes) - 1];
      out_.waiting += back - out_.wall;
      out_.wall = back;
    } else {
      repairs_.push_back(out_.wall + s_.repair.base());
    }
  }

  const RunScenario& s_;
  const Cycle& cycle_;
  Philox random_;
  double failure_rate_ = 0, planned_rate_ = 0, preemption_rate_ = 0, stall_rate_ = 0;
  double until_ = never;  // time of training until the next interruption
  Cause cause_ = Cause::failure;
  bool takes_node_ = false;
  double safe_ = 0;  // training seconds that no failure takes away
  std::vector<double> repairs_;
  RunOutcome out_;
};

RunSummary::Spread spread_of(std::vector<double> values) {
  RunSummary::Spread out;
  if (values.empty()) return out;
  for (const double v : values) out.mean += v;
  out.mean /= static_cast<double>(values.size());
  std::sort(values.begin(), values.end());
  out.p10 = quantile(values, 0.1), out.p50 = quantile(values, 0.5), out.p90 = quantile(values, 0.9);
  return out;
}

}  // namespace

void validate(const RunScenario& s) {
  const auto require = [](bool holds, const char* reason, const char* cure) {
    if (!holds) throw UsageError(reason, cure);
  };
  require(s.devices >= 1 && s.devices_per_node >= 1, "a run needs devices", "");
  require(s.work.base() > 0 && std::isfinite(s.work.base()), "a run needs work to do", "give the tokens or samples of the run");
  require(s.checkpoint_size.base() <= 0 || s.storage_bandwidth.base() > 0, "a checkpoint size needs a bandwidth to write it",
          "give --storage-bandwidth");
  require(s.write_slowdown >= 0 && s.write_slowdown < 1, "a write cannot take all of the training speed", "give a share below 1");
  require(s.node_loss_share >= 0 && s.node_loss_share <= 1, "the share of interruptions that take a node away lies between 0 and 1", "");
  for (const Seconds t :
       {s.failures.restart, s.failures.checkpoint_stall, s.failures.checkpoint_interval, s.detection, s.repair, s.preemption_wait, s.stall})
    require(t.base() >= 0 && std::isfinite(t.base()), "times of a run must not be negative", "");
  require(s.preemptions_per_device_day <= 0 || s.preemption_wait.base() > 0, "a preemption needs a time to wait", "");
}

Seconds mean_time_to_interruption(const RunScenario& s) {
  const double per_device = s.failures.failures_per_device_day * (1.0 + s.failures.planned_per_unexpected) + s.preemptions_per_device_day;
  const double rate = per_second(per_device) * static_cast<double>(s.devices);
  return Seconds{rate > 0 ? 1.0 / rate : never};
}

Seconds checkpoint_stall(const RunScenario& s) {
  return s.asynchronous ? s.failures.checkpoint_stall : max(s.failures.checkpoint_stall, Seconds{write_time(s)});
}

RunOutcome simulate_run(const RunScenario& scenario, std::uint64_t seed, std::uint64_t sample) {
  return Run(scenario, cycle_of(scenario), seed, sample).run();
}

std::vector<RunOutcome> simulate_runs(const RunScenario& scenario, std::uint64_t seed, std::uint64_t samples, std::uint64_t first,
                                      std::uint64_t stride) {
  const Cycle cycle = cycle_of(scenario);
  std::vector<RunOutcome> out;
  for (std::uint64_t i = first; i < samples; i += stride) out.push_back(Run(scenario, cycle, seed, i).run());
  return out;
}

CheckpointIntervals checkpoint_intervals(const RunScenario& scenario, std::uint64_t seed, std::uint64_t samples) {
  CheckpointIntervals out;
  const double stall = checkpoint_stall(scenario).base(), mttf = mean_time_to_interruption(scenario).base();
  if (!(mttf < never) || stall <= 0) return out;
  const double young = std::sqrt(2.0 * stall * mttf), x = stall / (2.0 * mttf);
  out.young = Seconds{young};
  out.daly = Seconds{x < 1 ? young * (1.0 + std::sqrt(x) / 3.0 + x / 9.0) - stall : mttf};
  const auto goodput = [&](Seconds interval) {
    RunScenario s = scenario;
    s.failures.checkpoint_interval = interval;
    double sum = 0;
    for (const RunOutcome& o : simulate_runs(s, seed, samples)) sum += scenario.work.base() / o.wall;
    return sum / static_cast<double>(samples);
  };
  out.goodput_young = goodput(out.young);
  out.goodput_daly = goodput(out.daly);
  for (int k = -6; k <= 6; ++k) {
    const Seconds interval{young * std::exp2(k / 3.0)};
    const double g = goodput(interval);
    if (g > out.goodput_simulated) out.goodput_simulated = g, out.simulated = interval;
  }
  return out;
}

RunSummary summarise_runs(const RunScenario& s, const std::vector<RunOutcome>& outcomes) {
  RunSummary out;
  out.samples = outcomes.size();
  std::vector<double> wall, goodput, money, interruptions;
  const double held = static_cast<double>(s.devices + std::max<std::int64_t>(0, s.spare_nodes) * s.devices_per_node);
  for (const RunOutcome& o : outcomes) {
    wall.push_back(o.wall);
    goodput.push_back(s.work.base() / o.wall);
    money.push_back((s.price * Seconds{o.wall}).base() * held);
    interruptions.push_back(o.interruptions);
    for (double RunOutcome::*part :
         {&RunOutcome::wall, &RunOutcome::checkpoint, &RunOutcome::slowed, &RunOutcome::lost, &RunOutcome::down, &RunOutcome::waiting,
          &RunOutcome::stalled, &RunOutcome::interruptions, &RunOutcome::planned, &RunOutcome::preemptions})
      out.mean.*part += o.*part / static_cast<double>(outcomes.size());
  }
  out.wall = spread_of(std::move(wall));
  out.goodput = spread_of(std::move(goodput));
  out.dollars = spread_of(std::move(money));
  out.interruptions = spread_of(std::move(interruptions));
  return out;
}

}  // namespace reckon
