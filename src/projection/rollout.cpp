// SPDX-License-Identifier: Apache-2.0
#include "projection/rollout.hpp"

#include <algorithm>

namespace reckon {

RolloutCost rollout_cost(const RolloutLoop& loop, const RolloutPolicy& policy, double step_device_seconds) {
  const double work = 2.0 * policy.parameters, rate = policy.rate.base();
  RolloutCost out;
  out.prefill = work * loop.prompt / rate;
  const double read = policy.weights.base() + loop.concurrent * policy.cache_per_token.base() * (loop.prompt + 0.5 * loop.response);
  const double step = std::max(read / (loop.devices * policy.bandwidth.base()), work * loop.concurrent / (loop.devices * rate));
  out.decode = loop.response * step * loop.devices / loop.concurrent;
  out.scoring = loop.scored * work * (loop.prompt + loop.response) / rate;
  out.training = loop.epochs * step_device_seconds;
  out.critic = loop.critics * out.training;
  return out;
}

}  // namespace reckon
