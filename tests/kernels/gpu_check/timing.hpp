// How long device work takes: events around groups of launches, a median with its interval, and the clock that it was measured at.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "runtime/device_memory.hpp"
#include "runtime/device_monitor.hpp"

namespace reckon::check {

/// Time of one launch.
struct Timing {
  Seconds median, low, high;  ///< low and high bound the median with 95 % confidence
  double variation = 0;       ///< standard deviation over mean of the samples
  int samples = 0, launches_a_sample = 0, tries = 0;
  DeviceReading before, after;
  std::string unsettled;      ///< why the last try was refused; empty when it was accepted
};

/// Median of the samples and the order statistics that bound it with 95 % confidence, n / 2 -+ 0.98 sqrt(n): the binomial distribution of
/// how many samples lie below the true median (Hahn, Meeker 1991, Statistical Intervals, section 5.2).  At least 6 samples.
void set_median(std::vector<double> samples_in_seconds, Timing& timing);

struct TimingRules {
  Seconds at_least{0.3};             ///< of samples
  int samples_at_least = 40, samples_at_most = 2000;
  double most_variation = 0.05, most_clock_change = 0.03;
  int most_tries = 5;
};

/// Times `launch(i)`, i = 0, 1, …, which puts the work in the stream; successive i should use different memory, so that the cache does not
/// hold the operands.  Warms up first; a try whose clock moved or whose samples scatter is repeated.
Timing measure(const DeviceStream& stream, const DeviceMonitor& monitor, const std::string& pci_bus_id, const TimingRules& rules,
               const std::function<void(int)>& launch);

}  // namespace reckon::check
