// Models lowered to ops, against counts by hand.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "cost/data_parallel.hpp"
#include "cost/layer_cost.hpp"
#include "cost/lower.hpp"
#include "io/architecture_files.hpp"
#include "scene.hpp"

namespace reckon {
namespace {

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

}  // namespace
}  // namespace reckon
