// Hugging Face configs: every family against the reference implementation, and everything that can be wrong.
// SPDX-License-Identifier: Apache-2.0
#include "io/hugging_face.hpp"

#include <gtest/gtest.h>

#include <set>

#include "hugging_face_samples.hpp"

namespace reckon {
namespace {

using namespace samples;

bool has_note(const Architecture& a, const std::string& part) {
  for (const std::string& note : a.notes)
    if (note.find(part) != std::string::npos) return true;
  return false;
}

TEST(HuggingFace, EveryFamilyHasTheParametersOfTheNetworkThatTransformersBuilds) {
  const JsonDocument file = read_json(RECKON_SOURCE_DIR "/tests/io/hugging_face_vectors.json");
  std::set<std::string> families;

  for (const JsonNode& vector : file.root().at("vectors").items()) {
    const JsonNode config = vector.at("config");
    const double built = static_cast<double>(vector.at("parameters").integer(1, largest_count));
    families.insert(config.at("model_type").string());
    EXPECT_EQ(parameter_count(architecture_from_config(config, "x")).total(), built) << config.dump();
  }

  EXPECT_GE(families.size(), 60u);
  // of the rest transformers has no code (remote-code releases), or they are towers of multi-modal files; tested below
  const std::set<std::string> elsewhere{
      "RefinedWeb",      "RefinedWebModel", "baichuan",      "chatglm",           "internlm2",     "kimi_k2", "qwen", "qwen2_5_vl",
      "qwen2_5_vl_text", "qwen2_vl",        "qwen2_vl_text", "qwen3_vl_moe_text", "qwen3_vl_text", "unet",    "yi"};
  for (const std::string& type : known_model_types())
    EXPECT_TRUE(families.count(type) == 1 || elsewhere.count(type) == 1) << type << " has no vector";
}

// Totals on the hub's pages of files whose code is not part of transformers.
TEST(HuggingFace, ReadsFirstReleasesUnderTheirOwnNames) {
  const Members falcon_40b{
      {"model_type", "\"RefinedWeb\""}, {"hidden_size", "8192"},   {"n_layer", "60"}, {"n_head", "128"}, {"n_head_kv", "8"},
      {"vocab_size", "65024"},          {"parallel_attn", "true"}, {"bias", "false"}, {"alibi", "false"}};
  const Members falcon_7b{{"model_type", "\"RefinedWebModel\""},
                          {"hidden_size", "4544"},
                          {"n_layer", "32"},
                          {"n_head", "71"},
                          {"multi_query", "true"},
                          {"vocab_size", "65024"},
                          {"parallel_attn", "true"},
                          {"bias", "false"},
                          {"alibi", "false"}};
  const Members qwen_7b{
      {"model_type", "\"qwen\""},     {"hidden_size", "4096"},  {"num_hidden_layers", "32"}, {"num_attention_heads", "32"},
      {"intermediate_size", "22016"}, {"vocab_size", "151936"}, {"kv_channels", "128"},      {"no_bias", "true"},
      {"seq_length", "8192"}};
  const Members chatglm3_6b{
      {"model_type", "\"chatglm\""},  {"hidden_size", "4096"},      {"num_layers", "28"},           {"num_attention_heads", "32"},
      {"kv_channels", "128"},         {"ffn_hidden_size", "13696"}, {"padded_vocab_size", "65024"}, {"multi_query_attention", "true"},
      {"multi_query_group_num", "2"}, {"add_qkv_bias", "true"},     {"add_bias_linear", "false"},   {"seq_length", "8192"}};
  const Members baichuan_7b{{"model_type", "\"baichuan\""}, {"hidden_size", "4096"},        {"num_hidden_layers", "32"},
                            {"num_attention_heads", "32"},  {"intermediate_size", "11008"}, {"vocab_size", "64000"}};
  const Members internlm2_7b{
      {"model_type", "\"internlm2\""}, {"hidden_size", "4096"},        {"num_hidden_layers", "32"}, {"num_attention_heads", "32"},
      {"num_key_value_heads", "8"},    {"intermediate_size", "14336"}, {"vocab_size", "92544"},     {"bias", "false"}};

  EXPECT_EQ(parameters(falcon_40b), 41'303'293'952);
  EXPECT_EQ(parameters(falcon_7b), 6'921'720'704);
  EXPECT_EQ(parameters(qwen_7b), 7'721'324'544);
  EXPECT_EQ(parameters(chatglm3_6b), 6'243'584'000);
  EXPECT_EQ(parameters(baichuan_7b), 7'000'559'616);
  EXPECT_EQ(parameters(internlm2_7b), 7'737'708'544);
  EXPECT_EQ(parameters(with(deepseek(), {{"model_type", "\"kimi_k2\""}})), parameters(deepseek()));
  EXPECT_EQ(parameters(with(llama(), {{"model_type", "\"yi\""}})), parameters(llama()));
}

TEST(HuggingFace, PlansTheTextTowerOfAMultiModalFile) {
  const double text = parameters(llama());
  const Members nested{
      {"model_type", "\"llava\""}, {"text_config", object(llama())}, {"vision_config", "{\"hidden_size\": 32, \"num_hidden_layers\": 3}"}};

  EXPECT_EQ(parameters(nested), text);
  EXPECT_TRUE(has_note(read(nested), "left out: vision_config"));
  EXPECT_EQ(parameters({{"model_type", "\"mistral3\""}, {"text_config", object(with(llama(), {{"model_type", "\"mistral\""}}))}}), text);
  EXPECT_EQ(parameters({{"model_type", "\"qwen2_5_vl\""}, {"text_config", object(with(llama(), {{"model_type", "\"qwen2_5_vl_text\""}}))}}),
            parameters(with(llama(), {{"model_type", "\"qwen2\""}})));
  EXPECT_EQ(parameters({{"model_type", "\"x\""}, {"thinker_config", object({{"text_config", object(llama())}})}}), text);
  // the outer file may say what the inner does not
  EXPECT_EQ(
      parameters(
          {{"model_type", "\"llava\""}, {"tie_word_embeddings", "true"}, {"text_config", object(without(llama(), "tie_word_embeddings"))}}),
      text - 6400);
}

// google/gemma-3-4b-it leaves heads, head width and vocabulary to the class.
TEST(HuggingFace, Gemma3LeavesSizesToItsClass) {
  const Members text{{"model_type", "\"gemma3_text\""},
                     {"hidden_size", "2560"},
                     {"intermediate_size", "10240"},
                     {"num_hidden_layers", "34"},
                     {"sliding_window", "1024"}};
  const Architecture a = read({{"model_type", "\"gemma3\""}, {"text_config", object(text)}, {"vision_config", "{}"}});

  EXPECT_EQ(parameter_count(a).total(), 3'880'263'168);
  EXPECT_EQ(a.transformer()->window_period, 6);
  EXPECT_TRUE(has_note(a, "the default of its class"));
}

TEST(HuggingFace, HeadWidthTraps) {
  EXPECT_EQ(transformer(llama()).head_dim, 16);
  EXPECT_EQ(transformer(with(llama(), {{"head_dim", "24"}})).head_dim, 24);
  EXPECT_EQ(transformer(with(llama(), {{"head_dim", "null"}})).head_dim, 16);
  // DeepSeek's head_dim is the rotary part: the attention width comes from the nope, rope and value parts
  EXPECT_EQ(parameters(with(deepseek(), {{"head_dim", "4"}})), parameters(deepseek()));
  EXPECT_EQ(transformer(deepseek()).head_dim, 12);
}

TEST(HuggingFace, WindowsAreReadOnlyWhereTheyAreUsed) {
  const Members qwen = with(llama(), {{"model_type", "\"qwen2\""}, {"sliding_window", "32"}});
  const Members gemma = with(llama(), {{"model_type", "\"gemma2\""}, {"sliding_window", "32"}});
  const Members listed =
      with(llama(), {{"model_type", "\"qwen3\""},
                     {"sliding_window", "32"},
                     {"use_sliding_window", "true"},
                     {"num_hidden_layers", "4"},
                     {"layer_types", R"(["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"])"}});

  EXPECT_EQ(transformer(qwen).sliding_window, 0);
  EXPECT_EQ(transformer(with(qwen, {{"use_sliding_window", "true"}, {"max_window_layers", "0"}})).sliding_window, 32);
  EXPECT_EQ(transformer(with(llama(), {{"model_type", "\"mistral\""}, {"sliding_window", "null"}})).sliding_window, 0);
  EXPECT_EQ(transformer(gemma).window_period, 2);
  EXPECT_EQ(transformer(listed).window_period, 4);
  EXPECT_TRUE(has_note(read(with(qwen, {{"use_sliding_window", "true"}, {"max_window_layers", "1"}})), "irregular places"));
}

TEST(HuggingFace, DenseLayersBetweenExpertsAreCountedExactly) {
  const Members base = with(mixtral(), {{"model_type", "\"qwen3_moe\""}, {"num_hidden_layers", "6"}, {"moe_intermediate_size", "32"}});
  const Transformer every_second = transformer(with(base, {{"decoder_sparse_step", "2"}}));
  const Architecture irregular = read(with(base, {{"mlp_only_layers", "[1, 2]"}}));

  EXPECT_EQ(num_expert_layers(every_second), 3);
  EXPECT_FALSE(is_expert_layer(every_second, 0));
  EXPECT_TRUE(is_expert_layer(every_second, 1));
  EXPECT_EQ(num_expert_layers(*irregular.transformer()), 4);
  EXPECT_TRUE(has_note(irregular, "sizes are exact"));
  EXPECT_TRUE(has_note(read(with(base, {{"mlp_only_layers", "[0, 1, 2, 3, 4, 5]"}})), "dense network"));
}

TEST(HuggingFace, UnknownKeysAreCountedAndNeverRefused) {
  const Architecture a = read(with(llama(), {{"zz_new", "{\"deep\": [1, 2]}"}, {"rope_scaling", "null"}}));

  EXPECT_TRUE(has_note(a, "3 keys without effect on size or time: rms_norm_eps, rope_scaling, zz_new"));
}

TEST(HuggingFace, NotesWhatIsQuantisedAndPredictedAhead) {
  const Architecture a =
      read(with(deepseek(), {{"quantization_config", "{\"quant_method\": \"fp8\"}"}, {"num_nextn_predict_layers", "1"}}));

  EXPECT_TRUE(has_note(a, "quantised"));
  EXPECT_TRUE(has_note(a, "multi-token-prediction"));
  EXPECT_EQ(a.transformer()->num_mtp_layers, 1);
  EXPECT_EQ(a.transformer()->experts->groups_per_token, 2);
}

TEST(HuggingFace, AsReadsAnUnknownFamily) {
  const Members unknown = with(llama(), {{"model_type", "\"lamma-next\""}});

  EXPECT_EQ(parameter_count(read(unknown, "llama")).total(), parameters(llama()));
  EXPECT_EQ(read(unknown, "qwen3").transformer()->qk_norm, true);
  EXPECT_THROW(read(unknown, "lama"), UsageError);
}

// Each key of each family's file replaced by each of these: read, or refused with a place; never a crash, a hang or another error.
TEST(HuggingFace, EveryKeyOfEveryFamilyMayBeWrong) {
  const std::vector<std::string> values{"null", "true",  "0",     "-1", "1",   "3",          "7.5", "1e6",
                                        "1e18", "1e300", "\"x\"", "[]", "[1]", "[\"x\", 2]", "{}",  "{\"a\": []}"};
  const JsonDocument file = read_json(RECKON_SOURCE_DIR "/tests/io/hugging_face_vectors.json");
  std::int64_t accepted = 0, refused = 0;
  std::vector<JsonNode> configs;
  std::set<std::string> families;
  for (const JsonNode& vector : file.root().at("vectors").items())
    if (families.insert(vector.at("config").at("model_type").string()).second) configs.push_back(vector.at("config"));
  const JsonDocument image = parse_json(object(unet()), "unet");
  configs.push_back(image.root());

  for (const JsonNode& config : configs) {
    Members members;
    for (const auto& [key, value] : config.members()) members[key] = value.dump();
    for (const auto& [key, ignored] : members) {
      for (const std::string& value : values) {
        try {
          const ParameterCount p = parameter_count(read(with(members, {{key, value}})));
          EXPECT_TRUE(p.total() > 0 && p.active() > 0 && p.total() < 1e40) << key << " = " << value;
          ++accepted;
        } catch (const ConfigError& error) {
          EXPECT_EQ(error.place().rfind("/", 0), 0u) << error.what();
          ++refused;
        }
      }
    }
  }

  EXPECT_GT(refused, 5'000);
  EXPECT_GT(accepted, 5'000);
}

struct Bad {
  std::string text, place, says;
};

void expect_refused(const Bad& bad) {
  try {
    read(bad.text);
    ADD_FAILURE() << "accepted: " << bad.text;
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.exit_code(), 2);
    EXPECT_EQ(error.file(), "config.json") << bad.text;
    const bool syntax = bad.place == "1:";  // line 1; the column is the parser's affair
    EXPECT_EQ(syntax ? error.place().substr(0, 2) : error.place(), bad.place) << error.what() << "\n" << bad.text;
    EXPECT_NE(std::string(error.what()).find(bad.says), std::string::npos) << error.what();
  }
}

TEST(HuggingFace, EveryMissingFieldIsNamed) {
  const std::vector<std::pair<Members, std::vector<std::string>>> families{
      {llama(), {"model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size"}},
      {mixtral(), {"num_local_experts", "num_experts_per_tok"}},
      {deepseek(), {"kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim", "num_experts_per_tok"}},
      {t5(), {"d_model", "d_kv", "d_ff", "num_layers", "num_heads", "vocab_size"}},
      {vit(), {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "image_size", "patch_size"}},
      {resnet(), {"embedding_size", "depths", "hidden_sizes"}},
      {unet(), {"block_out_channels", "cross_attention_dim", "sample_size"}},
  };
  int cases = 0;

  for (const auto& [base, keys] : families) {
    for (const std::string& key : keys) {
      expect_refused({object(without(base, key)), "/" + key, "missing"});
      if (key == "model_type") continue;
      expect_refused({object(with(base, {{key, "null"}})), "/" + key, "missing"});
      expect_refused({object(with(base, {{key, "\"32\""}})), "/" + key, "expected"});
      expect_refused({object(with(base, {{key, "{}"}})), "/" + key, "expected"});
      ++cases;
    }
  }

  EXPECT_EQ(cases, 30);
}

TEST(HuggingFace, EverySizeOutOfRangeIsNamed) {
  for (const char* key : {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size",
                          "vocab_size", "max_position_embeddings", "head_dim"}) {
    for (const char* value : {"0", "-4", "1e300", "18446744073709551615", "9000000000000"})
      expect_refused({object(with(llama(), {{key, value}})), std::string("/") + key, "out of range"});
    for (const char* value : {"3.5", "true", "[4]", "\"4\""})
      expect_refused({object(with(llama(), {{key, value}})), std::string("/") + key, "expected"});
  }
}

TEST(HuggingFace, RefusesWhatDoesNotMultiplyOut) {
  const std::vector<Bad> cases{
      {object(with(llama(), {{"num_attention_heads", "5"}, {"num_key_value_heads", "5"}})), "/num_attention_heads",
       "5 heads do not divide the hidden size 64"},
      {object(with(llama(), {{"num_key_value_heads", "3"}})), "/num_key_value_heads", "3 key-value heads do not divide 4 heads"},
      {object(with(llama(), {{"num_key_value_heads", "8"}})), "/num_key_value_heads", "8 key-value heads do not divide 4 heads"},
      {object(with(gpt2(), {{"n_head", "6"}})), "/n_head", "6 heads do not divide the hidden size 64"},
      {object(with(mixtral(), {{"num_experts_per_tok", "5"}})), "/num_experts_per_tok", "cannot visit 5 of 4 experts"},
      {object(with(deepseek(), {{"n_group", "3"}})), "/n_group", "3 groups do not divide 8 experts"},
      {object(with(deepseek(), {{"topk_group", "5"}})), "/topk_group", "cannot visit 5 of 4 groups"},
      {object(with(deepseek(), {{"first_k_dense_replace", "9"}})), "/first_k_dense_replace", "9 dense layers of 2"},
      {object(with(vit(), {{"patch_size", "7"}})), "/patch_size", "7 does not divide the image side 32"},
      {object(with(vit(), {{"num_attention_heads", "5"}})), "/num_attention_heads", "do not divide"},
      {object(with(resnet(), {{"hidden_sizes", "[256, 500]"}})), "/hidden_sizes/1", "must double"},
      {object(with(resnet(), {{"hidden_sizes", "[256]"}})), "/hidden_sizes", "1 widths for 2 stages"},
      {object(with(unet(), {{"block_out_channels", "[32, 50]"}})), "/block_out_channels/1", "no multiple"},
      {object(with(unet(), {{"attention_head_dim", "7"}})), "/attention_head_dim", "do not divide"},
      {object(with(unet(), {{"attention_head_dim", "[4]"}})), "/attention_head_dim", "1 entries for 2 levels"},
      {object(with(unet(), {{"sample_size", "15"}})), "/sample_size", "cannot be halved"},
      {object(with(llama(), {{"model_type", "\"qwen3\""}, {"layer_types", "[\"full_attention\"]"}})), "/layer_types",
       "1 entries for 2 layers"},
      {object(with(llama(), {{"model_type", "\"qwen\""}, {"intermediate_size", "97"}})), "/intermediate_size", "odd"},
  };

  for (const Bad& bad : cases) expect_refused(bad);
}

TEST(HuggingFace, RefusesWhatItCannotDescribe) {
  const std::vector<Bad> cases{
      {object(with(llama(), {{"model_type", "\"lama\""}})), "/model_type", "did you mean 'llama'?"},
      {object(with(llama(), {{"model_type", "\"mamba2\""}})), "/model_type", "--as llama"},
      {object(with(llama(), {{"model_type", "7"}})), "/model_type", "expected a text"},
      {object(with(llama(), {{"tie_word_embeddings", "1"}})), "/tie_word_embeddings", "expected true or false"},
      {object(with(llama(), {{"attention_bias", "\"no\""}})), "/attention_bias", "expected true or false"},
      {object(with(gpt2(), {{"add_cross_attention", "true"}})), "/add_cross_attention", "cross attention"},
      {object(with(mixtral(), {{"num_local_experts", "-1"}})), "/num_local_experts", "out of range"},
      {object(with(mixtral(), {{"num_local_experts", "[8]"}})), "/num_local_experts", "expected"},
      {object(with(t5(), {{"feed_forward_proj", "5"}})), "/feed_forward_proj", "expected a text"},
      {object(with(t5(), {{"is_gated_act", "true"}})), "/is_gated_act", "contradicts"},
      {object(with(vit(), {{"id2label", "[\"cat\"]"}})), "/id2label", "expected an object"},
      {object(with(resnet(), {{"layer_type", "\"wide\""}})), "/layer_type", "bottleneck or basic"},
      {object(with(resnet(), {{"depths", "[3, 0]"}})), "/depths/1", "out of range"},
      {object(with(resnet(), {{"depths", "[3, \"4\"]"}})), "/depths/1", "expected"},
      {object(with(unet(), {{"_class_name", "\"FluxTransformer2DModel\""}})), "/_class_name", "unknown diffusers class"},
      {object(with(unet(), {{"down_block_types", "[\"AttnDownBlock2D\", \"DownBlock2D\"]"}})), "/down_block_types/0", "not described"},
      {object(with(unet(), {{"up_block_types", "[\"CrossAttnUpBlock2D\", \"CrossAttnUpBlock2D\"]"}})), "/up_block_types/0",
       "does not mirror"},
      {object(with(unet(), {{"addition_embed_type", "\"image\""}})), "/addition_embed_type", "not described"},
      {object(with(unet(), {{"addition_embed_type", "\"text_time\""}})), "/projection_class_embeddings_input_dim", "missing"},
      {object({{"model_type", "\"llava\""}, {"text_config", object(without(llama(), "hidden_size"))}}), "/text_config/hidden_size",
       "missing"},
      {object({{"model_type", "\"llava\""}, {"text_config", object(with(llama(), {{"vocab_size", "\"1\""}}))}}), "/text_config/vocab_size",
       "expected"},
      {"[1, 2]", "", "an object"},
      {"{}", "/model_type", "missing"},
      {"", "1:", ""},
      {object(llama()).substr(0, 60), "1:", ""},
      {"{\"model_type\": \"llama\", }", "1:", ""},
      {"{\"hidden_size\": 1, \"hidden_size\": 2}", "1:", ""},
      {std::string(100, '[') + std::string(100, ']'), "1:", "deep"},
  };

  for (const Bad& bad : cases) expect_refused(bad);
}

}  // namespace
}  // namespace reckon
