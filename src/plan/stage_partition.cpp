// SPDX-License-Identifier: Apache-2.0
#include "plan/stage_partition.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.hpp"

namespace reckon {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

class PartitionSearch {
 public:
  explicit PartitionSearch(const PartitionQuestion& q) : q_(q), layers_(static_cast<std::size_t>(q.layers)) {
    std::int64_t stages = 0;
    for (std::size_t k = 0; k < q.devices.size(); ++k) {
      std::int64_t unit = q.devices[k], fewest = q.devices[k] + 1;
      for (const StageWay& way : q.ways) {
        if (way.kind != k) continue;
        unit = std::gcd(unit, way.devices);
        fewest = std::min(fewest, way.devices);
      }
      kinds_.push_back({unit, static_cast<std::size_t>(q.devices[k] / unit), cells_});
      cells_ *= kinds_.back().units + 1;
      stages += q.devices[k] / fewest;
    }
    for (const StageWay& way : q.ways) {
      steps_.push_back(static_cast<std::size_t>(way.devices / kinds_[way.kind].unit));
      time_.push_back(sums(way.time));
      state_.push_back(sums(way.state));
      activations_.push_back(sums(way.activations));
    }
    most_stages_ = static_cast<std::size_t>(std::min(q.layers, stages));
  }

  std::optional<Partition> run(bool all_devices) {
    const double least_sum = solve(never, all_devices);
    if (least_sum == never) return std::nullopt;
    const double m = static_cast<double>(q_.micro_batches) - 1.0;
    Partition best = read(never, all_devices);
    const double least_limit = least_feasible(candidates(slowest(best)), all_devices);
    // the front of (slowest, sum) from above, between the least feasible limit and the largest that can still win
    double limit = least_limit;
    for (bool first = true; limit >= least_limit; first = false) {
      if (solve(limit, all_devices) == never) break;
      Partition p = read(limit, all_devices);
      const double reached = slowest(p);
      if (p.step < best.step) best = std::move(p);
      const double most = m > 0 ? (best.step.base() - least_sum) / m : never;
      limit = first ? most : std::min(most, std::nextafter(reached, 0.0));
    }
    return best;
  }

 private:
  /// Devices of one kind, counted in the largest unit that divides what there is and what stages take.  How many of each kind are used is
  /// one number: the sum of units x stride.
  struct Kind {
    std::int64_t unit;
    std::size_t units, stride;
    std::size_t used(std::size_t cell) const { return cell / stride % (units + 1); }
  };

  template <class Q>
  static std::vector<double> sums(const std::vector<Q>& values) {
    std::vector<double> out{0.0};
    for (const Q v : values) out.push_back(out.back() + v.base());
    return out;
  }

  double stage_time(std::size_t way, std::size_t first, std::size_t count) const {
    return time_[way][first + count] - time_[way][first] + q_.ways[way].hand_over.base();
  }
  /// With so many stages from this one to the last.
  bool fits(std::size_t way, std::size_t first, std::size_t count, std::size_t stages) const {
    const double flight = static_cast<double>(std::min<std::int64_t>(q_.micro_batches, static_cast<std::int64_t>(stages)));
    return state_[way][first + count] - state_[way][first] + (activations_[way][first + count] - activations_[way][first]) * flight <=
           q_.ways[way].capacity.base();
  }

  static double slowest(const Partition& p) {
    double out = 0;
    for (const StageChoice& s : p.stages) out = std::max(out, s.time.base());
    return out;
  }

  /// All stage times up to `most`, ascending.
  std::vector<double> candidates(double most) const {
    std::vector<double> out;
    for (std::size_t w = 0; w < steps_.size(); ++w)
      for (std::size_t first = 0; first < layers_; ++first)
        for (std::size_t count = 1; first + count <= layers_ && stage_time(w, first, count) <= most; ++count) out.push_back(stage_time(w, first, count));
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

  /// The least limit that allows any partition: feasibility grows with the limit, and the last candidate is feasible.
  double least_feasible(const std::vector<double>& limits, bool all_devices) {
    std::size_t low = 0, high = limits.size() - 1;
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (solve(limits[middle], all_devices) < never)
        high = middle;
      else
        low = middle + 1;
    }
    return limits[low];
  }

  /// Least sums of the stages from layer `first` on, by devices used.
  double* row(std::size_t stages, std::size_t first) { return sums_.data() + (stages * (layers_ + 1) + first) * cells_; }

  /// Least sum of stage times when no stage takes longer than `limit`; the table stays for read().
  double solve(double limit, bool all_devices) {
    sums_.assign((most_stages_ + 1) * (layers_ + 1) * cells_, never);
    reachable_.assign((most_stages_ + 1) * (layers_ + 1), false);
    row(0, layers_)[0] = 0.0;
    reachable_[layers_] = true;
    reached_ = 0;
    for (std::size_t stages = 1; stages <= most_stages_ && add_stage(stages, limit); ++stages) reached_ = stages;
    double best = never;
    for (std::size_t stages = 1; stages <= reached_; ++stages)
      for (std::size_t used = all_devices ? cells_ - 1 : 1; used < cells_; ++used) best = std::min(best, row(stages, 0)[used]);
    return best;
  }

  /// Puts a stage before each of those reached with one stage less.
  bool add_stage(std::size_t stages, double limit) {
    bool any = false;
    for (std::size_t w = 0; w < steps_.size(); ++w) {
      if (steps_[w] > kinds_[q_.ways[w].kind].units) continue;  // takes more than there are
      for (std::size_t end = 1; end <= layers_; ++end) {
        if (!reachable_[(stages - 1) * (layers_ + 1) + end]) continue;
        for (std::size_t count = 1; count <= end; ++count) {
          const double time = stage_time(w, end - count, count);
          if (time > limit || !fits(w, end - count, count, stages)) break;  // more layers take longer and hold more
          extend(row(stages - 1, end), row(stages, end - count), w, time);
          reachable_[stages * (layers_ + 1) + end - count] = any = true;
        }
      }
    }
    return any;
  }

  /// One more stage of way `w`: every number of its devices moves up by what the stage takes.
  void extend(const double* from, double* to, std::size_t w, double time) const {
    const Kind& kind = kinds_[q_.ways[w].kind];
    const std::size_t line = kind.stride * (kind.units + 1), shift = kind.stride * steps_[w];
    for (std::size_t at = 0; at < cells_; at += line) extend_line(from + at, to + at + shift, line - shift, time);
  }

  static void extend_line(const double* __restrict from, double* __restrict to, std::size_t n, double time) {
    for (std::size_t i = 0; i < n; ++i) {
      const double sum = from[i] + time;
      to[i] = sum < to[i] ? sum : to[i];
    }
  }

  /// The partition behind the least sum of the last solve().
  Partition read(double limit, bool all_devices) {
    std::size_t stages = 0, used = 0;
    double best = never;
    for (std::size_t s = 1; s <= reached_; ++s)
      for (std::size_t u = all_devices ? cells_ - 1 : 1; u < cells_; ++u)
        if (row(s, 0)[u] < best) best = row(s, 0)[u], stages = s, used = u;
    Partition out;
    for (std::size_t first = 0; stages > 0; --stages) {
      const StageChoice c = choice(stages, first, used, limit);
      out.stages.push_back(c);
      first += static_cast<std::size_t>(c.count);
      used -= steps_[c.way] * kinds_[q_.ways[c.way].kind].stride;
    }
    out.step = Seconds{best + (static_cast<double>(q_.micro_batches) - 1.0) * slowest(out)};
    return out;
  }

  /// The first stage of the best rest: whose time and rest make up the sum.
  StageChoice choice(std::size_t stages, std::size_t first, std::size_t used, double limit) {
    const double sum = row(stages, first)[used];
    for (std::size_t w = 0; w < steps_.size(); ++w) {
      const Kind& kind = kinds_[q_.ways[w].kind];
      for (std::size_t count = 1; first + count <= layers_ && steps_[w] <= kind.used(used); ++count) {
        const double time = stage_time(w, first, count);
        if (time > limit || !fits(w, first, count, stages)) break;
        if (row(stages - 1, first + count)[used - steps_[w] * kind.stride] + time == sum)
          return {static_cast<std::int64_t>(first), static_cast<std::int64_t>(count), w, Seconds{time}};
      }
    }
    throw InternalError("a partition of layers cannot be read back");
  }

  const PartitionQuestion& q_;
  std::size_t layers_, cells_ = 1, most_stages_ = 0, reached_ = 0;
  std::vector<Kind> kinds_;
  std::vector<std::size_t> steps_;
  std::vector<std::vector<double>> time_, state_, activations_;
  std::vector<double> sums_;
  std::vector<bool> reachable_;  // by stages and first layer
};

void check(const PartitionQuestion& q) {
  const auto whole = [&q](std::size_t n) { return static_cast<std::int64_t>(n) == q.layers; };
  bool sound = q.layers >= 1 && q.layers < 65536 && !q.devices.empty() && q.micro_batches >= 1 && !q.ways.empty() && q.ways.size() < 65536;
  for (const std::int64_t n : q.devices) sound = sound && n >= 1;
  for (const StageWay& way : q.ways) sound = sound && way.devices >= 1 && way.kind < q.devices.size() && whole(way.time.size()) && whole(way.state.size()) && whole(way.activations.size());
  if (!sound) throw UsageError("layers cannot be divided: every way needs devices, and a time, a state and activations for each layer");
}

}  // namespace

std::optional<Partition> best_partition(const PartitionQuestion& question, bool all_devices) {
  check(question);
  return PartitionSearch(question).run(all_devices);
}

}  // namespace reckon
