// Reinforcement learning of a language model: what generation, scoring and a critic take beside the policy's training step.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/quantity.hpp"

namespace reckon {

/// The loop: every prompt is answered by the policy, the answers are scored by further models, the policy (and a critic) is trained on
/// them.
struct RolloutLoop {
  double prompt = 512, response = 1024;  ///< tokens
  double concurrent = 64;                ///< sequences that one copy of the policy generates at a time
  double devices = 1;                    ///< that hold one copy while it generates
  double scored = 1;   ///< forward passes of other models of the policy's size: GRPO 1 (reference), PPO 3 (reference, reward, critic)
  double critics = 0;  ///< models trained beside the policy: PPO 1, GRPO 0
  double epochs = 1;   ///< how often each answer is trained on
};

/// The policy and the device that it runs on.
struct RolloutPolicy {
  double parameters = 0;     ///< that work on a token (mixture of experts: of the active experts)
  Bytes weights;             ///< read once a decoding step by a copy
  Bytes cache_per_token;     ///< keys and values of all layers
  BytesPerSecond bandwidth;  ///< of a device's memory, as streams reach it
  FlopsPerSecond rate;       ///< of a device's matrix units in products, as the training step reaches it
};

/// Device-seconds of one trained sequence.
struct RolloutCost {
  double prefill = 0, decode = 0, scoring = 0, critic = 0, training = 0;
  /// Everything beside the policy's training, over it: the assumption `rollout_share`.
  double share() const { return training > 0 ? (prefill + decode + scoring + critic) / training : 0; }
};

/// `step_device_seconds`: of one sequence in the policy's predicted training step.  N parameters, g devices a copy, c sequences at a time:
///
///   prefill   2 N prompt / rate
///   decode    response x max((weights + c cache (prompt + response / 2)) / (g bandwidth), 2 N c / (g rate)) x g / c
///             a decoding step reads the weights and all cached keys and values once (Pope et al. 2022, arXiv 2211.05102, section 2)
///   scoring   scored x 2 N (prompt + response) / rate
///   training  epochs x the predicted step;  critic: critics x the same
///
/// The roles follow Ouyang et al. 2022 (arXiv 2203.02155, PPO) and Shao et al. 2024 (arXiv 2402.03300, GRPO).  Not in it: waiting for the
/// longest answer of a batch, moving weights from the trainer to the generator.
RolloutCost rollout_cost(const RolloutLoop& loop, const RolloutPolicy& policy, double step_device_seconds);

}  // namespace reckon
