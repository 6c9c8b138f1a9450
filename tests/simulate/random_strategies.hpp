// Random jobs over shipped architectures, devices, stacks and strategies, the same on every run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../cost/scene.hpp"
#include "base/random.hpp"
#include "io/architecture_files.hpp"

namespace reckon {

class RandomJobs {
 public:
  explicit RandomJobs(std::uint64_t seed) : random_(seed, 0) {
    for (const char* name : {"llama-3-8b", "llama-3-70b", "gpt3-175b", "gpt3-13b", "mixtral-8x7b", "qwen2-7b", "llama-3.1-405b"})
      architectures_.push_back(read_architecture(name, shipped().models));
    for (const char* name : {"h100", "a100-sxm-80gb", "b200"}) clusters_.push_back(shipped().catalog.cluster_for(name));
    for (const auto& [id, stack] : shipped().set.stacks.entries) stacks_.push_back(&stack);
  }

  /// The next sound job with one of `schedules`; valid until the next call.
  Job next(const std::vector<Schedule>& schedules) {
    for (;;) {
      const Architecture& a = pick(architectures_);
      const Cluster& c = pick(clusters_);
      Strategy s;
      s.schedule = pick(schedules);
      s.tensor_parallel = power(8);
      s.sequence_parallel = s.tensor_parallel > 1;
      s.context_parallel = random_.next() % 4 == 0 ? power(4) : 1;
      s.pipeline_parallel = 1 + random_.next() % 16;
      s.data_parallel = power(64);
      if (a.transformer()->experts) s.expert_parallel = power(8);
      if (s.schedule == Schedule::interleaved) s.virtual_stages = 2 + random_.next() % 4;
      if (s.pipeline_parallel == 1) s.schedule = Schedule::none, s.virtual_stages = 1;
      s.micro_batch_size = power(4);
      s.global_batch_size = s.data_parallel * s.micro_batch_size * (1 + random_.next() % 64);
      s.sharding = static_cast<Sharding>(random_.next() % 4);
      const std::uint32_t recompute = random_.next() % 3;
      s.recompute = recompute == 0 ? Recompute::none : recompute == 1 ? Recompute::selective : Recompute::full;
      const Stack& stack = *pick(stacks_);
      if (!problems(s, s.num_devices()).empty() || !problems(s, *a.transformer()).empty()) continue;
      const std::int64_t layers = a.transformer()->num_layers;
      if (s.pipeline_parallel * s.virtual_stages > layers) continue;
      links_ = link_calibration(shipped().set.links, c.device, c.fabric, stack.facts);
      return {&a, &c, &shipped().set.device(c.device.id), &links_, &stack, Task{.seq_len = 4096}, s};
    }
  }

 private:
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[random_.next() % from.size()];
  }
  std::int64_t power(std::int64_t most) {
    std::int64_t v = 1;
    while (v < most && random_.next() % 3 != 0) v *= 2;
    return v;
  }

  Philox random_;
  std::vector<Architecture> architectures_;
  std::vector<Cluster> clusters_;
  LinkCalibration links_;
  std::vector<const Stack*> stacks_;
};

}  // namespace reckon
