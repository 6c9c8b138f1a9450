// Rates of the simulator on one core, printed; run by hand: reckon_simulate_bench.
//
// The message count and the step of the ring are those of ASTRA-sim's analytical back end for 64 devices x 96 layers of 100 MB (774,144
// messages), so that rates compare.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <vector>

#include "base/random.hpp"
#include "bench_scene.hpp"
#include "simulate/event_queue.hpp"
#include "simulate/ring_messages.hpp"
#include "simulate/run_simulation.hpp"
#include "simulate/step_simulation.hpp"
#include "simulate/unfolded.hpp"

namespace reckon {
namespace {

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Best and median CPU seconds of `repeats` runs.
std::pair<double, double> timed(int repeats, const std::function<void()>& work) {
  std::vector<double> all;
  for (int k = 0; k < repeats; ++k) {
    const double start = cpu_seconds();
    work();
    all.push_back(cpu_seconds() - start);
  }
  std::sort(all.begin(), all.end());
  return {all.front(), all[all.size() / 2]};
}

void hold_model(std::size_t pending) {
  constexpr int events = 4'000'000;
  std::vector<double> steps(1 << 16);
  Philox random(1, 1);
  for (double& s : steps) s = random.uniform();
  double sum = 0;
  const auto [best, median] = timed(5, [&] {
    EventQueue queue;
    for (std::size_t i = 0; i < pending; ++i) queue.push(steps[i & 0xffff], static_cast<std::uint32_t>(i));
    for (int i = 0; i < events; ++i) {
      const Event e = queue.pop();
      sum += e.time;
      queue.push(e.time + steps[static_cast<std::size_t>(i) * 7 & 0xffff], e.payload);
    }
  });
  std::printf("event queue, %7zu pending, random times: best %.1f M events/s, median %.1f (%g)\n", pending, events / best / 1e6,
              events / median / 1e6, sum > 0 ? 1.0 : 0.0);
}

void ring() {
  const RingStep s{
      .devices = 64, .layers = 96, .layer_bytes = 100e6, .before = 96 * 100e-6, .layer = 100e-6, .bandwidth = 50e9, .latency = 500e-9};
  RingResult r;
  const auto [best, median] = timed(9, [&] { r = simulate_ring(s); });
  std::printf("ring messages, 64 devices x 96 layers: %lld messages, %.4f s simulated, best %.1f M messages/s, median %.1f\n",
              static_cast<long long>(r.messages), r.seconds, static_cast<double>(r.messages) / best / 1e6,
              static_cast<double>(r.messages) / median / 1e6);
}

void steps() {
  const LargeRun run;
  const Strategy& s = run.strategy;
  const Job job = run.job();
  double simulated = 0;
  const auto [folded, folded_median] = timed(9, [&] { simulated = simulate_step(step_plan(job)).seconds.total(); });
  std::printf("405B on 16,384 devices, folded: %.3f s a step, best %.2f ms, median %.2f ms\n", simulated, folded * 1e3,
              folded_median * 1e3);
  const StepPlan plan = step_plan(job);
  UnfoldedStep u;
  Disturbance d;
  d.jitter = 0.02;
  const auto [unfolded, unfolded_median] = timed(3, [&] { u = simulate_unfolded(plan, s, d); });
  std::printf("405B on 16,384 devices, unfolded with noise: %.3f s a step, %.1f M tasks, best %.2f s, median %.2f s, %.0f M tasks/s\n",
              u.seconds, static_cast<double>(u.tasks) / 1e6, unfolded, unfolded_median, static_cast<double>(u.tasks) / unfolded / 1e6);
}

void runs() {
  RunScenario s;
  s.devices = 16384;
  s.work = days * 81.0;
  s.restart_spread = 0.5;
  RunSummary sum;
  const auto [best, median] = timed(3, [&] { sum = summarise_runs(s, simulate_runs(s, 1, 10000)); });
  std::printf("10,000 runs of %.0f days on 16,384 devices: best %.2f s, median %.2f s\n", sum.wall.p50 / days.base(), best, median);
}

}  // namespace
}  // namespace reckon

int main() {
  for (const std::size_t pending : {64ul, 1024ul, 16384ul, 262144ul}) reckon::hold_model(pending);
  reckon::ring();
  reckon::steps();
  reckon::runs();
}
