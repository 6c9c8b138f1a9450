// Properties that any step must have, on the shipped calibrations.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "cost/data_parallel.hpp"
#include "cost/layer_cost.hpp"
#include "cost/lower.hpp"
#include "io/architecture_files.hpp"
#include "scene.hpp"

namespace reckon {
namespace {

double total(const Case& c) { return c.cost().time.total().base(); }

/// Kernels of a micro-batch's forward and backward pass through the eight layers and what stands before and after them.
std::pair<double, double> kernels_of(const Case& c) {
  double forward = 0, backward = 0;
  const LoweredModel model = lower(c.architecture, c.strategy, c.task, c.stack.facts);
  const auto count = [&](const LoweredLayer& layer, double times) {
    for (const Op& op : layer.ops) forward += times * op.forward_kernels * op.times, backward += times * op.backward_kernels * op.times;
  };
  count(model.before, 1.0);
  count(model.kinds[0], 8.0);
  count(model.after, 1.0);
  return {forward, backward};
}

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

TEST(StepCost, Fp16RunsMayKeepTheirGradientsInFp16) {
  Case c;
  c.strategy.sharding = Sharding::none;
  c.strategy.precision = Precision::fp16;
  c.stack.facts.gradient_bytes = c.stack.facts.reduced_gradient_bytes = 4.0;
  c.stack.facts.fp16_gradients = false;
  const StepCost wide = c.cost();
  c.stack.facts.fp16_gradients = true;
  const StepCost narrow = c.cost();
  EXPECT_DOUBLE_EQ(narrow.memory.gradients.base(), 0.5 * wide.memory.gradients.base());
  EXPECT_LT(narrow.time.total(), wide.time.total());
  c.strategy.precision = Precision::bf16;
  EXPECT_DOUBLE_EQ(c.cost().memory.gradients.base(), wide.memory.gradients.base());
}

TEST(StepCost, AFlatCopyOfFp16GradientsIsFourBytesAParameter) {
  Case c;
  c.strategy.sharding = Sharding::none;
  c.strategy.precision = Precision::fp16;
  c.stack.facts.flat_gradient_copy = false;
  const Bytes without = c.cost().memory.optimizer;
  c.stack.facts.flat_gradient_copy = true;
  EXPECT_DOUBLE_EQ(c.cost().memory.optimizer.base(), without.base() * (12.0 + 4.0) / 12.0);
}

TEST(StepCost, EachMicroBatchIsFetchedWhileTheDeviceWaits) {
  Case one, four;
  for (Case* c : {&one, &four}) c->stack.facts.cuda_graphs = false, c->stack.constants.host_time = Seconds{1e-3};
  one.strategy.micro_batch_size = 4, one.strategy.global_batch_size = four.strategy.global_batch_size = 4;
  EXPECT_GT(total(four) - total(one), 3 * 2 * 75 * 1e-3);  // three fetches more, on the first and the last stage, which are one here
}

TEST(StepCost, TracedKernelsWaitForTheHostOneByOneAndMessagesDoNot) {
  Case c;
  c.stack.facts.traced = true;
  c.stack.facts.cuda_graphs = false;
  c.stack.constants.host_time = Seconds{1.0};  // longer than any kernel here
  c.strategy.micro_batch_size = c.strategy.global_batch_size = 1;
  const auto [forward, backward] = kernels_of(c);
  EXPECT_NEAR(c.cost().time.forward.base(), forward, 1e-6 * forward);
  EXPECT_NEAR(c.cost().time.backward.base(), backward, 1e-6 * backward);
  // half as much work to each of two ranks: as many kernels, and the messages on top
  c.strategy.tensor_parallel = 2;
  EXPECT_NEAR(c.cost().time.forward.base(), forward, 1e-6 * forward);
  EXPECT_GT(c.cost().time.exposed_tensor.base(), 0.0);
}

TEST(StepCost, SynchronousLaunchesComeOnTopOfTheirKernels) {
  Case c;
  c.stack.facts.cuda_graphs = false;
  c.strategy.micro_batch_size = c.strategy.global_batch_size = 1;
  c.strategy.recompute = Recompute::none;
  const auto times = [&](double host_us) {
    c.stack.constants.host_time = microseconds * host_us;
    return c.cost().time;
  };
  c.stack.facts.synchronous_launches = false;
  const StepTime beside = times(0.01), later = times(0.02);  // far below the kernels: only what the device waits for grows
  c.stack.facts.synchronous_launches = true;
  const StepTime one = times(0.01), two = times(0.02);
  const auto [forward, backward] = kernels_of(c);
  EXPECT_NEAR((one.forward - beside.forward).base(), forward * 0.01e-6, 1e-12);
  EXPECT_NEAR((two.backward - one.backward).base(), backward * 0.01e-6, 1e-12);
  EXPECT_NEAR((later.backward - beside.backward).base(), 0.0, 1e-12);
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

// --- lowering, by hand

TEST(Lowering, HoldsTheParametersOfTheModel) {
  const Architecture a = small_llama();
  const Strategy s;
  const LoweredModel m = lower(a, s, Task{}, StackFacts{});
  const std::vector<Stage> stages = stages_of(m, 1);
  const StageParameters p = parameters_of(m, stages[0]);
  EXPECT_DOUBLE_EQ(p.dense + p.expert, parameter_count(a).total());
}

TEST(Lowering, TensorParallelismSplitsTheProductsExactly) {
  const Architecture a = small_llama();
  Strategy one, four;
  four.tensor_parallel = 4;
  const auto flops = [&](const Strategy& s) {
    const LoweredModel model = lower(a, s, Task{}, StackFacts{});
    double sum = 0;
    for (const Op& op : model.kinds[0].ops)
      if (op.kind == OpKind::product) sum += 2.0 * op.product.m * op.product.n * op.product.k * op.product.batch;
    return sum;
  };
  EXPECT_DOUBLE_EQ(flops(one), 4.0 * flops(four));
}

TEST(Lowering, UnfusedAttentionSavesFiveBytesAScore) {
  // Korthikanti et al. 2022, equation 1: 5 a s^2 b bytes with dropout
  Architecture a = small_llama();
  Strategy s;
  s.attention = AttentionKind::unfused;
  StackFacts facts;
  facts.dropout = true;
  const LoweredModel model = lower(a, s, Task{}, facts);
  double core = 0;
  for (const Op& op : model.kinds[0].ops)
    if (op.group == OpGroup::attention_core) core += op.saved.base();
  EXPECT_DOUBLE_EQ(core, 5.0 * 32 * 4096.0 * 4096.0);
}

TEST(Lowering, MatricesThatComeNotInFoursTakeTheLongWayThroughSoftmax) {
  Architecture a = small_llama();
  std::get<Transformer>(a.body).num_kv_heads = 32;
  Strategy s;
  s.attention = AttentionKind::unfused;
  const auto softmax = [&](std::int64_t tp, std::int64_t mb) {
    s.tensor_parallel = tp;
    s.micro_batch_size = mb;
    const LoweredModel model = lower(a, s, Task{}, StackFacts{});
    const auto& ops = model.kinds[0].ops;
    return *std::find_if(ops.begin(), ops.end(), [](const Op& op) { return std::string(op.name) == "softmax"; });
  };
  const double scores = 4096.0 * 4096.0;
  EXPECT_DOUBLE_EQ(softmax(16, 2).forward_traffic.base(), 4 * scores * 4.0);  // 2 heads x 2 sequences: read and write two bytes
  EXPECT_EQ(softmax(16, 2).forward_kernels, 1);
  EXPECT_DOUBLE_EQ(softmax(16, 1).forward_traffic.base(), 2 * scores * 37.0);
  EXPECT_DOUBLE_EQ(softmax(16, 1).backward_traffic.base(), 2 * scores * 41.0);
  EXPECT_EQ(softmax(16, 1).forward_kernels, 5);
}

TEST(Lowering, LayerOfGptSavesThirtyFourBytesATokenAndWidth) {
  // Korthikanti et al. 2022, equation 1: s b h (34 + 5 a s / h) bytes a layer for a two-matrix MLP with dropout
  Architecture a = small_llama();
  Transformer& m = std::get<Transformer>(a.body);
  m.gated_mlp = false;
  m.norm = NormKind::layer_norm;
  m.num_kv_heads = m.num_heads;
  m.ffn_hidden_size = 4 * m.hidden_size;
  m.positions = PositionKind::learned;
  m.qkv_bias = m.attention_output_bias = m.mlp_bias = true;
  Strategy s;
  s.attention = AttentionKind::unfused;
  s.precision = Precision::fp16;
  StackFacts facts;
  facts.dropout = true;
  const LoweredLayer layer = lower(a, s, Task{}, facts).kinds[0];
  const double tokens = 4096, h = 4096, heads = 32;
  EXPECT_NEAR(layer_memory(layer, s, false).saved.base(), tokens * h * (34.0 + 5.0 * heads * 4096.0 / h), 0.02 * tokens * h * 34.0);
}

TEST(Lowering, ExpertsSeeTheTokensThatAreRoutedToThem) {
  Architecture a = small_llama();
  std::get<Transformer>(a.body).experts = Experts{.num_experts = 8, .experts_per_token = 2, .expert_ffn_hidden_size = 14336};
  Strategy s;
  s.expert_parallel = 4;
  s.data_parallel = 4;
  const LoweredModel model = lower(a, s, Task{}, StackFacts{});
  for (const Op& op : model.kinds[0].ops)
    if (op.group == OpGroup::expert_product) {
      EXPECT_DOUBLE_EQ(op.product.batch, 2.0);                    // 8 experts over 4 ranks
      EXPECT_DOUBLE_EQ(op.product.m * op.product.batch, 2 * 4096.0);  // each rank works on as many copies as it sent
    }
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

TEST(Lowering, PadsTheHeadToTheStacksMultiple) {
  Case c;
  std::get<Transformer>(c.architecture.body).vocab_size = 50257;
  const auto rows = [&c](std::int64_t tp, double multiple) {
    c.strategy.tensor_parallel = tp;
    c.stack.facts.vocabulary_multiple = multiple;
    for (const Op& op : lower(c.architecture, c.strategy, c.task, c.stack.facts).after.ops)
      if (std::string(op.name) == "head") return op.product.n;
    return 0.0;
  };
  EXPECT_EQ(rows(1, 128), 50304);
  EXPECT_EQ(rows(8, 128), 51200 / 8);  // Megatron-LM: a multiple of 128 tp
  EXPECT_EQ(rows(1, 1), 50257);
  EXPECT_EQ(rows(2, 1), 25128);
}

TEST(StepCost, AFusedDispatcherSendsATokenOnceToEachNode) {
  Case c;
  auto& t = std::get<Transformer>(c.architecture.body);
  t.experts = Experts{.num_experts = 64, .experts_per_token = 8, .expert_ffn_hidden_size = 1024};
  c.strategy.expert_parallel = 32;
  c.strategy.data_parallel = 32;
  c.stack.facts.fused_dispatch = false;
  const Seconds copies = c.cost().time.exposed_expert;
  c.stack.facts.fused_dispatch = true;
  // eight visits touch 4 (1 - (3/4)^8) = 3.6 of 4 nodes instead of sending 8 copies
  EXPECT_LT(c.cost().time.exposed_expert, copies * 0.6);
}

TEST(StepCost, MegatronCoresOptimizerWalksOverTheTensorsThatARankOwns) {
  Case c;
  auto& t = std::get<Transformer>(c.architecture.body);
  t.num_layers = 4;
  c.stack.constants.host_time = Seconds{1e-3};
  const auto added = [&] {
    c.stack.facts.optimizer_by_tensor = false;
    const Seconds without = c.cost().time.optimizer;
    c.stack.facts.optimizer_by_tensor = true;
    return (c.cost().time.optimizer - without).base();
  };
  // qkv, output, up with gate, down and two norms: 6 tensors a layer, 20 launches of 1 ms each
  EXPECT_NEAR(added(), 4 * 6 * 20e-3, 1e-9);
  c.strategy.data_parallel = 8;  // shared by eight
  EXPECT_NEAR(added(), 4 * 6 * 20e-3 / 8, 1e-9);
  // four of 32 experts a rank: their matrices are tensors of their own, on one replica whole
  t.experts = Experts{.num_experts = 32, .experts_per_token = 4, .expert_ffn_hidden_size = 512};
  c.strategy.expert_parallel = 8;
  EXPECT_NEAR(added(), 4 * (5.0 / 8 + 2 * 4) * 20e-3, 1e-9);  // beside experts: qkv, output, router, two norms
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

TEST(Lowering, AConvolutionReadsItsImageOnce) {
  const Architecture a = read_architecture("resnet-50", shipped().models);
  Strategy s;
  s.micro_batch_size = 2;
  const LoweredModel model = lower(a, s, Task{}, StackFacts{});
  const auto find = [&](std::string_view name) {
    return *std::find_if(model.kinds[0].ops.begin(), model.kinds[0].ops.end(), [&](const Op& op) { return op.name == name; });
  };
  const Op stem = find("stem"), spatial = find("spatial");
  // 7 x 7 with stride 2 on 224 x 224 x 3, read as four channels: 2 images of 112^2 output pixels
  EXPECT_DOUBLE_EQ(stem.product.m * stem.product.k * stem.product.held_a, 2 * 224.0 * 224.0 * 4.0);
  EXPECT_DOUBLE_EQ(stem.saved.base(), 2 * 224.0 * 224.0 * 3.0 * 2.0);
  EXPECT_DOUBLE_EQ(spatial.product.m * spatial.product.k * spatial.product.held_a, 2 * 56.0 * 56.0 * 64.0);
  const StageParameters p = parameters_of(model, stages_of(model, 1)[0]);
  EXPECT_DOUBLE_EQ(p.dense, parameter_count(a).total());
}

TEST(Lowering, FusedBatchNormPassesOverTheImageOnlyWhereAResidualJoins) {
  const Architecture a = read_architecture("resnet-50", shipped().models);
  StackFacts apart, fused;
  fused.fused_batch_norm = true;
  const auto forward = [&](const StackFacts& facts) {
    double sum = 0;
    const LoweredModel model = lower(a, Strategy{}, Task{}, facts);
    for (const Op& op : model.kinds[0].ops)
      if (op.group == OpGroup::norm) sum += op.forward_traffic.base();
    return sum;
  };
  // outputs of the blocks: 3 x 56^2 x 256, 4 x 28^2 x 512, 6 x 14^2 x 1024, 3 x 7^2 x 2048 values of two bytes
  const double joined = 2.0 * (3 * 56.0 * 56 * 256 + 4 * 28.0 * 28 * 512 + 6 * 14.0 * 14 * 1024 + 3 * 7.0 * 7 * 2048);
  EXPECT_DOUBLE_EQ(forward(fused), 3.0 * joined);
  EXPECT_GT(forward(apart), 2.0 * forward(fused));
}

TEST(Lowering, ARingOfContextRanksMergesItsSteps) {
  const Architecture a = small_llama();
  Strategy s;
  s.context_parallel = 4;
  const auto merges = [&] {
    const LoweredModel model = lower(a, s, Task{}, StackFacts{});
    const auto& ops = model.kinds[0].ops;
    const auto found = std::find_if(ops.begin(), ops.end(), [](const Op& op) { return std::string_view(op.name) == "ring merges"; });
    return found == ops.end() ? Op{} : *found;
  };
  // 1,024 tokens of 32 heads of 128: written once, then three steps of three quarters read, read and write them; keys and values of 8 heads
  const double q = 1024.0 * 32 * 128, kv = 1024.0 * 8 * 2 * 128;
  EXPECT_DOUBLE_EQ(merges().forward_traffic.base(), 2.0 * q * (2 + 3 * 0.75 * 3));
  EXPECT_DOUBLE_EQ(merges().backward_traffic.base(), 2.0 * (q + kv) * 3 * 0.75 * 3);
  s.context_parallel = 1;
  EXPECT_EQ(merges().forward_traffic.base(), 0.0);
}

TEST(StepCost, MixturesOfExpertsWithoutGraphsAreBoundByTheHostAtSmallMicroBatches) {
  Case c;
  auto& t = std::get<Transformer>(c.architecture.body);
  t.experts = Experts{.num_experts = 64, .experts_per_token = 4, .expert_ffn_hidden_size = 512};
  c.strategy.global_batch_size = 1;
  c.stack.constants.host_time = Seconds{1e-5};
  c.stack.facts.cuda_graphs = false;
  const double host = c.cost().time.forward.base();
  c.stack.facts.cuda_graphs = true;
  EXPECT_GT(host, 1.5 * c.cost().time.forward.base());
}

}  // namespace
}  // namespace reckon
