// A calibration written and read back predicts the same; damaged ones are refused with their place.
// SPDX-License-Identifier: Apache-2.0
#include "io/machine_calibration_files.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace reckon {
namespace {

Timed taking(double t) { return {.median = Seconds{t}, .low = Seconds{t * 0.99}, .high = Seconds{t * 1.02}, .count = 7, .stable = true}; }

MachineCalibration small_machine() {
  MachineCalibration m;
  m.device = "cpu";
  m.processor = "a processor";
  m.date = "2026-11-21";
  m.ranks = 4;
  m.processors = 2;
  m.memory = gibibytes * 8.0;
  m.software = {{"reckon", "0"}};
  for (const double side : {64., 128., 256.})
    for (const GemmRole role : {GemmRole::forward, GemmRole::input_gradient, GemmRole::weight_gradient})
      m.samples.gemm.push_back({Precision::fp32, role, {side, side, side, 1}, taking(1e-6 + side * side * side * 2 / 5e10)});
  for (const double seq : {32., 64., 128., 256.})
    for (const Pass pass : {Pass::forward, Pass::backward})
      m.samples.attention.push_back({Precision::fp32,
                                     pass,
                                     {.batch = 1, .heads = 4, .kv_heads = 4, .seq_q = seq, .seq_kv = seq, .head_dim = 32},
                                     taking(1e-6 + seq * seq * 1e-8)});
  for (const double size : {1e4, 1e5, 1e6}) {
    m.samples.streams.push_back({Precision::fp32, StreamKernel::copy, Bytes{size}, taking(1e-6 + size / 1e10)});
    m.samples.links.push_back({Collective::all_reduce, 4, Bytes{size}, taking(1e-5 + size / 1e9)});
  }
  m.samples.overlap.push_back({Bytes{1e6}, Seconds{1e-3}, Seconds{5e-4}, Seconds{1.2e-3}});
  m.samples.storage.push_back({"data read", Bytes{1e6}, taking(1e-2)});
  fit_machine(m, {}, 1);
  return m;
}

std::string refusal(const std::string& text) {
  try {
    read_machine_calibration(parse_json(text, "machine.json"));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}
std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("no " + from);
  return text.replace(at, from.size(), to);
}

TEST(MachineCalibrationFiles, ReadBackPredictsTheSame) {
  const MachineCalibration before = small_machine();
  const std::string text = write_machine_calibration(before);

  const MachineCalibration after = read_machine_calibration(parse_json(text, "machine.json"));

  EXPECT_EQ(after.ranks, 4);
  EXPECT_EQ(after.samples.gemm.size(), before.samples.gemm.size());
  EXPECT_NEAR(after.samples.overlap.at(0).hidden(), before.samples.overlap.at(0).hidden(), 1e-9);
  const auto &a = before.compute->compute, &b = after.compute->compute;
  const GemmShape shape{100, 200, 70, 1};
  EXPECT_NEAR(
      gemm_time(b, Precision::fp32, shape, GemmRole::weight_gradient) / gemm_time(a, Precision::fp32, shape, GemmRole::weight_gradient),
      1.0, 1e-3);
  const AttentionShape attention{.batch = 2, .heads = 4, .kv_heads = 4, .seq_q = 100, .seq_kv = 100, .head_dim = 32};
  EXPECT_NEAR(attention_time(b, AttentionKernel::flash2, Pass::backward, attention, Precision::fp32) /
                  attention_time(a, AttentionKernel::flash2, Pass::backward, attention, Precision::fp32),
              1.0, 1e-3);
  EXPECT_NEAR(
      kernel_time(b, StreamKernel::copy, Precision::fp32, Bytes{3e5}) / kernel_time(a, StreamKernel::copy, Precision::fp32, Bytes{3e5}),
      1.0, 1e-4);
  EXPECT_NEAR(after.links->curves.find(Collective::all_reduce, 4)->time(Bytes{5e5}) /
                  before.links->curves.find(Collective::all_reduce, 4)->time(Bytes{5e5}),
              1.0, 1e-4);
  EXPECT_EQ(b.measured->ranks_per_processor(4), 2);
  EXPECT_EQ(write_machine_calibration(after).size(), text.size());
}

TEST(MachineCalibrationFiles, TheMachineIsAPlaceOfItsOwn) {
  const Cluster place = cluster_of(small_machine());

  EXPECT_EQ(place.device.id, "cpu");
  EXPECT_EQ(place.node.devices_per_node, 4);
  EXPECT_EQ(place.device.memory, gibibytes * 2.0);
  EXPECT_TRUE(place.device.peak.contains(Precision::fp32));
}

TEST(MachineCalibrationFiles, DamagedFilesAreRefusedWithTheirPlace) {
  const std::string good = write_machine_calibration(small_machine());
  ASSERT_EQ(refusal(good), "accepted");
  const struct {
    const char *from, *to, *said;
  } cases[] = {{"reckon/calibration/1", "reckon/calibration/9", "/format"},
               {"\"date\": \"2026-11-21\"", "\"date\": \"yesterday\"", "/date"},
               {"\"ranks\": 4", "\"ranks\": 0", "/machine/ranks"},
               {"\"ranks\": 4", "\"rank\": 4", "rank"},
               {"\"timed_by\": \"wall\"", "\"timed_by\": \"sundial\"", "/machine/timed_by"},
               {"\"kernel\":\"copy\"", "\"kernel\":\"magic\"", "kernel"},
               {"\"role\":\"forward\"", "\"role\":\"sideways\"", "role"},
               {"\"count\":7", "\"count\":0", "count"},
               {"\"m\":64.0", "\"m\":-64.0", "/samples/gemm/0/m"},
               {"\"all_reduce\": {", "\"all_redux\": {", "all_redux"},
               {"\"from\": \"0 B\"", "\"from\": \"8 B\"", "ascend"},
               {"\"key_tile\": ", "\"key_tile\": -", "key_tile"},
               {"\"bandwidth\": \"", "\"bandwidth\": \"-", "bandwidth"}};
  for (const auto& c : cases) {
    const std::string said = refusal(with(good, c.from, c.to));
    EXPECT_NE(said.find(c.said), std::string::npos) << c.from << " -> " << c.to << ": " << said;
    EXPECT_NE(said.find("machine.json"), std::string::npos) << said;
  }
  EXPECT_NE(refusal(good.substr(0, good.size() / 2)), "accepted");
  EXPECT_NE(refusal("{}"), "accepted");
  EXPECT_NE(refusal("[]"), "accepted");
}

}  // namespace
}  // namespace reckon
