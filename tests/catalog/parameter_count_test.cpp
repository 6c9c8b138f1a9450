// Parameters and model FLOP of the catalogue's networks, as integers.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/error.hpp"
#include "catalog/architecture.hpp"
#include "io/architecture_files.hpp"

namespace reckon {
namespace {

Architecture read(const std::string& name) { return read_architecture(name, RECKON_SOURCE_DIR "/models"); }

Transformer transformer(const std::string& name) { return *read(name).transformer(); }

std::int64_t total(const std::string& name) { return static_cast<std::int64_t>(parameter_count(read(name)).total()); }
std::int64_t active(const std::string& name) { return static_cast<std::int64_t>(parameter_count(read(name)).active()); }

struct Total {
  const char* name;
  std::int64_t parameters;
};

// The totals that the hub's pages and papers print for these checkpoints.
TEST(ParameterCount, EqualsPublishedTotals) {
  const Total totals[] = {
      {"llama-2-7b", 6'738'415'616},
      {"llama-3-8b", 8'030'261'248},
      {"llama-3.1-70b", 70'553'706'496},
      {"llama-3.1-405b", 405'853'388'800},
      {"mistral-7b", 7'241'732'096},
      {"mistral-nemo-12b", 12'247'782'400},
      {"qwen2-7b", 7'615'616'512},
      {"qwen3-8b", 8'190'735'360},
      {"qwen3-0.6b", 596'049'920},
      {"mixtral-8x7b", 46'702'792'704},
      {"deepseek-v3", 671'026'419'200},
      {"qwen3-30b-a3b", 30'532'122'624},
      {"qwen3-235b-a22b", 235'093'634'560},
      {"gpt2", 124'439'808},
      {"gpt2-xl", 1'557'611'200},
      {"gpt-neox-20b", 20'554'567'680},
      {"vit-b-16", 86'567'656},
      {"falcon-7b", 6'921'720'704},
  };

  for (const Total& t : totals) EXPECT_EQ(total(t.name), t.parameters) << t.name;
}

TEST(ParameterCount, EqualsPublishedActiveCounts) {
  EXPECT_EQ(active("deepseek-v3"), 37'552'297'472);
  EXPECT_EQ(active("qwen3-30b-a3b"), 3'353'032'704);
  EXPECT_EQ(active("qwen3-235b-a22b"), 22'190'763'520);
  EXPECT_EQ(active("llama-2-7b"), total("llama-2-7b"));
}

// The same networks built by transformers 4.57.1 and diffusers 0.35.2, their tensors counted.
TEST(ParameterCount, EqualsBuiltNetworks) {
  const Total totals[] = {
      {"stable-diffusion-1.5", 859'520'964},
      {"stable-diffusion-2.1", 865'910'724},
      {"stable-diffusion-xl", 2'567'463'684},
      {"resnet-50", 25'557'032},
      {"t5-base", 222'903'552},
      {"t5-11b", 11'307'321'344},
      {"vit-l-16", 304'326'632},
      {"bloom-176b", 176'247'271'424},
      {"opt-175b", 174'604'468'224},
      {"falcon-40b", 41'303'293'952},
      {"falcon-180b", 178'557'088'768},
      {"gpt-oss-120b", 116'829'156'672},
      {"gpt-oss-20b", 20'914'757'184},
      {"deepseek-v2", 235'741'434'880},
      {"deepseek-v2-lite", 15'706'484'224},
      {"qwen2-57b-a14b", 57'408'658'944},
      {"qwen1.5-moe-a2.7b", 14'315'784'192},
      {"llama-4-maverick", 400'711'848'960},
      {"gemma-2-27b", 27'227'128'320},
      {"phi-2", 2'779'683'840},
      {"gpt-j-6b", 6'050'882'784},
      {"olmo-7b", 6'888'095'744},
      {"mpt-7b", 6'649'286'656},
      {"nemotron-4-340b", 341'029'195'776},
      {"gpt3-175b", 174'604'259'328},
      {"llama-3.2-1b", 1'235'814'400},
      {"qwen2.5-0.5b", 494'032'768},
  };

  for (const Total& t : totals) EXPECT_EQ(total(t.name), t.parameters) << t.name;
}

TEST(ParameterCount, BertWithPoolerAndWithPreTrainingHeads) {
  Architecture bert = read("bert-base");
  EXPECT_EQ(parameter_count(bert).total(), 110'106'428);

  std::get<Transformer>(bert.body).mlm_head = false;

  EXPECT_EQ(parameter_count(bert).total(), 109'482'240);
}

// A decoder of one layer, width 8, 2 heads of 4 of which 1 key-value head, MLP 16, vocabulary 10:
// table 80, queries 64, keys and values 64, output 64, MLP 2 x 128, norms 2 x 16 + 16 (weight and bias), head 80.
Architecture small_decoder() {
  Transformer t{
      .num_layers = 1, .hidden_size = 8, .num_heads = 2, .num_kv_heads = 1, .head_dim = 4, .ffn_hidden_size = 16, .vocab_size = 10};
  t.seq_len = 6;
  return {.name = "small", .family = "gpt", .body = t, .provenance = {}, .notes = {}};
}

TEST(ParameterCount, SumsByHandForASmallDecoder) {
  const ParameterCount p = parameter_count(small_decoder());

  EXPECT_EQ(p.input_embedding, 80);
  EXPECT_EQ(p.attention, 64 + 64 + 64);
  EXPECT_EQ(p.dense_mlp, 256);
  EXPECT_EQ(p.norms, 48);
  EXPECT_EQ(p.output_head, 80);
  EXPECT_EQ(p.total(), 80 + 192 + 256 + 48 + 80);
}

TEST(ParameterCount, TyingRemovesOneTable) {
  Architecture a = small_decoder();
  const double untied = parameter_count(a).total();
  std::get<Transformer>(a.body).tied_embeddings = true;

  EXPECT_EQ(parameter_count(a).total(), untied - 80);
  EXPECT_EQ(parameter_count(a).output_head, 0);
}

TEST(ParameterCount, MultiTokenPredictionStaysOutOfTheTotal) {
  Architecture v3 = read("deepseek-v3");
  const ParameterCount with = parameter_count(v3);
  std::get<Transformer>(v3.body).num_mtp_layers = 0;

  // "11.5B unique parameters" of DeepSeek-V3's README_WEIGHTS.md
  EXPECT_NEAR(with.multi_token_prediction, 11.5e9, 0.12e9);
  EXPECT_EQ(parameter_count(v3).total(), with.total());
  EXPECT_EQ(parameter_count(v3).multi_token_prediction, 0);
}

TEST(ExpertLayers, CountsAndPlaces) {
  const Transformer v3 = transformer("deepseek-v3"), maverick = transformer("llama-4-maverick");

  EXPECT_EQ(num_expert_layers(v3), 58);
  EXPECT_FALSE(is_expert_layer(v3, 2));
  EXPECT_TRUE(is_expert_layer(v3, 3));
  EXPECT_EQ(num_expert_layers(maverick), 24);
  EXPECT_FALSE(is_expert_layer(maverick, 0));
  EXPECT_TRUE(is_expert_layer(maverick, 1));
  EXPECT_EQ(num_expert_layers(transformer("llama-2-7b")), 0);
}

// One forward pass, attention counted whole, as PyTorch 2.6's FlopCounterMode counts it over the networks that transformers and
// diffusers build: equal to the last FLOP.
TEST(ModelFlops, ForwardPassEqualsPyTorchsCounter) {
  const struct {
    const char* name;
    std::int64_t seq_len, flops;
  } counted[] = {
      {"resnet-50", 0, 8'178'368'512},
      {"stable-diffusion-1.5", 0, 803'273'441'280},
      {"stable-diffusion-2.1", 0, 2'149'105'745'920},
      {"stable-diffusion-xl", 0, 6'761'236'398'080},
      {"vit-b-16", 0, 35'127'656'448},
      {"bert-base", 128, 28'500'298'752},
      {"t5-base", 128, 58'862'862'336},
      {"gpt2", 256, 65'664'319'488},
      {"qwen3-0.6b", 128, 156'330'115'072 - 16'384},  // less the 2 x 64 x 128 FLOP that make the rotary angles
  };

  for (const auto& c : counted) {
    const double three_passes = model_flops_per_sample(read(c.name), c.seq_len, AttentionCount::whole).base();
    EXPECT_EQ(three_passes, 3.0 * static_cast<double>(c.flops)) << c.name;
  }
}

// llama-2-7b: 6 x (6,738,415,616 - 131,072,000 of the table - 65 norms of 4096) + 12 x 32 x 4096 x 4096 a token.
TEST(ModelFlops, IsSixNAndTwelveLhs) {
  const Architecture a = read("llama-2-7b");
  const double weights = 6'738'415'616.0 - 131'072'000.0 - 65 * 4096.0, attention = 12.0 * 32 * 4096 * 4096;

  EXPECT_EQ(model_flops_per_token(a, 4096, AttentionCount::whole), 6 * weights + attention);
  EXPECT_EQ(model_flops_per_token(a, 4096), 6 * weights + attention / 2);
  EXPECT_EQ(model_flops_per_sample(a, 4096).base(), 4096 * model_flops_per_token(a, 4096));
}

TEST(ModelFlops, AWindowLimitsTheKeys) {
  Architecture a = small_decoder();
  Transformer& t = std::get<Transformer>(a.body);
  const double full = model_flops_per_token(a, 1024, AttentionCount::whole), full_half = model_flops_per_token(a, 1024);
  t.sliding_window = 256;

  // 12 a d = 96 a key; 256 of 1024 keys are left, of the causal 512 there are 256 - 256^2 / 2048 = 224
  EXPECT_DOUBLE_EQ(full - model_flops_per_token(a, 1024, AttentionCount::whole), 96.0 * (1024 - 256));
  EXPECT_DOUBLE_EQ(full_half - model_flops_per_token(a, 1024), 96.0 * (512 - 224));

  t.sliding_window = 4096;
  EXPECT_EQ(model_flops_per_token(a, 1024), full_half);
}

TEST(ModelFlops, CountsVisitedExpertsOnly) {
  const Architecture a = read("mixtral-8x7b");
  const ParameterCount p = parameter_count(a);
  const double products = p.active() - p.input_embedding - p.norms, attention = 6.0 * 32 * 4096 * 4096;

  EXPECT_DOUBLE_EQ(model_flops_per_token(a, 4096), 6 * products + attention);
}

// About 13 T tokens and 2.15e25 FLOP are reported for it, and about 280 B parameters a token: the shape must give both.
TEST(ModelFlops, TheEstimatedGpt4ShapeGivesItsReportedFigures) {
  const Architecture a = read("gpt-4-class-moe");
  const ParameterCount p = parameter_count(a);

  EXPECT_NEAR(p.total(), 1.8e12, 0.04e12);
  EXPECT_NEAR(p.active(), 280e9, 1e9);
  EXPECT_NEAR(p.attention, 55e9, 0.6e9);
  EXPECT_NEAR(p.experts / 16, 111e9, 0.1e9);
  EXPECT_NEAR(6 * p.active() * 13e12, 2.15e25, 0.04e25);
  EXPECT_FALSE(a.provenance.at("").read);
}

TEST(ModelFlops, NeedsASequenceLengthWhereTheFileHasNone) {
  EXPECT_THROW(model_flops_per_token(read("llama-2-7b"), 0), UsageError);
  EXPECT_GT(model_flops_per_token(read("vit-b-16"), 0), 0);
  EXPECT_GT(model_flops_per_token(read("opt-175b"), 0), 0);
}

}  // namespace
}  // namespace reckon
