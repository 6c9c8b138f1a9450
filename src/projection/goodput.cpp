// SPDX-License-Identifier: Apache-2.0
#include "projection/goodput.hpp"

#include <algorithm>
#include <cmath>

namespace reckon {

Goodput goodput(std::int64_t devices, const FailureModel& model) {
  Goodput out;
  const double per_second = static_cast<double>(devices) * model.failures_per_device_day / days.base();
  if (per_second <= 0) {
    out.mean_time_to_failure = Seconds{INFINITY};
    out.checkpoint_interval = model.checkpoint_interval;
    if (model.checkpoint_interval.base() > 0) out.checkpoint_share = model.checkpoint_stall / (model.checkpoint_interval + model.checkpoint_stall);
    out.value = 1.0 - out.checkpoint_share;
    return out;
  }
  const Seconds mttf{1.0 / per_second};
  const Seconds young{std::sqrt(2.0 * model.checkpoint_stall.base() * mttf.base())};
  const Seconds interval = model.checkpoint_interval.base() > 0 ? model.checkpoint_interval : max(young, model.checkpoint_stall);
  const double stall = interval.base() > 0 ? model.checkpoint_stall / interval : 0.0;
  const double lost = 0.5 * (interval / mttf), restart = (model.restart / mttf) * (1.0 + model.planned_per_unexpected);
  out.mean_time_to_failure = mttf;
  out.checkpoint_interval = interval;
  out.value = std::max(0.01, (1.0 - lost - restart) / (1.0 + stall));
  out.lost_share = lost;
  out.restart_share = restart;
  out.checkpoint_share = out.value * stall;
  return out;
}

}  // namespace reckon
