// The catalogue as committed, and what its readers refuse.
// SPDX-License-Identifier: Apache-2.0
#include "io/catalog_files.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "io/json.hpp"

namespace reckon {
namespace {

namespace fs = std::filesystem;

const fs::path models = fs::path(RECKON_SOURCE_DIR) / "models";

const Catalog& committed() {
  static const Catalog catalog = open_catalog(models);
  return catalog;
}

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// `text` with the first `from` replaced; the test fails when there is none.
std::string changed(std::string text, const std::string& from, const std::string& to) {
  const auto place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  return place == std::string::npos ? text : text.replace(place, from.size(), to);
}

TEST(CommittedCatalog, HasWhatPlansAreMadeOf) {
  EXPECT_GE(committed().device_ids().size(), 38u);
  EXPECT_GE(committed().fabric_ids().size(), 20u);
  EXPECT_GE(committed().node_ids().size(), 36u);
  EXPECT_GE(committed().cluster_ids().size(), 30u);
  EXPECT_GE(committed().prices().size(), 100u);
  for (const char* id : {"a100-sxm-80gb", "a100-sxm-40gb", "h100-sxm-80gb", "h200-sxm-141gb", "b200-sxm-180gb", "b300-sxm-288gb", "gb200",
                         "gb300", "h100-sxm-96gb-hbm2e-500w", "h800-sxm-80gb", "v100", "h100", "a100"})
    EXPECT_NO_THROW(committed().device(id)) << id;
  for (const char* id : {"meta-24k-roce", "deepseek-h800", "selene-a100", "gpt4-a100-25k", "aws-p5", "azure-nd-h100", "gcp-a3-mega"})
    EXPECT_NO_THROW(committed().cluster(id)) << id;
}

TEST(CommittedCatalog, EveryNameLeadsToAWholeCluster) {
  const Catalog& c = committed();
  std::vector<std::string> names = c.device_ids();
  for (const auto& list : {c.node_ids(), c.cluster_ids()}) names.insert(names.end(), list.begin(), list.end());

  for (const std::string& name : names) {
    const Cluster cluster = c.cluster_for(name);
    EXPECT_TRUE(problems(cluster.device).empty()) << name;
    EXPECT_TRUE(problems(cluster.node).empty()) << name;
    EXPECT_TRUE(problems(cluster.fabric).empty()) << name;
    EXPECT_EQ(cluster.node.device, cluster.device.id) << name;
    EXPECT_EQ(cluster.max_devices % cluster.node.devices_per_node, 0) << name;
    EXPECT_EQ(cluster.node.scale_up_domain > 1, cluster.node.devices_per_node > 1 && cluster.device.link_bandwidth.base() > 0.0) << name;
  }
  for (const std::string& id : c.device_ids()) EXPECT_EQ(c.cluster_for(id).device.id, id);
}

TEST(CommittedCatalog, BandwidthsCountOneDirection) {
  const auto link = [](const char* id) { return committed().device(id).link_bandwidth.in(gigabytes_per_second); };
  EXPECT_DOUBLE_EQ(link("a100-sxm-80gb"), 300);
  EXPECT_DOUBLE_EQ(link("h100-sxm-80gb"), 450);
  EXPECT_DOUBLE_EQ(link("h800-sxm-80gb"), 200);
  EXPECT_DOUBLE_EQ(link("b200-sxm-180gb"), 900);
  EXPECT_EQ(committed().cluster_for("gb200").node.scale_up_domain, 72);
  EXPECT_EQ(committed().cluster_for("gb200").node.devices_per_node, 4);
}

TEST(CommittedCatalog, RatesFollowThePrecision) {
  for (const std::string& id : committed().device_ids()) {
    const Device& d = committed().device(id);
    const auto rate = [&d](Precision p) { return d.peak.count(p) ? d.peak.at(p).base() : 0.0; };
    const double sixteen = std::max(rate(Precision::bf16), rate(Precision::fp16));
    EXPECT_LE(rate(Precision::tf32), sixteen) << id;
    EXPECT_TRUE(rate(Precision::fp8) == 0 || rate(Precision::fp8) >= rate(Precision::bf16)) << id;
    EXPECT_TRUE(rate(Precision::nvfp4) == 0 || rate(Precision::nvfp4) > rate(Precision::fp8)) << id;
    EXPECT_TRUE(rate(Precision::fp8) == 0 || (d.architecture != "ampere" && d.architecture != "volta")) << id;
  }
}

TEST(CommittedCatalog, EveryNumberHasASourceAndReadOnesHaveAnAddress) {
  std::size_t numbers = 0, recalled = 0;
  const auto check = [&](const Provenance& provenance, const std::string& field, const std::string& id) {
    const Source* source = source_of(provenance, field);
    ASSERT_NE(source, nullptr) << id << " " << field;
    EXPECT_FALSE(source->title.empty() || source->date.empty()) << id << " " << field;
    EXPECT_TRUE(!source->read || source->url.starts_with("https://")) << id << " " << field;
    ++numbers;
    recalled += !source->read;
  };
  for (const std::string& id : committed().device_ids()) {
    const Device& d = committed().device(id);
    for (const auto& [precision, rate] : d.peak) check(d.provenance, "peak." + std::string(name_of(precision)), id);
    for (const char* field : {"memory", "memory_bandwidth", "num_multiprocessors", "release"}) check(d.provenance, field, id);
    if (d.power > Watts{}) check(d.provenance, "power", id);
    if (d.link_bandwidth > BytesPerSecond{}) check(d.provenance, "link_bandwidth", id);
  }
  for (const Price& p : committed().prices()) check(p.provenance, "price", p.id);
  for (const PurchasePrice& p : committed().purchases()) check(p.provenance, "price", p.id);

  EXPECT_GT(numbers, 500u);
  EXPECT_LT(recalled, numbers / 4);
}

TEST(CommittedCatalog, HistoricPricesBehindKnownEstimates) {
  const auto per_hour = [](const char* id) { return committed().price(id).per_device.in(dollars_per_hour); };
  EXPECT_DOUBLE_EQ(per_hour("historic-v100-gpt3-2020"), 1.5);
  EXPECT_DOUBLE_EQ(per_hour("historic-a100-gpt4-2023"), 1.0);
  EXPECT_DOUBLE_EQ(per_hour("historic-h800-deepseek-v3-2024"), 2.0);
  EXPECT_DOUBLE_EQ(per_hour("aws-p5-on-demand"), 55.04 / 8);
  EXPECT_DOUBLE_EQ(per_hour("coreweave-h100-reserved"), 2.0);  // the middle of 14 and 18 dollars for 8
  EXPECT_DOUBLE_EQ(committed().price("coreweave-h100-reserved").per_device_low.in(dollars_per_hour), 14.0 / 8);
}

TEST(CommittedCatalog, CloudsArePricedByTheirInstance) {
  const auto usual = [](const char* name) { return committed().usual_price(committed().cluster_for(name))->id; };
  EXPECT_EQ(usual("aws-p5"), "aws-p5-on-demand");
  EXPECT_EQ(usual("coreweave-h100"), "coreweave-h100-on-demand");
  EXPECT_EQ(usual("azure-nd-h100"), "azure-nd-h100-v5-on-demand");
}

// ------------------------------------------------------------------ wrong files

struct WrongFile {
  const char* what;
  const char* file;  // under models/
  const char* from;
  const char* to;
  const char* place;   // JSON pointer, or line:column
  const char* reason;  // part of it
};

void PrintTo(const WrongFile& wrong, std::ostream* out) { *out << wrong.what; }

/// `text` as a name of a test.
std::string identifier(std::string text) {
  for (char& c : text)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return text;
}

class WrongFiles : public testing::TestWithParam<WrongFile> {};

JsonNode parsed(const WrongFile& wrong) {
  return parse_json(changed(text_of(models / wrong.file), wrong.from, wrong.to), wrong.file).root();
}

void read_any(const JsonNode& root) {
  const std::string format = root.at("format").string();
  const std::string file = root.file();
  if (file.starts_with("devices")) read_device(root);
  if (file.starts_with("fabrics")) read_fabric(root);
  if (file.starts_with("nodes")) read_node(root);
  if (file.starts_with("clusters")) read_cluster(root);
  if (file == "prices/purchase.json")
    read_purchases(root);
  else if (file.starts_with("prices"))
    read_prices(root);
}

TEST_P(WrongFiles, AreRefusedAtTheirPlace) {
  const WrongFile& wrong = GetParam();

  try {
    read_any(parsed(wrong));
    FAIL() << wrong.what << " was accepted";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.file(), wrong.file);
    EXPECT_EQ(error.place(), wrong.place);
    EXPECT_NE(error.reason().find(wrong.reason), std::string::npos) << error.what();
    EXPECT_EQ(error.exit_code(), 2);
  }
}

constexpr const char* h100 = "devices/h100-sxm-80gb.json";
constexpr const char* ndr = "fabrics/infiniband-ndr.json";
constexpr const char* dgx = "nodes/dgx-h100.json";
constexpr const char* aws = "prices/aws.json";
INSTANTIATE_TEST_SUITE_P(
    Catalog, WrongFiles,
    testing::Values(
        WrongFile{"missing key", h100, "\"memory\": \"81559 MiB\",", "", "", "the key 'memory' is missing"},
        WrongFile{"unknown key", h100, "\"vendor\"", "\"maker\": 1, \"vendor\"", "/maker", "unknown key"},
        WrongFile{"duplicate key", h100, "\"vendor\"", "\"name\": \"x\", \"vendor\"", "5:8", "appears twice"},
        WrongFile{"bare number", h100, "\"81559 MiB\"", "81559", "/memory", "has no unit"},
        WrongFile{"wrong unit", h100, "\"81559 MiB\"", "\"80 GB/s\"", "/memory", "bandwidth"},
        WrongFile{"unit in doubt", h100, "\"3.35 TB/s\"", "\"3350 GBPS\"", "/memory_bandwidth", "GBPS"},
        WrongFile{"negative", h100, "\"700 W\"", "\"-700 W\"", "/power", "-"},
        WrongFile{"not a number", h100, "\"700 W\"", "\"nan W\"", "/power", "nan"},
        WrongFile{"zero", h100, "\"3.35 TB/s\"", "\"0 TB/s\"", "/memory_bandwidth", "expected 0.001 to 1e+06 GB/s"},
        WrongFile{"slipped prefix", h100, "\"3.35 TB/s\"", "\"3.35 kB/s\"", "/memory_bandwidth", "expected 0.001"},
        WrongFile{"too fast", h100, "\"989.4 TFLOP/s\"", "\"989.4 EFLOP/s\"", "/peak/fp16", "peak.fp16"},
        WrongFile{"unknown precision", h100, "\"fp8\":", "\"fp9\":", "/peak/fp9", "unknown key"},
        WrongFile{"fraction of a multiprocessor", h100, "132", "132.5", "/num_multiprocessors", "whole number"},
        WrongFile{"text for a number", h100, "132", "\"132\"", "/num_multiprocessors", "whole number"},
        WrongFile{"null where a figure must be", h100, "\"81559 MiB\"", "null", "/memory", "expected"},
        WrongFile{"other id", h100, "\"id\": \"h100-sxm-80gb\"", "\"id\": \"h100\"", "/id", "is not the file's name"},
        WrongFile{"other format", h100, "reckon/device/1", "reckon/device/2", "/format", "the format is"},
        WrongFile{"release not a date", h100, "\"2022-09\"", "\"2022-13\"", "/release", "expected YYYY"},
        WrongFile{"number without a source", h100, "\"power\": \"ml-engineering\",", "", "/src", "'power' has no source"},
        WrongFile{"unknown source", h100, "\"power\": \"ml-engineering\"", "\"power\": \"ml-enginering\"", "/src/power", "unknown source"},
        WrongFile{"source of nothing", h100, "\"power\": \"ml-engineering\"", "\"powr\": \"ml-engineering\"", "/src/powr", "no value"},
        WrongFile{"unused source", h100, "\"release\": \"epoch\"", "\"release\": \"ml-engineering\"", "/sources/epoch", "no field of src"},
        WrongFile{"source without a date", h100, "\"date\": \"2026-04-01\"", "\"date\": \"lately\"", "/sources/epoch/date",
                  "is not a date"},
        WrongFile{"read source without address", h100, "\"url\": \"https://github.com/epoch-research/training-cost-trends\",", "",
                  "/sources/epoch", "has a url"},
        WrongFile{"read is no boolean", h100, "\"read\": true", "\"read\": \"yes\"", "/sources/epoch/read", "true or false"},
        WrongFile{"unknown kind", ndr, "\"kind\": \"infiniband\"", "\"kind\": \"infinity\"", "/kind", "expected one of"},
        WrongFile{"oversubscription without leaves", ndr, "\"oversubscription\": 1", "\"oversubscription\": 2", "/nodes_per_leaf",
                  "one level"},
        WrongFile{"latency without unit", ndr, "\"1 us\"", "1e-6", "/latency", "has no unit"},
        WrongFile{"reduction is no boolean", ndr, "\"in_network_reduction\": true", "\"in_network_reduction\": 1", "/in_network_reduction",
                  "true or false"},
        WrongFile{"no devices", dgx, "\"devices_per_node\": 8", "\"devices_per_node\": 0", "/devices_per_node", "out of range"},
        WrongFile{"domain that does not nest", dgx, "\"scale_up_domain\": 8", "\"scale_up_domain\": 12", "/scale_up_domain",
                  "do not divide"},
        WrongFile{"power missing, not null", dgx, "\"max_power\": \"10.2 kW\",", "", "", "the key 'max_power' is missing"},
        WrongFile{"negative limit", "clusters/meta-24k-roce.json", "24576,", "-1,", "/max_devices", "out of range"},
        WrongFile{"price without unit", aws, "\"$24.48/h\"", "24.48", "/prices/0/price", "has no unit"},
        WrongFile{"price of nobody", aws, "\"devices\": 8", "\"devices\": 0", "/prices/0/devices", "out of range"},
        WrongFile{"price per year", aws, "\"$24.48/h\"", "\"$24.48\"", "/prices/0/price", "money"},
        WrongFile{"absurd price", aws, "\"$24.48/h\"", "\"$24480000/h\"", "/prices/0/price", "expected 0.001 to 1000 $/h"},
        WrongFile{"low above high", aws, "\"$2.448/h\"", "\"$9/h\"", "/prices/1/low", "low is above high"},
        WrongFile{"price and range", aws, "\"low\": \"$2.448/h\"", "\"price\": \"$1/h\", \"low\": \"$2.448/h\"", "/prices/1", "excludes"},
        WrongFile{"kind of price", aws, "\"on-demand\"", "\"ondemand\"", "/prices/0/kind", "expected one of"},
        WrongFile{"term without reservation", aws, "\"devices\": 8", "\"term_months\": 12, \"devices\": 8", "/prices/0/term_months",
                  "reserved"},
        WrongFile{"foreign id", aws, "\"aws-p3-16x-on-demand\"", "\"p3\"", "/prices/0/id", "does not begin"},
        WrongFile{"unknown source of a price", aws, "\"src\": \"skypilot-aws\"", "\"src\": \"skypilot\"", "/prices/0/src",
                  "unknown source"},
        WrongFile{"purchase by the hour", "prices/purchase.json", "\"$17349\"", "\"$17349/h\"", "/prices/0/low", "money"}),
    [](const auto& instance) { return identifier(instance.param.what); });

/// A copy of the catalogue that a test may spoil.
class CopiedCatalog : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("reckon-catalog-" + std::to_string(::getpid()));
    for (const char* part : {"devices", "fabrics", "nodes", "clusters", "prices"}) {
      fs::create_directories(folder_ / part);
      fs::copy(models / part, folder_ / part, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    }
  }
  void TearDown() override { fs::remove_all(folder_); }

  void change(const std::string& file, const std::string& from, const std::string& to) {
    const std::string text = changed(text_of(folder_ / file), from, to);
    std::ofstream(folder_ / file) << text;
  }
  /// "file at place" of the error that opening the copy throws.
  std::string refusal() {
    try {
      open_catalog(folder_);
    } catch (const ConfigError& error) {
      return fs::path(error.file()).filename().string() + " " + error.place();
    }
    return "accepted";
  }

  fs::path folder_;
};

TEST_F(CopiedCatalog, OpensUnchanged) { EXPECT_EQ(refusal(), "accepted"); }

TEST_F(CopiedCatalog, ReferencesMustExist) {
  change("nodes/dgx-h100.json", "\"device\": \"h100-sxm-80gb\"", "\"device\": \"h100\"");  // aliases are for users, not for files
  EXPECT_EQ(refusal(), "dgx-h100.json /device");
  change("nodes/dgx-h100.json", "\"device\": \"h100\"", "\"device\": \"h100-sxm-80gb\"");
  change("nodes/dgx-h100.json", "\"fabric\": \"infiniband-ndr\"", "\"fabric\": \"infiniband-ndx\"");
  EXPECT_EQ(refusal(), "dgx-h100.json /fabric");
}

TEST_F(CopiedCatalog, UsualNodesMustExist) {
  change("devices/gb300.json", "gb300-nvl72-tray", "gb300-tray");
  EXPECT_EQ(refusal(), "gb300.json /usual_node");
}

TEST_F(CopiedCatalog, AliasesAreUnique) {
  change("devices/mi300x.json", "\"aliases\": []", "\"aliases\": [\"h100\"]");
  EXPECT_EQ(refusal(), "mi300x.json /aliases");
}

TEST_F(CopiedCatalog, PricesNameKnownDevices) {
  change("prices/oci.json", "\"a100-sxm-80gb\"", "\"a100-sxm-81gb\"");
  EXPECT_EQ(refusal(), "oci.json /prices/0/device");
}

TEST_F(CopiedCatalog, AMissingOrEmptyFolderIsAnError) {
  fs::remove_all(folder_ / "prices");
  EXPECT_EQ(refusal(), "prices ");
  fs::create_directory(folder_ / "prices");
  EXPECT_EQ(refusal(), "prices ");
}

}  // namespace
}  // namespace reckon
