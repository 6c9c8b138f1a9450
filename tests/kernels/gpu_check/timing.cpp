// Repeated samples until their number, time and scatter satisfy the rules.
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/gpu_check/timing.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace reckon::check {
namespace {

std::string refusal(const Timing& timing, const TimingRules& rules) {
  char text[160] = "";
  if (timing.variation > rules.most_variation) {
    std::snprintf(text, sizeof text, "samples scatter by %.1f %%, more than %.0f %%", 100 * timing.variation, 100 * rules.most_variation);
  } else if (timing.before.clock && timing.after.clock) {
    const double change = std::abs(timing.after.clock->base() / timing.before.clock->base() - 1);
    if (change > rules.most_clock_change) {
      std::snprintf(text, sizeof text, "the clock moved by %.1f %%, more than %.0f %%", 100 * change, 100 * rules.most_clock_change);
    }
  }
  return text;
}

}  // namespace

void set_median(std::vector<double> samples, Timing& timing) {
  std::sort(samples.begin(), samples.end());
  const double n = static_cast<double>(samples.size());
  const auto at = [&](double position) { return samples[static_cast<std::size_t>(std::clamp(position, 0.0, n - 1))]; };
  const std::size_t half = samples.size() / 2;
  timing.samples = static_cast<int>(samples.size());
  timing.median = Seconds{samples.size() % 2 == 1 ? samples[half] : (samples[half - 1] + samples[half]) / 2};
  timing.low = Seconds{at(std::floor(n / 2 - 0.98 * std::sqrt(n)) - 1)};
  timing.high = Seconds{at(std::ceil(n / 2 + 0.98 * std::sqrt(n)))};
  const double mean = std::accumulate(samples.begin(), samples.end(), 0.0) / n;
  double squares = 0;
  for (const double sample : samples) squares += (sample - mean) * (sample - mean);
  timing.variation = std::sqrt(squares / (n - 1)) / mean;
}

Timing measure(const DeviceStream& stream, const DeviceMonitor& monitor, const std::string& pci_bus_id, const TimingRules& rules,
               const std::function<void(int)>& launch) {
  Timing timing;
  DeviceEvent start, stop;
  int turn = 0;
  const auto group = [&](int launches) {
    start.record(stream.stream());
    for (int i = 0; i < launches; ++i) launch(turn++);
    stop.record(stream.stream());
    return stop.since(start) / launches;
  };
  group(3);  // modules, handles, first touch
  const Seconds once = group(5);
  timing.launches_a_sample = static_cast<int>(std::clamp(std::ceil(5e-4 / std::max(once.base(), 1e-7)), 1.0, 1000.0));
  for (timing.tries = 1; timing.tries <= rules.most_tries; ++timing.tries) {
    for (Seconds warm; warm < rules.at_least * 0.5;) warm += group(timing.launches_a_sample) * timing.launches_a_sample;
    timing.before = monitor.reading(pci_bus_id);
    std::vector<double> samples;
    Seconds total;
    while ((total < rules.at_least || static_cast<int>(samples.size()) < rules.samples_at_least) &&
           static_cast<int>(samples.size()) < rules.samples_at_most) {
      const Seconds sample = group(timing.launches_a_sample);
      samples.push_back(sample.base());
      total += sample * timing.launches_a_sample;
    }
    timing.after = monitor.reading(pci_bus_id);
    set_median(samples, timing);
    timing.unsettled = refusal(timing, rules);
    if (timing.unsettled.empty()) return timing;
  }
  timing.tries = rules.most_tries;
  return timing;
}

}  // namespace reckon::check
