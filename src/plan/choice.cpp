// SPDX-License-Identifier: Apache-2.0
#include "plan/choice.hpp"

#include <cmath>
#include <limits>

namespace reckon {

double ChoiceCheck::nearest() const {
  double out = std::numeric_limits<double>::infinity();
  for (const Candidate& c : best) {
    const double one = c.cost.time.total() / predicted - 1.0;
    if (std::abs(one) < std::abs(out)) out = one;
  }
  return out;
}

ChoiceCheck check_choice(const PublishedRun& run, const CalibrationSet& set, const SearchSpace& space, std::size_t keep) {
  const Stack& stack = set.stack_of(run);
  const LinkCalibration links = link_calibration(set.links, run.cluster.device, run.cluster.fabric, stack.facts);
  const Job job = job_of(run, set, stack, links);
  Question question{job.architecture,
                    job.cluster,
                    job.compute,
                    job.links,
                    job.stack,
                    job.task,
                    run.strategy.precision,
                    run.strategy.attention,
                    run.strategy.global_batch_size};
  question.space = space;
  const StepCost cost = step_cost(job);
  ChoiceCheck out{run.id, run.strategy, run.step_time, cost.time.total()};
  out.chosen_fits = cost.fits(run.cluster.device.memory * (1.0 + memory_error));
  const double chosen = out.predicted.base();
  const auto count = [&](const EvaluatedRow& row) {
    for (std::size_t i = 0; i < row.count; ++i) out.faster += row.fits[i] != 0 && row.seconds[i] < chosen ? 1 : 0;
  };
  SearchResult found = Searcher(question).search(run.strategy.num_devices(), {.keep = keep, .prune = false, .each = count, .go_on = {}});
  out.best = std::move(found.best);
  out.space = found.counts.space;
  return out;
}

}  // namespace reckon
