// The program that checks and times kernels on a GPU, tried on the emulated device: does it run to its end and write what it says?
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/gpu_check/gpu_check.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "tests/kernels/gpu_check/cases.hpp"
#include "tests/kernels/gpu_check/json.hpp"
#include "tests/kernels/gpu_check/timing.hpp"

namespace reckon::check {
namespace {

TEST(Timing, MedianAndItsInterval) {
  Timing timing;
  std::vector<double> samples(100);
  for (std::size_t i = 0; i < 100; ++i) samples[i] = double((i * 37) % 100 + 1);  // 1 .. 100, shuffled

  set_median(samples, timing);

  // Textbook interval for n = 100: the 40th and 61st of the sorted samples hold the median with 95 % confidence.
  EXPECT_DOUBLE_EQ(timing.median.base(), 50.5);
  EXPECT_DOUBLE_EQ(timing.low.base(), 40);
  EXPECT_DOUBLE_EQ(timing.high.base(), 61);
  EXPECT_EQ(timing.samples, 100);
  EXPECT_NEAR(timing.variation, 29.0115 / 50.5, 1e-6);  // sqrt(100 * 101 / 12) = 29.0115
}

TEST(Json, IsReadBackByAReader) {
  const Json json = Json::object({{"text", "a \"quoted\" \\ line\nbreak"}, {"number", 0.1}, {"count", 7}, {"none", NAN}, {"list", Json::array({true, {}})}});

  const nlohmann::json read = nlohmann::json::parse(json.text);

  EXPECT_EQ(read["text"], "a \"quoted\" \\ line\nbreak");
  EXPECT_EQ(read["number"], 0.1);
  EXPECT_EQ(read["count"], 7);
  EXPECT_TRUE(read["none"].is_null());
  EXPECT_EQ(read["list"].size(), 2u);
}

TEST(GpuCheck, EveryCaseHasWork) {
  for (const Case& c : all_cases()) EXPECT_GT(c.work.bytes.base(), 0) << c.op;
}

TEST(GpuCheck, RunsToItsEndAndWritesItsFile) {
  const std::string file = testing::TempDir() + "gpu_check.json";
  testing::internal::CaptureStdout();
  try {
    EXPECT_EQ(gpu_check({.file = file, .seconds = 1e-4, .samples = 6, .tries = 1, .shrink = 8192}), 0);
  } catch (const DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("did not settle"), std::string::npos) << error.what();  // a busy host
  }
  const std::string table = testing::internal::GetCapturedStdout();
  std::ifstream in(file);
  const nlohmann::json read = nlohmann::json::parse(in);
  std::filesystem::remove(file);

  EXPECT_EQ(read["schema"], "reckon/gpu-check/1");
  EXPECT_EQ(read["machine"]["device"]["name"], "emulated \"device\"");
  EXPECT_GT(read["correctness"]["checks"], 1000);
  EXPECT_EQ(read["correctness"]["failed"].size(), 0u) << read["correctness"]["failed"];
  ASSERT_EQ(read["timings"].size(), all_cases().size());
  for (const auto& timing : read["timings"]) {
    EXPECT_LE(timing["low_s"], timing["median_s"]);
    EXPECT_LE(timing["median_s"], timing["high_s"]);
    EXPECT_GE(timing["samples"], 6);
  }
  EXPECT_NE(table.find("rms_norm_backward"), std::string::npos);
}

TEST(GpuCheck, SaysWhenItsFileCannotBeWritten) { EXPECT_THROW(gpu_check({.file = "/nonexistent/folder/x.json"}), FileError); }

}  // namespace
}  // namespace reckon::check
