// SPDX-License-Identifier: Apache-2.0
#include "plan/enumerate.hpp"

#include <algorithm>

namespace reckon {
namespace {

using Values = std::vector<std::int64_t>;

Values powers_of_two(std::int64_t most) {
  Values out;
  for (std::int64_t v = 1; v <= most; v *= 2) out.push_back(v);
  return out;
}

Values divisors(std::int64_t n, std::int64_t most) {
  Values out;
  for (std::int64_t v = 1; v <= std::min(n, most); ++v)
    if (n % v == 0) out.push_back(v);
  return out;
}

Values or_default(const Values& given, Values otherwise) { return given.empty() ? otherwise : given; }

class Enumeration {
 public:
  Enumeration(const Question& q, std::int64_t devices, const std::function<void(const Strategy&)>& visit)
      : q_(q), devices_(devices), visit_(visit), model_(q.architecture->transformer()) {}

  void run() {
    Strategy s;
    s.precision = q_.precision;
    s.attention = q_.attention;
    s.global_batch_size = q_.global_batch_size;
    for (const std::int64_t t : tensor_values()) {
      if (devices_ % t != 0) continue;
      s.tensor_parallel = t;
      s.sequence_parallel = t > 1;
      for (const std::int64_t c : context_values()) {
        if ((devices_ / t) % c != 0) continue;
        s.context_parallel = c;
        for (const std::int64_t p : or_default(q_.space.pipeline, divisors(devices_ / (t * c), layers()))) {
          if (p > layers() || (devices_ / (t * c)) % p != 0) continue;
          s.pipeline_parallel = p;
          s.data_parallel = devices_ / (t * c * p);
          experts(s);
        }
      }
    }
  }

 private:
  std::int64_t layers() const { return model_ == nullptr ? 1 : model_->num_layers + model_->num_encoder_layers; }
  std::int64_t sequence() const { return q_.task.seq_len > 0 ? q_.task.seq_len : (model_ == nullptr ? 1 : model_->seq_len); }

  Values tensor_values() const {
    if (model_ == nullptr) return {1};
    const std::int64_t domain = std::max(q_.cluster->node.devices_per_node, q_.cluster->node.scale_up_domain);
    Values out = or_default(q_.space.tensor, powers_of_two(std::min<std::int64_t>(16, domain)));
    std::erase_if(out, [this](std::int64_t t) { return model_->num_heads % t != 0 || (model_->num_kv_heads % t != 0 && t % model_->num_kv_heads != 0); });
    return out;
  }
  Values context_values() const {
    if (model_ == nullptr || !model_->causal || model_->num_encoder_layers > 0) return {1};
    return or_default(q_.space.context, powers_of_two(std::clamp<std::int64_t>(sequence() / 2048, 1, 16)));
  }

  void experts(Strategy s) {
    if (model_ == nullptr || !model_->experts) return micro_batches(s);
    const std::int64_t ranks = s.tensor_parallel * s.context_parallel * s.data_parallel;
    for (const std::int64_t e : or_default(q_.space.expert, divisors(model_->experts->num_experts, 64))) {
      if (model_->experts->num_experts % e != 0 || ranks % e != 0) continue;
      s.expert_parallel = e;
      s.expert_tensor_parallel = 1;
      micro_batches(s);
    }
  }

  void micro_batches(Strategy s) {
    for (const std::int64_t b : or_default(q_.space.micro_batch, model_ == nullptr ? powers_of_two(1024) : powers_of_two(8))) {
      if (q_.global_batch_size % (s.data_parallel * b) != 0) continue;
      s.micro_batch_size = b;
      for (const Recompute r : q_.space.recompute) {
        if (model_ == nullptr && r != Recompute::none) continue;
        if (r == Recompute::selective && s.attention == AttentionKind::flash) continue;  // flash attention already recomputes its scores
        s.recompute = r;
        schedules(s);
      }
    }
  }

  void schedules(Strategy s) {
    if (s.pipeline_parallel == 1) {
      s.schedule = Schedule::none;
      return shardings(s);
    }
    const std::int64_t per_stage = layers() / s.pipeline_parallel;
    for (const Schedule schedule : q_.space.schedules) {
      if (schedule == Schedule::none) continue;
      s.schedule = schedule;
      s.virtual_stages = 1;
      if (schedule != Schedule::interleaved) {
        shardings(s);
        continue;
      }
      if (layers() % s.pipeline_parallel != 0 || s.num_micro_batches() % s.pipeline_parallel != 0) continue;
      for (const std::int64_t v : or_default(q_.space.virtual_stages, divisors(per_stage, 8))) {
        if (v < 2 || per_stage % v != 0) continue;
        s.virtual_stages = v;
        shardings(s);
      }
    }
  }

  void shardings(Strategy s) {
    for (const Sharding z : q_.space.sharding) {
      if (z == Sharding::zero3 && (s.pipeline_parallel > 1 || s.expert_parallel > 1)) continue;  // gathers would repeat for every micro-batch of the pipeline
      s.sharding = z;
      visit_(s);
    }
  }

  const Question& q_;
  std::int64_t devices_;
  const std::function<void(const Strategy&)>& visit_;
  const Transformer* model_;
};

}  // namespace

void for_each_strategy(const Question& question, std::int64_t num_devices, const std::function<void(const Strategy&)>& visit) {
  Enumeration(question, num_devices, visit).run();
}

}  // namespace reckon
