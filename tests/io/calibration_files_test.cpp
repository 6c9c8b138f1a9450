// The calibrations in models/: complete, in agreement with the fit, and sane for any shape.
// SPDX-License-Identifier: Apache-2.0
#include "io/calibration_files.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

namespace reckon {
namespace {

const std::filesystem::path folder = std::filesystem::path(RECKON_SOURCE_DIR) / "models" / "calibrations";
const std::map<std::string, ComputeCalibration>& all() {
  static const auto calibrations = read_compute_calibrations(folder);
  return calibrations;
}

/// bf16, or fp16 on a device that has no bf16.
Precision half(const ComputeCalibration& c) { return c.supports(Precision::bf16) ? Precision::bf16 : Precision::fp16; }

Seconds total(const AttentionCost& cost, const CitedAttention& point) {
  Seconds time;
  if (point.forward) time += cost.time(Pass::forward, point.shape);
  if (point.backward) time += cost.time(Pass::backward, point.shape);
  return time;
}

TEST(Calibrations, TheMeasuredDevicesAreThere) {
  for (const char* id : {"a100-sxm-80gb", "h100-sxm-80gb", "h200-sxm-141gb", "b200-sxm-180gb", "b300-sxm-288gb", "gb200", "gb300"}) {
    ASSERT_TRUE(all().count(id)) << id;
    EXPECT_FALSE(all().at(id).derived());
    EXPECT_TRUE(all().at(id).supports(Precision::bf16));
    EXPECT_GE(all().at(id).cited_gemm.size(), 5u);
  }
}

TEST(Calibrations, TheFormulasAgreeWithTheFitScript) {
  for (const auto& [id, c] : all()) {
    for (const CitedGemm& point : c.cited_gemm) {
      const auto& cost = c.gemm[static_cast<std::size_t>(point.precision)]->cost;
      EXPECT_NEAR(cost.burst_time(point.shape) / point.predicted, 1.0, 1e-4) << id << " " << point.shape.m << " " << point.shape.n;
    }
    for (const CitedAttention& point : c.cited_attention)
      EXPECT_NEAR(total(c.attention.at(point.kernel).cost, point) / point.predicted, 1.0, 1e-4) << id << " " << point.shape.seq_q;
  }
}

TEST(Calibrations, TheCitedMeasurementsAreMet) {
  double sum = 0, count = 0;
  for (const auto& [id, c] : all()) {
    for (const CitedGemm& point : c.cited_gemm) {
      const double error = c.gemm[static_cast<std::size_t>(point.precision)]->cost.burst_time(point.shape) / point.measured - 1.0;
      EXPECT_LT(std::abs(error), 0.35) << id << " " << name_of(point.precision) << " " << point.shape.m << " " << point.shape.n << " "
                                       << point.shape.k;
      sum += std::abs(error), ++count;
    }
    for (const CitedAttention& point : c.cited_attention)
      EXPECT_LT(std::abs(total(c.attention.at(point.kernel).cost, point) / point.measured - 1.0), 0.3) << id << " " << point.shape.seq_q;
  }
  EXPECT_LT(sum / count, 0.06);
}

TEST(Calibrations, TheFitsAreAsGoodAsPromised) {
  for (const auto& [id, c] : all())
    for (const auto& entry : c.gemm) {
      if (!entry || entry->derived || c.derived()) continue;
      EXPECT_GE(entry->residual.points, 800) << id;
      EXPECT_LE(entry->residual.median, 0.07) << id;
      EXPECT_LE(entry->residual.p90, 0.15) << id;
      EXPECT_LE(entry->residual.cross_validated_median, entry->residual.median + 0.01) << id;
    }
}

TEST(Calibrations, NoProductBeatsThePeakOrTakesLessForMore) {
  for (const auto& [id, c] : all())
    for (const Precision precision : all_precisions) {
      if (!c.supports(precision)) continue;
      const FlopsPerSecond peak = c.gemm[static_cast<std::size_t>(precision)]->cost.parameters().peak;
      for (double n = 1; n < 1e5; n *= 3.7)
        for (double k = 16; k < 1e5; k *= 4) {
          Seconds before;
          for (double m = 1; m < 1e5; m = std::ceil(m * 1.31 + 1)) {
            const GemmShape shape{.m = m, .n = std::ceil(n) * 16, .k = k};
            const Seconds time = gemm_time(c, precision, shape);
            ASSERT_TRUE(std::isfinite(time.base()) && time.base() > 0);
            ASSERT_LE(flops_of(shape) / (time * peak), 1.08) << id << " " << name_of(precision);
            ASSERT_GE(time.base(), before.base() * (1 - 1e-12)) << id << " " << name_of(precision) << " " << m << " " << n << " " << k;
            before = time;
          }
        }
    }
}

TEST(Calibrations, LongerKLoopsAndMoreExpertsNeverTakeLess) {
  for (const auto& [id, c] : all())
    for (double m : {100.0, 1000.0, 5000.0}) {
      Seconds before, grouped;
      for (double k = 16; k < 1e5; k = std::ceil(k / 16 * 1.3) * 16) {
        const Seconds time = gemm_time(c, half(c), {.m = m, .n = 4096, .k = k});
        ASSERT_GE(time, before) << id << " " << k;
        before = time;
      }
      for (double batch = 1; batch < 300; ++batch) {
        const Seconds time = gemm_time(c, half(c), {.m = m, .n = 1408, .k = 2048, .batch = batch});
        ASSERT_GE(time, grouped) << id << " " << batch;
        grouped = time;
      }
    }
}

TEST(Calibrations, AttentionStaysBelowThePeakAndGrows) {
  for (const auto& [id, c] : all())
    for (const auto& [kernel, entry] : c.attention)
      for (const Pass pass : {Pass::forward, Pass::backward})
        for (const double dim : {64.0, 128.0, 256.0})
          for (const bool causal : {false, true}) {
            Seconds before;
            for (double seq = 16; seq < 3e5; seq = std::ceil(seq * 1.37)) {
              const AttentionShape shape{
                  .batch = 2, .heads = 16, .kv_heads = 4, .seq_q = seq, .seq_kv = seq, .head_dim = dim, .causal = causal};
              const Seconds time = attention_time(c, kernel, pass, shape);
              const FlopsPerSecond peak = c.gemm[static_cast<std::size_t>(half(c))]->cost.parameters().peak;
              ASSERT_LE(attention_flops(shape, pass) / (time * peak), 1.0) << id << " " << name_of(kernel) << " " << seq;
              ASSERT_GE(time, before) << id << " " << name_of(kernel) << " " << seq;
              before = time;
            }
          }
}

TEST(Calibrations, LowerPrecisionIsFasterWhereItIsCalibrated) {
  const GemmShape shape{.m = 8192, .n = 8192, .k = 8192};
  for (const auto& [id, c] : all()) {
    if (c.derived()) continue;  // a Gaudi 3 has the same peak in both
    if (c.supports(Precision::fp8)) {
      EXPECT_LT(gemm_time(c, Precision::fp8, shape), gemm_time(c, Precision::bf16, shape)) << id;
    }
    if (c.supports(Precision::nvfp4)) {
      EXPECT_LT(gemm_time(c, Precision::nvfp4, shape), gemm_time(c, Precision::fp8, shape)) << id;
    }
    EXPECT_EQ(gemm_time(c, Precision::fp16, shape), gemm_time(c, Precision::bf16, shape)) << id;
  }
}

std::string complaint(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  try {
    read_compute_calibration(parse_json(text, "x.json"));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Calibrations, MistakesAreNamedWithTheirPlace) {
  const std::string text = read_json(folder / "h100-sxm-80gb.json").text();
  EXPECT_NE(complaint(text, "\"rate\": \"", "\"rate\": \"x").find("/gemm/bf16/rate"), std::string::npos);
  EXPECT_NE(complaint(text, "\"tile_penalty\"", "\"tile_penalti\"").find("tile_penalti"), std::string::npos);
  EXPECT_NE(complaint(text, "\"exponent\": 0.5", "\"exponent\": 1.5").find("/gemm/bf16/power/exponent"), std::string::npos);
  EXPECT_NE(complaint(text, "\"like\": \"bf16\"", "\"like\": \"bf61\"").find("bf61"), std::string::npos);
  EXPECT_NE(complaint(text, "\"flash2\"", "\"flash7\"").find("flash7"), std::string::npos);
  EXPECT_NE(complaint(text, "reckon/compute/1", "reckon/compute/9").find("/format"), std::string::npos);
  EXPECT_NE(complaint(text, "\"k_overhead\": ", "\"k_overhead\": 99").find("split_overhead"), std::string::npos);
}

}  // namespace
}  // namespace reckon
