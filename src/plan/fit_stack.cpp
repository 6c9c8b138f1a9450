// SPDX-License-Identifier: Apache-2.0
#include "plan/fit_stack.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace reckon {
namespace {

/// Where the fit sees a value of a constant.
double coordinate(const ConstantRange& r, double value) { return r.logarithmic ? std::log(std::max(value, r.low)) : value; }
double coordinate_of(const StackConstants& c, const ConstantRange& r) {
  return coordinate(r, r.number == nullptr ? c.host_time.in(microseconds) : c.*r.number);
}
void move_to(StackConstants& c, const ConstantRange& r, double x) {
  const double value = r.logarithmic ? std::exp(x) : x;
  if (r.number == nullptr) c.host_time = microseconds * value;
  else c.*r.number = value;
}
double width(const ConstantRange& r) { return coordinate(r, r.high) - coordinate(r, r.low); }

/// Quadratic to the knee, linear beyond: runs of one sweep lie within a few per cent of each other, and those that lie far out were slowed by
/// what no step model knows (a slow node, a shared network), so that they count by their number, not by how far out they are.
double loss(double log_ratio) {
  const double knee = 0.05, a = std::abs(log_ratio);
  return a <= knee ? 0.5 * a * a / knee : a - 0.5 * knee;
}

class Objective {
 public:
  Objective(const std::vector<const PublishedRun*>& runs, const CalibrationSet& set, const Stack& prior) : runs_(runs), set_(set), prior_(prior) {
    std::map<std::string, double> count;
    for (const PublishedRun* run : runs) count[run->architecture.name] += 1.0;
    for (const PublishedRun* run : runs) weight_.push_back(1.0 / std::sqrt(count[run->architecture.name]));
    for (const double w : weight_) total_weight_ += w;
    for (const PublishedRun* run : runs) links_.push_back(link_calibration(set.links, run->cluster.device, run->cluster.fabric, prior.facts));
  }

  const std::vector<ConstantRange>& ranges() const { return constant_ranges(prior_.facts); }

  double operator()(const StackConstants& constants) const {
    Stack stack = prior_;
    stack.constants = constants;
    double sum = 0;
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      const Seconds predicted = step_cost(job_of(*runs_[i], set_, stack, links_[i])).time.total();
      sum += weight_[i] * loss(std::log(predicted / runs_[i]->step_time));
    }
    double pull = 0;  // a constant one spread from its usual value counts like a run that is 4 % off
    for (const ConstantRange& r : ranges()) {
      const double z = (coordinate_of(constants, r) - coordinate(r, r.usual)) / r.spread;
      pull += 0.016 * z * z;
    }
    return (sum + pull) / total_weight_;
  }

 private:
  const std::vector<const PublishedRun*>& runs_;
  const CalibrationSet& set_;
  const Stack& prior_;
  std::vector<double> weight_;
  std::vector<LinkCalibration> links_;
  double total_weight_ = 0;
};

StackConstants minimise(const Objective& objective) {
  StackConstants best;
  for (const ConstantRange& r : objective.ranges()) move_to(best, r, coordinate(r, r.usual));
  double value = objective(best);
  std::vector<double> step;
  for (const ConstantRange& r : objective.ranges()) step.push_back(0.15 * width(r));
  for (int sweep = 0; sweep < 60; ++sweep) {
    bool moved = false;
    for (std::size_t i = 0; i < step.size(); ++i) {
      const ConstantRange& r = objective.ranges()[i];
      for (const double direction : {1.0, -1.0}) {
        StackConstants trial = best;
        move_to(trial, r, std::clamp(coordinate_of(best, r) + direction * step[i], coordinate(r, r.low), coordinate(r, r.high)));
        const double v = objective(trial);
        if (v < value) {
          value = v, best = trial, moved = true;
          step[i] *= 1.3;
          break;
        }
        if (direction < 0) step[i] *= 0.5;
      }
    }
    if (!moved && *std::max_element(step.begin(), step.end()) < 1e-3) break;
  }
  return best;
}

ErrorSummary errors(const std::vector<const PublishedRun*>& runs, const CalibrationSet& set, const Stack& stack) {
  std::vector<double> out;
  for (const PublishedRun* run : runs) out.push_back(replay(*run, set, stack).relative_error);
  return summarise(out);
}

}  // namespace

const std::vector<ConstantRange>& constant_ranges(const StackFacts& facts) {
  static const auto ranges = [](double most_host_time, double usual, double spread) {
    return std::vector<ConstantRange>{{"product_slowdown", &StackConstants::product_slowdown, 0.9, 1.5, 1.15, 0.1},
                                      {"stream_slowdown", &StackConstants::stream_slowdown, 0.6, 4.0, 1.3, 0.5},
                                      {"host_time", nullptr, 0.0, most_host_time, usual, spread},
                                      {"tensor_slowdown", &StackConstants::tensor_slowdown, 0.3, 3.0, 1.0, 0.4},
                                      {"exposed_data", &StackConstants::exposed_data, 0.0, 1.0, 0.3, 0.25},
                                      {"scale_jitter", &StackConstants::scale_jitter, 1e-4, 0.04, 0.004, 0.7, true}};
  };
  static const std::vector<ConstantRange> untraced = ranges(25.0, 6.0, 3.0), traced = ranges(150.0, 50.0, 30.0);
  return facts.traced ? traced : untraced;
}

const ConstantRange& host_time_range(const StackFacts& facts) {
  const auto& ranges = constant_ranges(facts);
  return *std::find_if(ranges.begin(), ranges.end(), [](const ConstantRange& r) { return r.number == nullptr; });
}

StackFit fit_stack(const std::vector<const PublishedRun*>& runs, const CalibrationSet& set, const Stack& prior) {
  StackFit out{prior, errors(runs, set, prior), {}, {}};
  out.stack.constants = minimise(Objective(runs, set, prior));
  out.stack.fitted.clear();
  for (const ConstantRange& r : constant_ranges(prior.facts)) {
    out.stack.fitted.push_back(r.name);
    const double x = coordinate_of(out.stack.constants, r), tolerance = 1e-3 * width(r);
    if (x <= coordinate(r, r.low) + tolerance || x >= coordinate(r, r.high) - tolerance) out.at_bound.push_back(r.name);
  }
  out.after = errors(runs, set, out.stack);
  return out;
}

StackConstants fit_constants(const std::vector<const PublishedRun*>& runs, const CalibrationSet& set, const Stack& stack) {
  return minimise(Objective(runs, set, stack));
}

}  // namespace reckon
