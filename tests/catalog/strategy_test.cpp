// SPDX-License-Identifier: Apache-2.0
#include "catalog/strategy.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace reckon {
namespace {

Strategy sound() {  // 8 x 4 x 1 x 4 = 128 devices, 64 samples in 16 micro-batches
  Strategy s;
  s.tensor_parallel = 8;
  s.pipeline_parallel = 4;
  s.data_parallel = 4;
  s.virtual_stages = 2;
  s.schedule = Schedule::interleaved;
  s.sequence_parallel = true;
  s.sharding = Sharding::zero1;
  s.recompute = Recompute::selective;
  s.global_batch_size = 64;
  return s;
}

Transformer transformer() {
  Transformer t;
  t.num_layers = 32;
  t.hidden_size = 4096;
  t.num_heads = 32;
  t.num_kv_heads = 8;
  t.head_dim = 128;
  t.ffn_hidden_size = 14336;
  t.vocab_size = 128256;
  t.seq_len = 8192;
  return t;
}

/// The field of the only broken rule; says so when there are none or several.
std::string broken(const Strategy& s, std::int64_t devices = 128) {
  const Problems found = problems(s, devices);
  if (found.size() == 1) return found.front().field;
  return std::to_string(found.size()) + " problems";
}

TEST(StrategyNames, EveryNameComesBack) {
  for (const Schedule v : {Schedule::none, Schedule::gpipe, Schedule::one_f_one_b, Schedule::interleaved, Schedule::zb_h1, Schedule::zb_h2,
                           Schedule::zb_v, Schedule::dualpipe})
    EXPECT_EQ(schedule_of(name_of(v)), v);
  for (const Sharding v : {Sharding::none, Sharding::zero1, Sharding::zero2, Sharding::zero3}) EXPECT_EQ(sharding_of(name_of(v)), v);
  for (const Recompute v : {Recompute::none, Recompute::selective, Recompute::modules, Recompute::full})
    EXPECT_EQ(recompute_of(name_of(v)), v);
  for (const AttentionKind v : {AttentionKind::flash, AttentionKind::unfused}) EXPECT_EQ(attention_of(name_of(v)), v);
  for (const Training v : {Training::pretrain, Training::finetune, Training::lora}) EXPECT_EQ(training_of(name_of(v)), v);
  for (const RecomputeModule v : {RecomputeModule::core_attention, RecomputeModule::mlp, RecomputeModule::moe, RecomputeModule::moe_act,
                                  RecomputeModule::layernorm, RecomputeModule::mla_up_proj, RecomputeModule::shared_experts})
    EXPECT_EQ(recompute_module_of(name_of(v)), v);
}

TEST(StrategyNames, PublishedSpellings) {
  EXPECT_EQ(name_of(Schedule::interleaved), "interleaved-1f1b");
  EXPECT_EQ(name_of(Schedule::zb_h1), "zb-1p");
  EXPECT_EQ(schedule_of("zb-h1"), Schedule::zb_h1);
  EXPECT_EQ(schedule_of("zb-h2"), Schedule::zb_h2);
  EXPECT_FALSE(schedule_of("interleaved"));
  EXPECT_FALSE(sharding_of("zero4"));
}

TEST(StrategyText, OneStableLine) {
  EXPECT_EQ(describe(sound()), "tp8 pp4 vp2 cp1 ep1 dp4 mb1 zero1 interleaved-1f1b sp selective");
  EXPECT_EQ(describe(Strategy{}), "tp1 pp1 vp1 cp1 ep1 dp1 mb1 zero0");
}

TEST(StrategyRules, SoundOnesPass) {
  EXPECT_EQ(broken(sound()), "0 problems");
  EXPECT_EQ(broken(Strategy{}, 1), "0 problems");
  EXPECT_NO_THROW(validate(sound(), 128, transformer()));
}

TEST(StrategyRules, ProductsAreExact) {
  EXPECT_EQ(broken(sound(), 127), "tensor_parallel");
  EXPECT_EQ(broken(sound(), 129), "tensor_parallel");
  Strategy s = sound();
  s.global_batch_size = 66;
  EXPECT_EQ(broken(s), "global_batch_size");
  s = sound();
  s.expert_parallel = 3;  // 8 * 1 * 4 = 32
  EXPECT_EQ(broken(s), "expert_parallel");
  s.expert_parallel = 16;
  s.expert_tensor_parallel = 4;  // 64 does not divide 32
  EXPECT_EQ(broken(s), "expert_parallel");
  s.expert_tensor_parallel = 2;
  EXPECT_EQ(broken(s), "0 problems");
}

TEST(StrategyRules, OverflowIsABrokenRuleNotAWrappedProduct) {
  Strategy s;
  s.tensor_parallel = std::int64_t{1} << 32;
  s.data_parallel = std::int64_t{1} << 32;  // the product wraps to 0
  const Problems found = problems(s, 128);

  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().field, "tensor_parallel");
  EXPECT_NE(found.front().message.find("more than 2^63"), std::string::npos);
}

TEST(StrategyRules, DegreesArePositive) {
  const auto zero = [](std::int64_t Strategy::*field) {
    Strategy s = sound();
    s.*field = 0;
    const Problems found = problems(s, 128);
    return found.size() == 1 ? found.front().field : "?";
  };
  EXPECT_EQ(zero(&Strategy::tensor_parallel), "tensor_parallel");
  EXPECT_EQ(zero(&Strategy::pipeline_parallel), "pipeline_parallel");
  EXPECT_EQ(zero(&Strategy::context_parallel), "context_parallel");
  EXPECT_EQ(zero(&Strategy::expert_parallel), "expert_parallel");
  EXPECT_EQ(zero(&Strategy::data_parallel), "data_parallel");
  EXPECT_EQ(zero(&Strategy::virtual_stages), "virtual_stages");
  EXPECT_EQ(zero(&Strategy::micro_batch_size), "micro_batch_size");
  EXPECT_EQ(zero(&Strategy::global_batch_size), "global_batch_size");
  EXPECT_EQ(problems(sound(), 0).front().field, "num_devices");
}

TEST(StrategyRules, PipelinesNeedASchedule) {
  Strategy s = sound();
  s.schedule = Schedule::none;
  s.virtual_stages = 1;
  EXPECT_EQ(broken(s), "schedule");
  s.schedule = Schedule::one_f_one_b;
  EXPECT_EQ(broken(s), "0 problems");
  s.virtual_stages = 2;
  EXPECT_EQ(broken(s), "virtual_stages");
  s.schedule = Schedule::zb_v;  // its two chunks a stage may be written so
  EXPECT_EQ(broken(s), "0 problems");
  s.virtual_stages = 1;
  s.schedule = Schedule::interleaved;
  EXPECT_EQ(broken(s), "schedule");
}

TEST(StrategyRules, RecomputeNamesItsModulesAndLayers) {
  Strategy s = sound();
  s.recompute = Recompute::modules;
  EXPECT_EQ(broken(s), "recompute_modules");
  s.recompute_modules = {RecomputeModule::mlp};
  EXPECT_EQ(broken(s), "0 problems");
  s.recompute = Recompute::none;
  EXPECT_EQ(broken(s), "recompute_modules");
  s = sound();
  s.recompute_layers = 3;
  EXPECT_EQ(broken(s), "recompute_layers");
}

TEST(StrategyRules, ShardGroupsDivideTheReplicas) {
  Strategy s = sound();
  s.shard_group_size = 3;
  EXPECT_EQ(broken(s), "shard_group_size");
  s.shard_group_size = 2;
  EXPECT_EQ(broken(s), "0 problems");
}

TEST(StrategyRules, TheArchitectureMustDivide) {
  Transformer t = transformer();
  t.num_heads = 20;
  EXPECT_EQ(problems(sound(), t).front().field, "tensor_parallel");
  t = transformer();
  t.num_kv_heads = 2;  // replicated over 8 tensor ranks
  EXPECT_TRUE(problems(sound(), t).empty());
  t.num_kv_heads = 3;
  EXPECT_EQ(problems(sound(), t).size(), 1u);
  t = transformer();
  t.seq_len = 8190;
  EXPECT_EQ(problems(sound(), t).front().field, "sequence_parallel");
  Strategy s = sound();
  s.expert_parallel = 4;
  EXPECT_EQ(problems(s, transformer()).front().field, "expert_parallel");
  t = transformer();
  t.experts = Experts{.num_experts = 6, .experts_per_token = 2};
  EXPECT_EQ(problems(s, t).front().field, "expert_parallel");
}

TEST(StrategyRules, StagesCountTheEmbeddingAndTheHead) {
  Transformer t = transformer();
  t.num_layers = 30;
  Strategy s = sound();
  s.virtual_stages = 8;  // 32 stages for 30 layers, the embedding and the head
  EXPECT_TRUE(problems(s, t).empty());
  t.num_layers = 29;
  EXPECT_EQ(problems(s, t).front().field, "pipeline_parallel");
}

TEST(StrategyRules, ValidateThrowsTheFirstProblem) {
  try {
    validate(sound(), 64);
    FAIL() << "nothing was thrown";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "tensor 8 x pipeline 4 x context 1 x data 4 = 128, but there are 64 devices");
  }
}

}  // namespace
}  // namespace reckon
