// Properties that any step must have, on the shipped calibrations.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "cost/layer_cost.hpp"
#include "scene.hpp"

namespace reckon {
namespace {

double total(const Case& c) { return c.cost().time.total().base(); }

TEST(StepCost, TensorTimeNeedsATensorGroup) {
  Case c;
  c.strategy.data_parallel = 8;
  EXPECT_EQ(c.cost().time.exposed_tensor, Seconds{});
  c.strategy.data_parallel = 4;
  c.strategy.tensor_parallel = 2;
  EXPECT_GT(c.cost().time.exposed_tensor, Seconds{});
}

TEST(StepCost, OneStageHasNoBubbleAndNoPipelineMessages) {
  Case c;
  c.strategy.data_parallel = 8;
  EXPECT_EQ(c.cost().time.bubble, Seconds{});
  EXPECT_EQ(c.cost().time.exposed_pipeline, Seconds{});
}

TEST(StepCost, OneDeviceSendsNothing) {
  const StepTime t = Case().cost().time;
  EXPECT_EQ(t.exposed_tensor + t.exposed_context + t.exposed_expert + t.exposed_pipeline + t.exposed_data, Seconds{});
}

TEST(StepCost, ThePartsAddUpToTheTotal) {
  Case c;
  c.strategy.tensor_parallel = 4;
  c.strategy.pipeline_parallel = 2;
  c.strategy.schedule = Schedule::one_f_one_b;
  c.strategy.data_parallel = 2;
  const StepTime t = c.cost().time;
  const Seconds sum = t.forward + t.backward + t.recompute + t.exposed_tensor + t.exposed_context + t.exposed_expert + t.exposed_pipeline + t.exposed_data +
                      t.bubble + t.optimizer + t.jitter;
  EXPECT_DOUBLE_EQ(sum.base(), t.total().base());
  const MemoryFootprint m = c.cost().memory;
  EXPECT_DOUBLE_EQ((m.weights + m.gradients + m.optimizer + m.activations + m.workspace + m.communication + m.framework).base(), m.total().base());
}

TEST(StepCost, FasterLinksAreNeverSlower) {
  for (const std::int64_t tp : {1, 2, 8}) {
    Case slow;
    slow.strategy.tensor_parallel = tp;
    slow.strategy.sequence_parallel = tp > 1;
    slow.strategy.data_parallel = 64 / tp;
    Case fast = slow;
    fast.cluster.fabric.nic_bandwidth *= 2.0;
    fast.cluster.device.link_bandwidth *= 2.0;
    EXPECT_LE(total(fast), total(slow)) << "tp " << tp;
  }
}

TEST(StepCost, MoreWorkTakesLonger) {
  Case small, large;
  small.strategy.data_parallel = large.strategy.data_parallel = 8;
  large.strategy.global_batch_size = 128;
  EXPECT_GT(total(large), 1.8 * total(small));
  EXPECT_LT(total(large), 2.1 * total(small));
}

TEST(StepCost, FullRecomputationCostsTimeAndSavesMemory) {
  Case kept, again;
  kept.strategy.data_parallel = again.strategy.data_parallel = 8;
  again.strategy.recompute = Recompute::full;
  EXPECT_EQ(kept.cost().time.recompute, Seconds{});
  EXPECT_GT(total(again), total(kept));
  EXPECT_LT(again.cost().memory.activations, kept.cost().memory.activations);
}

TEST(StepCost, ShardingSavesMemoryStageByStage) {
  Case c;
  c.strategy.data_parallel = 8;
  Bytes before{1e18};
  for (const Sharding z : {Sharding::none, Sharding::zero1, Sharding::zero2, Sharding::zero3}) {
    c.strategy.sharding = z;
    const MemoryFootprint m = c.cost().memory;
    const Bytes state = m.weights + m.gradients + m.optimizer;
    EXPECT_LT(state, before) << name_of(z);
    before = state;
  }
}

TEST(StepCost, FrozenWeightsHaveNoOptimiserState) {
  Case full, lora;
  full.strategy.sharding = lora.strategy.sharding = Sharding::none;
  lora.task.training = Training::lora;
  EXPECT_LT(lora.cost().memory.optimizer.base(), 0.05 * full.cost().memory.optimizer.base());
  EXPECT_LT(lora.cost().time.backward, full.cost().time.backward);
}

TEST(StepCost, LowPrecisionProductsAreFaster) {
  Case bf16, fp8;
  fp8.strategy.precision = Precision::fp8;
  EXPECT_LT(total(fp8), total(bf16));
}

TEST(StepCost, UtilisationIsBetweenZeroAndOne) {
  for (const std::int64_t n : {1, 8, 64}) {
    Case c;
    c.strategy.data_parallel = n;
    const double mfu = c.cost().mfu;
    EXPECT_GT(mfu, 0.1) << n;
    EXPECT_LT(mfu, 1.0) << n;
  }
}

TEST(StepCost, ModelFlopsAreSixTimesTheMatrixParametersAndTheAttention) {
  // per token 6 x (parameters in products) + 6 x layers x heads x head_dim x seq (two products, forward + backward = 3x, causal half)
  const Case c;
  const Transformer& m = *c.architecture.transformer();
  const double h = 4096, kv = 8 * 128, f = 14336, v = 128256;
  const double products = 8 * (h * h + 2 * h * kv + h * h + 3 * h * f) + h * v;
  const double attention = 6.0 * 8 * 32 * 128 * 4096;
  EXPECT_NEAR(c.cost().model_flops.base() / (64.0 * static_cast<double>(m.seq_len)), 6.0 * products + attention, 1e-3 * 6.0 * products);
}

TEST(StepCost, IsFiniteAndPositiveOverRandomStrategies) {
  std::mt19937 random(7);
  const auto pick = [&](std::initializer_list<std::int64_t> values) { return *(values.begin() + random() % values.size()); };
  for (int i = 0; i < 2000; ++i) {
    Case c;
    Strategy& s = c.strategy;
    s.tensor_parallel = pick({1, 2, 4, 8});
    s.sequence_parallel = s.tensor_parallel > 1 && random() % 2 == 0;
    s.context_parallel = pick({1, 2, 4});
    s.pipeline_parallel = pick({1, 2, 4, 8});
    s.data_parallel = pick({1, 2, 16});
    s.micro_batch_size = pick({1, 2});
    s.global_batch_size = s.data_parallel * s.micro_batch_size * pick({1, 8, 32});
    s.schedule = s.pipeline_parallel == 1 ? Schedule::none : random() % 2 == 0 ? Schedule::one_f_one_b : Schedule::zb_h1;
    s.recompute = static_cast<Recompute>(random() % 2 == 0 ? 0 : 3);
    s.sharding = static_cast<Sharding>(random() % 4);
    s.precision = random() % 2 == 0 ? Precision::bf16 : Precision::fp8;
    s.attention = random() % 2 == 0 ? AttentionKind::flash : AttentionKind::unfused;
    const StepCost cost = c.cost();
    ASSERT_TRUE(std::isfinite(cost.time.total().base()) && cost.time.total() > Seconds{}) << describe(s);
    ASSERT_TRUE(std::isfinite(cost.memory.total().base()) && cost.memory.total() > Bytes{}) << describe(s);
    for (const Seconds part : {cost.time.forward, cost.time.backward, cost.time.recompute, cost.time.exposed_tensor, cost.time.exposed_data, cost.time.bubble})
      ASSERT_GE(part.base(), 0.0) << describe(s);
  }
}

TEST(StepCost, PricingOnceAndCombiningIsTheSameAsPricingEachTime) {
  Case c;
  c.strategy.tensor_parallel = 2;
  c.strategy.pipeline_parallel = 4;
  c.strategy.schedule = Schedule::one_f_one_b;
  c.strategy.data_parallel = 4;
  const LinkCalibration links = link_calibration(shipped().set.links, c.cluster.device, c.cluster.fabric, c.stack.facts);
  Job job{&c.architecture, &c.cluster, &shipped().set.device("h100-sxm-80gb"), &links, &c.stack, c.task, c.strategy};
  const PricedModel priced = price_model(job);
  job.strategy.pipeline_parallel = 2;  // not among what price_model reads
  job.strategy.data_parallel = 8;
  EXPECT_DOUBLE_EQ(step_cost(job, priced).time.total().base(), step_cost(job).time.total().base());
}

TEST(StepCost, HeadsOfNoWholeSixteenBytesRunUnfusedAttentionOnTheVectorUnits) {
  const auto forward = [](std::int64_t head_dim) {
    Case c;
    c.cluster = shipped().catalog.cluster_for("a100");
    auto& t = std::get<Transformer>(c.architecture.body);
    t.head_dim = head_dim;
    t.num_kv_heads = t.num_heads;
    c.strategy.attention = AttentionKind::unfused;
    return c.cost().time.forward.base();
  };
  EXPECT_GT(forward(108), 1.15 * forward(112));
  EXPECT_LT(forward(104), forward(112));
}

TEST(StepCost, EveryKernelOfAMemoryBoundOpStartsAndDrains) {
  Case c;
  c.stack.facts.cuda_graphs = true;  // no host time
  c.strategy.micro_batch_size = c.strategy.global_batch_size = 1;
  const LinkCalibration links = link_calibration(shipped().set.links, c.cluster.device, c.cluster.fabric, c.stack.facts);
  const ComputeCalibration& compute = shipped().set.device(c.cluster.device.id);
  const Job job{&c.architecture, &c.cluster, &compute, &links, &c.stack, c.task, c.strategy};
  Op op;
  op.forward_traffic = op.backward_traffic = Bytes{1e6};
  op.forward_kernels = 1, op.backward_kernels = 5;
  EXPECT_NEAR((backward_input_time(op, job) - forward_time(op, job)).base(), 4 * compute.stream.latency.base(), 1e-12);
}

}  // namespace
}  // namespace reckon
