// SPDX-License-Identifier: Apache-2.0
#include "projection/projection.hpp"

#include <cmath>

#include "base/error.hpp"

namespace reckon {

Projection project(Seconds compute, double units_per_step, std::int64_t num_devices, const RunPlan& run) {
  Projection out;
  const Seconds step = max(compute, loading_time(run.feed, units_per_step, num_devices));
  out.steps = std::ceil(run.units / units_per_step);
  out.throughput = Tokens{units_per_step} / step;
  out.goodput = goodput(num_devices, run.failures);
  out.wall_time = step * (out.steps / out.goodput.value);
  const double devices = static_cast<double>(num_devices);
  out.device_hours = devices * out.wall_time.in(hours) * (1.0 + run.reserve);
  const double micro = std::round(out.device_hours * (run.price / dollars_per_hour) * 1e6);
  if (!std::isfinite(micro) || micro > 9.2e18) throw InternalError("the cost of the run is beyond 9.2e12 dollars or not a number");
  out.cost_micro_usd = static_cast<std::int64_t>(micro);
  out.energy = run.device_power * out.wall_time * (devices * run.pue);
  return out;
}

}  // namespace reckon
