// What more processes make of a large unfolded step; by hand: mpiexec -n 2 reckon_simulate_ranks_bench.
//
// In turns, rank 0 alone simulates every device while the others wait, then all share them: pairs in the same minute meet the same noise.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "bench_scene.hpp"
#include "runtime/mpi_session.hpp"
#include "simulate/unfolded.hpp"

namespace reckon {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void compare(const MpiSession& session, std::int64_t batch) {
  LargeRun run;
  run.strategy.global_batch_size = batch;
  const StepPlan plan = step_plan(run.job());
  Disturbance d;
  d.jitter = 0.02;
  const Share all{session.rank(), session.size(), [&](std::vector<double>& values) { session.all_reduce_max(values); }};
  std::vector<double> one, many, ratio;
  bool same = true;
  UnfoldedStep alone, shared;
  const auto timed = [&](auto&& work) {
    session.barrier();
    const auto start = std::chrono::steady_clock::now();
    work();
    session.barrier();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  for (int k = 0; k < 7; ++k) {
    one.push_back(timed([&] {
      if (session.is_root()) alone = simulate_unfolded(plan, run.strategy, d);
    }));
    many.push_back(timed([&] { shared = simulate_unfolded(plan, run.strategy, d, all); }));
    ratio.push_back(one.back() / many.back());
    same = same && (!session.is_root() || (alone.seconds == shared.seconds && alone.stage_end == shared.stage_end));
  }
  if (session.is_root())
    std::printf(
        "405B on 16,384 devices, %lld micro-batches, %.0f M tasks: one rank %.3f s, %d ranks %.3f s; medians of 7 pairs, ratio %.2f; %s\n",
        static_cast<long long>(run.strategy.num_micro_batches()), static_cast<double>(alone.tasks) / 1e6, median(one), session.size(),
        median(many), median(ratio), same ? "the same bits" : "DIFFERENT BITS");
}

}  // namespace
}  // namespace reckon

int main() {
  const reckon::MpiSession session(reckon::MpiStart::when_launched, false);
  for (const std::int64_t batch : {2048, 8192}) reckon::compare(session, batch);
}
