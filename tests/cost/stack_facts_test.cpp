// What the facts of a software stack change in a step.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <utility>

#include "cost/lower.hpp"
#include "scene.hpp"

namespace reckon {
namespace {

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

TEST(StackFacts, Fp16RunsMayKeepTheirGradientsInFp16) {
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

TEST(StackFacts, AFlatCopyOfFp16GradientsIsFourBytesAParameter) {
  Case c;
  c.strategy.sharding = Sharding::none;
  c.strategy.precision = Precision::fp16;
  c.stack.facts.flat_gradient_copy = false;
  const Bytes without = c.cost().memory.optimizer;
  c.stack.facts.flat_gradient_copy = true;
  EXPECT_DOUBLE_EQ(c.cost().memory.optimizer.base(), without.base() * (12.0 + 4.0) / 12.0);
}

TEST(StackFacts, EachMicroBatchIsFetchedWhileTheDeviceWaits) {
  Case one, four;
  for (Case* c : {&one, &four}) c->stack.facts.cuda_graphs = false, c->stack.constants.host_time = Seconds{1e-3};
  one.strategy.micro_batch_size = 4, one.strategy.global_batch_size = four.strategy.global_batch_size = 4;
  EXPECT_GT((four.cost().time.total() - one.cost().time.total()).base(), 3 * 2 * 75 * 1e-3);  // three fetches more, on the first and the last stage, which are one here
}

TEST(StackFacts, TracedKernelsWaitForTheHostOneByOneAndMessagesDoNot) {
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

TEST(StackFacts, SynchronousLaunchesComeOnTopOfTheirKernels) {
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

TEST(StackFacts, AFusedDispatcherSendsATokenOnceToEachNode) {
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

TEST(StackFacts, MegatronCoresOptimizerWalksOverTheTensorsThatARankOwns) {
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

TEST(StackFacts, MixturesOfExpertsWithoutGraphsAreBoundByTheHostAtSmallMicroBatches) {
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
