// The published runs as committed, and what their reader refuses.
// SPDX-License-Identifier: Apache-2.0
#include "io/published_runs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "io/catalog_files.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;

const fs::path repository = RECKON_SOURCE_DIR;

const Catalog& catalog() {
  static const Catalog opened = open_catalog(repository / "models");
  return opened;
}

const std::string sound_run = R"({"format": "reckon/published-runs/1", "runs": [
{"id": "one", "source": "a paper", "stack": "megatron-bridge", "training": "pretrain",
 "architecture": {"name": "M", "family": "moe", "params": 671e9, "num_layers": 61, "hidden_size": 7168, "num_heads": 128, "num_kv_heads": 128,
  "head_dim": 192, "ffn_hidden_size": 18432, "gated_mlp": true, "vocab_size": 129280, "seq_len": 4096, "num_experts": 256,
  "experts_per_token": 8, "expert_ffn_hidden_size": 2048, "num_shared_experts": 2, "num_dense_layers": 3,
  "multi_head_latent_attention": {"q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128}},
 "cluster": {"device": "gb200", "num_devices": 256, "devices_per_node": 4,
  "fabric": {"nics_per_node": 4, "nic_gbit_per_s": 400, "kind": "infiniband", "stated": false}},
 "strategy": {"tensor_parallel": 1, "pipeline_parallel": 4, "context_parallel": 1, "expert_parallel": 64, "data_parallel": 64,
  "virtual_stages": 4, "schedule": "interleaved-1f1b", "sequence_parallel": false, "sharding": "zero1", "recompute": "modules",
  "recompute_modules": ["mla_up_proj", "moe_act"], "micro_batch_size": 1, "global_batch_size": 2048, "precision": "mxfp8", "attention": "flash"},
 "measured": {"step_time_s": 13.5, "how": "derived", "peak_memory_gib": 140.5, "peak_reserved_gib": 150, "time_to_train_min": 90},
 "assumed": ["cluster.fabric"], "detail": {"container": "26.04", "power_limit_w": 1000, "torch_compile": true, "async_tp": false}}
]})";

std::vector<PublishedRun> read_text(const std::string& text) { return published_runs(parse_json(text, "runs.json").root(), catalog()); }

std::string changed(std::string text, const std::string& from, const std::string& to) {
  const auto place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  return place == std::string::npos ? text : text.replace(place, from.size(), to);
}

TEST(CommittedRuns, AllAreReadInFileOrder) {
  std::size_t runs = 0, files = 0;
  std::set<std::string> ids;
  for (const auto& entry : fs::directory_iterator(repository / "experiments" / "published")) {
    if (entry.path().extension() != ".json") continue;
    const JsonNode list = read_json(entry.path()).root().at("runs");
    const std::vector<PublishedRun> read = read_published_runs(entry.path(), catalog());
    ASSERT_EQ(read.size(), list.size()) << entry.path();
    for (std::size_t i = 0; i < read.size(); ++i) EXPECT_EQ(read[i].id, list.items()[i].at("id").string());
    for (const PublishedRun& run : read) ids.insert(run.id);
    runs += read.size();
    ++files;
  }

  EXPECT_EQ(files, 15u);
  EXPECT_EQ(runs, 843u);
  EXPECT_EQ(ids.size(), runs);
}

TEST(CommittedRuns, ParametersAgreeWithWhatSourcesPrint) {
  std::size_t compared = 0, close = 0;
  for (const auto& entry : fs::directory_iterator(repository / "experiments" / "published")) {
    if (entry.path().extension() != ".json") continue;
    for (const PublishedRun& run : read_published_runs(entry.path(), catalog())) {
      if (run.stated_params == 0) continue;
      ++compared;
      close += std::abs(parameter_count(run.architecture).total() / run.stated_params - 1.0) < 0.02;
    }
  }

  EXPECT_GT(compared, 750u);
  EXPECT_GE(close, compared - 8);  // some BLOOM candidates state a size that their own shape contradicts
}

TEST(PublishedRun, EveryFieldArrives) {
  const PublishedRun run = read_text(sound_run).front();

  EXPECT_EQ(run.id, "one");
  EXPECT_EQ(run.stack, "megatron-bridge");
  EXPECT_EQ(run.training, Training::pretrain);
  EXPECT_DOUBLE_EQ(run.stated_params, 671e9);
  const Transformer& t = *run.architecture.transformer();
  EXPECT_EQ(t.norm, NormKind::rms_norm);
  EXPECT_EQ(t.positions, PositionKind::rotary);
  EXPECT_FALSE(t.tied_embeddings || t.mlp_bias || t.qkv_bias);
  EXPECT_EQ(t.experts->num_experts, 256);
  EXPECT_EQ(t.experts->expert_ffn_hidden_size, 2048);
  EXPECT_EQ(t.experts->shared_ffn_hidden_size, 4096);  // two shared experts of 2048
  EXPECT_EQ(t.experts->num_dense_layers, 3);
  EXPECT_EQ(t.latent_attention->kv_lora_rank, 512);
  EXPECT_EQ(run.cluster.device.id, "gb200");
  EXPECT_EQ(run.cluster.max_devices, 256);
  EXPECT_EQ(run.cluster.node.scale_up_domain, 72);
  EXPECT_EQ(run.cluster.fabric.id, "infiniband-ndr");
  EXPECT_FALSE(run.fabric_stated);
  EXPECT_EQ(run.strategy.schedule, Schedule::interleaved);
  EXPECT_EQ(run.strategy.recompute_modules, (std::vector{RecomputeModule::mla_up_proj, RecomputeModule::moe_act}));
  EXPECT_EQ(run.strategy.precision, Precision::mxfp8);
  EXPECT_EQ(run.strategy.num_micro_batches(), 32);
  EXPECT_DOUBLE_EQ(run.step_time.in(seconds), 13.5);
  EXPECT_TRUE(run.step_time_derived);
  EXPECT_DOUBLE_EQ(run.peak_memory->in(gibibytes), 140.5);
  EXPECT_DOUBLE_EQ(run.peak_reserved->in(gibibytes), 150.0);
  EXPECT_DOUBLE_EQ(run.time_to_train->in(hours), 1.5);
  EXPECT_EQ(run.assumed, std::vector<std::string>{"cluster.fabric"});
  EXPECT_EQ(run.detail.container, "26.04");
  EXPECT_DOUBLE_EQ(run.detail.power_limit->in(watts), 1000.0);
  EXPECT_EQ(run.detail.torch_compile, true);
  EXPECT_EQ(run.detail.async_tensor_parallel, false);
  EXPECT_FALSE(run.detail.activation_cpu_offload);
}

JsonNode block(const std::string& text) { return parse_json(text, "block.json").root(); }

std::string gpt(const std::string& extra, const std::string& family = "gpt") {
  return R"({"name": "G", "family": ")" + family +
         R"(", "num_layers": 24, "hidden_size": 1024, "num_heads": 16, "num_kv_heads": 16, "head_dim": 64,
            "ffn_hidden_size": 4096, "gated_mlp": false, "vocab_size": 50304, "seq_len": 1024)" +
         extra + "}";
}

TEST(RunArchitecture, GptHasBiasesLearnedPositionsAndTiedTables) {
  const Transformer t = *run_architecture(block(gpt(""))).transformer();

  EXPECT_TRUE(t.qkv_bias && t.attention_output_bias && t.mlp_bias && t.tied_embeddings && t.causal);
  EXPECT_EQ(t.norm, NormKind::layer_norm);
  EXPECT_EQ(t.positions, PositionKind::learned);
  EXPECT_EQ(t.max_positions, 1024);
  EXPECT_FALSE(t.experts);
}

TEST(RunArchitecture, StatedParametersDecideWhetherTablesAreTied) {
  // 24 layers of 12 h^2 + 13 h, a table of 50304 h, 1024 h positions and the final norm: 354,871,296; a second table adds 51,511,296
  EXPECT_TRUE(run_architecture(block(gpt(R"(, "params": 354871296)"))).transformer()->tied_embeddings);
  const Architecture untied = run_architecture(block(gpt(R"(, "params": 406382592)")));
  EXPECT_FALSE(untied.transformer()->tied_embeddings);
  EXPECT_EQ(untied.notes.size(), 1u);
  EXPECT_TRUE(run_architecture(block(gpt(R"(, "params": 500000000)"))).transformer()->tied_embeddings);  // neither agrees
  EXPECT_TRUE(run_architecture(block(gpt(R"(, "params": 406382592, "tied_embeddings": true)"))).transformer()->tied_embeddings);
  EXPECT_FALSE(run_architecture(block(gpt(R"(, "params": null)", "llama"))).transformer()->tied_embeddings);
}

TEST(RunArchitecture, BertIsAnEncoder) {
  const Transformer t = *run_architecture(block(gpt("", "bert"))).transformer();

  EXPECT_FALSE(t.causal);
  EXPECT_TRUE(t.mlm_head && t.pooler && t.tied_embeddings);
  EXPECT_EQ(t.token_types, 2);
}

TEST(RunArchitecture, ExpertsDefaultToTheWidthOfTheMlp) {
  const Transformer t = *run_architecture(block(gpt(R"(, "num_experts": 8, "experts_per_token": 2)", "moe"))).transformer();

  EXPECT_EQ(t.experts->expert_ffn_hidden_size, 4096);
  EXPECT_EQ(t.experts->shared_ffn_hidden_size, 0);
  EXPECT_EQ(t.experts->num_dense_layers, 0);
}

TEST(RunArchitecture, ImagesHaveTheirOwnShapes) {
  const Architecture resnet = run_architecture(block(R"({"name": "R", "family": "resnet", "params": 25.6e6})"));
  EXPECT_EQ(std::get<ResNet>(resnet.body).stage_blocks, (std::vector<std::int64_t>{3, 4, 6, 3}));
  const Architecture unet = run_architecture(block(
      R"({"name": "U", "family": "unet", "unet": {"model_channels": 320, "channel_mult": [1, 2, 4, 4], "num_res_blocks": 2, "image": 512,
          "attention_resolutions": [4, 2, 1], "num_head_channels": 64, "transformer_depth": 1, "context_dim": 1024, "latent": [4, 64, 64]}})"));
  EXPECT_EQ(std::get<UNet>(unet.body).latent_size, 64);
  EXPECT_EQ(std::get<UNet>(unet.body).transformer_depth, (std::vector<std::int64_t>{1, 1, 1, 1}));
  EXPECT_NEAR(parameter_count(unet).total(), 865.9e6, 1e6);  // Stable Diffusion 2
}

TEST(RunCluster, OneNodeNeedsNoFabric) {
  const Cluster cluster = run_cluster(block(R"({"device": "h100-sxm-80gb", "num_devices": 1, "devices_per_node": 8})"), catalog());

  EXPECT_EQ(cluster.node.id, "dgx-h100");
  EXPECT_EQ(cluster.fabric.id, "infiniband-ndr");
  EXPECT_EQ(cluster.max_devices, 1);
}

struct WrongRun {
  const char* what;
  const char* from;
  const char* to;
  const char* place;
  const char* reason;
};

void PrintTo(const WrongRun& wrong, std::ostream* out) { *out << wrong.what; }

/// `text` as a name of a test.
std::string identifier(std::string text) {
  for (char& c : text)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return text;
}

class WrongRuns : public testing::TestWithParam<WrongRun> {};

TEST_P(WrongRuns, AreRefusedAtTheirPlace) {
  const WrongRun& wrong = GetParam();

  try {
    read_text(changed(sound_run, wrong.from, wrong.to));
    FAIL() << wrong.what << " was accepted";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.file(), "runs.json");
    EXPECT_EQ(error.place(), wrong.place);
    EXPECT_NE(error.reason().find(wrong.reason), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Published, WrongRuns,
    testing::Values(
        WrongRun{"other format", "published-runs/1", "published-runs/2", "/format", "the format is"},
        WrongRun{"no format", "\"format\": \"reckon/published-runs/1\",", "", "", "'format' is missing"},
        WrongRun{"no runs", "\"runs\"", "\"run\"", "/run", "unknown key"},
        WrongRun{"runs are no array", "\"runs\": [", "\"runs\": 3, \"x\": [", "/x", "unknown key"},
        WrongRun{"missing id", "\"id\": \"one\",", "", "/runs/0", "'id' is missing"},
        WrongRun{"empty id", "\"one\"", "\"\"", "/runs/0/id", "empty"},
        WrongRun{"missing source", "\"source\": \"a paper\",", "", "/runs/0", "'source' is missing"},
        WrongRun{"unknown key", "\"source\"", "\"sources\": 1, \"source\"", "/runs/0/sources", "unknown key"},
        WrongRun{"duplicate key", "\"stack\"", "\"id\": \"two\", \"stack\"", "2:39", "appears twice"},
        WrongRun{"unknown training", "\"pretrain\"", "\"pretraining\"", "/runs/0/training", "unknown value"},
        WrongRun{"unknown family", "\"moe\"", "\"mamba\"", "/runs/0/architecture/family", "unknown value"},
        WrongRun{"missing size", "\"num_layers\": 61,", "", "/runs/0/architecture", "'num_layers' is missing"},
        WrongRun{"fractional size", "\"num_layers\": 61", "\"num_layers\": 61.5", "/runs/0/architecture/num_layers", "whole number"},
        WrongRun{"negative size", "\"hidden_size\": 7168", "\"hidden_size\": -7168", "/runs/0/architecture/hidden_size", "out of range"},
        WrongRun{"zero size", "\"vocab_size\": 129280", "\"vocab_size\": 0", "/runs/0/architecture/vocab_size", "out of range"},
        WrongRun{"size as text", "\"seq_len\": 4096", "\"seq_len\": \"4096\"", "/runs/0/architecture/seq_len", "whole number"},
        WrongRun{"boolean as number", "\"gated_mlp\": true", "\"gated_mlp\": 1", "/runs/0/architecture/gated_mlp", "true or false"},
        WrongRun{"null size", "\"head_dim\": 192", "\"head_dim\": null", "/runs/0/architecture/head_dim", "whole number"},
        WrongRun{"not a number", "671e9", "NaN", "3:59", "not valid JSON"},
        WrongRun{"infinite number", "671e9", "1e999", "3:63", "not valid JSON"},
        WrongRun{"negative parameters", "671e9", "-1", "/runs/0/architecture/params", "out of range"},
        WrongRun{"groups that do not divide", "\"num_kv_heads\": 128", "\"num_kv_heads\": 3", "/runs/0/architecture/num_kv_heads",
                 "does not divide"},
        WrongRun{"more experts used than there are", "\"experts_per_token\": 8", "\"experts_per_token\": 257",
                 "/runs/0/architecture/experts_per_token", "out of range"},
        WrongRun{"experts without a number", "\"num_experts\": 256,", "", "/runs/0/architecture", "'num_experts' is missing"},
        WrongRun{"more dense layers than layers", "\"num_dense_layers\": 3", "\"num_dense_layers\": 62",
                 "/runs/0/architecture/num_dense_layers", "out of range"},
        WrongRun{"unknown latent key", "\"v_head_dim\"", "\"v_head\"", "/runs/0/architecture/multi_head_latent_attention/v_head",
                 "unknown key"},
        WrongRun{"unknown device", "\"gb200\"", "\"gb20\"", "/runs/0/cluster/device", "unknown device"},
        WrongRun{"no devices", "\"num_devices\": 256", "\"num_devices\": 0", "/runs/0/cluster/num_devices", "out of range"},
        WrongRun{"half a node", "\"num_devices\": 256", "\"num_devices\": 258", "/runs/0/cluster/num_devices", "no whole number of nodes"},
        WrongRun{"other number of devices", "\"num_devices\": 256", "\"num_devices\": 128", "/runs/0/strategy/tensor_parallel",
                 "= 256, but there are 128 devices"},
        WrongRun{"unknown fabric", "\"infiniband\"", "\"infinband\"", "/runs/0/cluster/fabric/kind", "unknown kind of fabric"},
        WrongRun{"negative rate", "\"nic_gbit_per_s\": 400", "\"nic_gbit_per_s\": -400", "/runs/0/cluster/fabric/nic_gbit_per_s",
                 "out of range"},
        WrongRun{"fabric is text", "\"fabric\": {", "\"fabric\": \"ib\", \"x\": {", "/runs/0/cluster/x", "unknown key"},
        WrongRun{"missing degree", "\"context_parallel\": 1,", "", "/runs/0/strategy", "'context_parallel' is missing"},
        WrongRun{"zero degree", "\"context_parallel\": 1", "\"context_parallel\": 0", "/runs/0/strategy/context_parallel", "out of range"},
        WrongRun{"unknown schedule", "\"interleaved-1f1b\"", "\"interleaved\"", "/runs/0/strategy/schedule", "unknown value"},
        WrongRun{"no schedule for a pipeline", "\"virtual_stages\": 4, \"schedule\": \"interleaved-1f1b\"",
                 "\"virtual_stages\": 1, \"schedule\": \"none\"", "/runs/0/strategy/schedule", "with pipeline_parallel 4"},
        WrongRun{"virtual stages without interleaving", "\"interleaved-1f1b\"", "\"1f1b\"", "/runs/0/strategy/virtual_stages",
                 "interleaved"},
        WrongRun{"more stages than layers", "\"virtual_stages\": 4", "\"virtual_stages\": 16", "/runs/0/strategy/pipeline_parallel",
                 "empty"},
        WrongRun{"experts that do not divide", "\"expert_parallel\": 64", "\"expert_parallel\": 48", "/runs/0/strategy/expert_parallel",
                 "does not divide"},
        WrongRun{"batch that does not divide", "\"global_batch_size\": 2048", "\"global_batch_size\": 2050",
                 "/runs/0/strategy/global_batch_size", "not a multiple"},
        WrongRun{"batch smaller than the replicas", "\"global_batch_size\": 2048", "\"global_batch_size\": 32",
                 "/runs/0/strategy/global_batch_size", "not a multiple"},
        WrongRun{"unknown sharding", "\"zero1\"", "\"zero-1\"", "/runs/0/strategy/sharding", "unknown value"},
        WrongRun{"unknown precision", "\"mxfp8\"", "\"fp6\"", "/runs/0/strategy/precision", "unknown value"},
        WrongRun{"unknown attention", "\"flash\"", "\"flashy\"", "/runs/0/strategy/attention", "unknown value"},
        WrongRun{"modules without the word", "\"modules\"", "\"full\"", "/runs/0/strategy/recompute_modules", "recompute is full"},
        WrongRun{"unknown module", "\"moe_act\"", "\"moe_akt\"", "/runs/0/strategy/recompute_modules/1", "unknown module"},
        WrongRun{"module twice", "\"moe_act\"", "\"mla_up_proj\"", "/runs/0/strategy/recompute_modules/1", "named twice"},
        WrongRun{"zero time", "\"step_time_s\": 13.5", "\"step_time_s\": 0", "/runs/0/measured/step_time_s", "out of range"},
        WrongRun{"time as text", "\"step_time_s\": 13.5", "\"step_time_s\": \"13.5 s\"", "/runs/0/measured/step_time_s", "a number"},
        WrongRun{"time missing", "\"step_time_s\": 13.5,", "", "/runs/0/measured", "'step_time_s' is missing"},
        WrongRun{"unknown how", "\"derived\"", "\"guessed\"", "/runs/0/measured/how", "unknown value"},
        WrongRun{"two units of memory", "\"peak_memory_gib\"", "\"peak_memory_gb\": 150, \"peak_memory_gib\"",
                 "/runs/0/measured/peak_memory_gb", "stated too"},
        WrongRun{"negative memory", "\"peak_memory_gib\": 140.5", "\"peak_memory_gib\": -1", "/runs/0/measured/peak_memory_gib",
                 "out of range"},
        WrongRun{"assumed is no list", "[\"cluster.fabric\"]", "\"cluster.fabric\"", "/runs/0/assumed", "an array"},
        WrongRun{"unknown detail", "\"async_tp\"", "\"async_pp\"", "/runs/0/detail/async_pp", "unknown key"},
        WrongRun{"trailing comma", "\"async_tp\": false", "\"async_tp\": false,", "13:130", "not valid JSON"}),
    [](const auto& instance) { return identifier(instance.param.what); });

TEST(WrongRunFiles, TwoRunsOfOneId) {
  const std::string run = sound_run.substr(sound_run.find("\n{") + 1, sound_run.rfind("\n]") - sound_run.find("\n{") - 1);

  try {
    read_text(R"({"format": "reckon/published-runs/1", "runs": [)" + run + "," + run + "]}");
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.place(), "/runs/1/id");
  }
}

TEST(WrongRunFiles, ErrorsSuggestTheNearestWord) {
  try {
    read_text(changed(sound_run, "\"gb200\"", "\"gb20\""));
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_NE(error.cure().find("gb200"), std::string::npos) << error.what();
  }
}

TEST(WrongRunFiles, SynonymsOfSchedulesAreRead) {
  const std::string zero_bubble =
      changed(changed(sound_run, "\"interleaved-1f1b\"", "\"zb-h1\""), "\"virtual_stages\": 4", "\"virtual_stages\": 1");

  EXPECT_EQ(read_text(zero_bubble).front().strategy.schedule, Schedule::zb_h1);
}

TEST(PublishedRuns, AnUnstatedNetworkFollowsWhatTheSourceTellsElsewhere) {
  const std::filesystem::path folder = std::filesystem::path(RECKON_SOURCE_DIR) / "experiments" / "published";
  bool seen = false;
  for (const PublishedRun& run : read_published_runs(folder / "other_frameworks.json", catalog())) {
    if (run.stack != "nanotron" || run.cluster.max_devices <= 8) continue;
    EXPECT_EQ(run.cluster.fabric.kind, "efa") << run.id;
    EXPECT_FALSE(run.fabric_stated);
    seen = true;
  }
  EXPECT_TRUE(seen);
}

TEST(PublishedRuns, MemoryReadFromTheDriverCountsItsContext) {
  const std::filesystem::path folder = std::filesystem::path(RECKON_SOURCE_DIR) / "experiments" / "published";
  EXPECT_TRUE(read_published_runs(folder / "bloom.json", catalog()).front().whole_device_memory);
  EXPECT_FALSE(read_published_runs(folder / "zero_bubble.json", catalog()).front().whole_device_memory);
}

TEST(PublishedRuns, WellKnownModelsBringWhatTheirRowsLeaveOut) {
  const std::filesystem::path folder = std::filesystem::path(RECKON_SOURCE_DIR) / "experiments" / "published";
  bool latent = false, sinks = false;
  for (const PublishedRun& run : read_published_runs(folder / "simumax_b200.json", catalog())) {
    if (run.architecture.name.rfind("DeepSeek-V2", 0) != 0) continue;
    const Transformer& t = *run.architecture.transformer();
    ASSERT_TRUE(t.latent_attention) << run.id;
    EXPECT_EQ(t.latent_attention->kv_lora_rank, 512);
    EXPECT_EQ(t.num_layers, 4);  // what the row says stays
    latent = true;
  }
  for (const PublishedRun& run : read_published_runs(folder / "megatron_bridge.json", catalog())) {
    if (run.architecture.name != "GPT-OSS-120B") continue;
    EXPECT_EQ(run.architecture.transformer()->sliding_window, 128);
    EXPECT_TRUE(run.architecture.transformer()->mlp_bias);
    sinks = run.architecture.transformer()->attention_sinks;
  }
  EXPECT_TRUE(latent);
  EXPECT_TRUE(sinks);
}

}  // namespace
}  // namespace reckon
