#include "report/prediction_report.hpp"

#include <gtest/gtest.h>

#include "report/sample_results.hpp"

namespace reckon {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(PredictionReport, SaysTimeRateAndRoomInWords) {
  const PlanResults r = sample_results();

  const std::string text = prediction_report(r.question, r.candidates[0], Bytes{}, r.assumptions);

  EXPECT_TRUE(contains(text, "tiny on 256 x H100 as tp4 pp1 vp1 cp1 ep1 dp64 mb1 zero1 sp: 30.0 s a step, 133,000 tokens/s, MFU 40.0 %."))
      << text;
  EXPECT_TRUE(contains(text, "It fits: 70.0 GiB of 76.0 GiB"));
  EXPECT_TRUE(contains(text, "What the answer rests on"));
}

TEST(PredictionReport, SaysHowMuchIsMissing) {
  const PlanResults r = sample_results();

  const std::string text = prediction_report(r.question, r.nearest_misses[0], Bytes{}, {});

  EXPECT_TRUE(contains(text, "It does NOT fit: 91.0 GiB of 76.0 GiB on the fullest device (pipeline stage 0), 15.0 GiB too much.")) << text;
  EXPECT_FALSE(contains(text, "What the answer rests on"));
}

}  // namespace
}  // namespace reckon
