#include "report/plan_report.hpp"

#include <gtest/gtest.h>

#include "report/sample_results.hpp"
#include "report/table.hpp"

namespace reckon {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(ShortStrategy, LeavesOutDegreesOfOne) {
  Strategy s;
  s.tensor_parallel = 8;
  s.data_parallel = 32;
  s.sharding = Sharding::zero1;
  s.sequence_parallel = true;

  EXPECT_EQ(short_strategy(s), "tp8 dp32 mb1 zero1 sp");
}

TEST(PlanReport, OpensWithTheAnswerAndHasOneRowASize) {
  const std::string text = plan_report(sample_results());

  EXPECT_EQ(text.substr(0, text.find('\n')),
            "tiny on 1T tokens: 256 x H100 train it in 100 days for $1.00M (cheapest), 1,024 in 50.0 days for $2.00M (fastest).");
  EXPECT_TRUE(contains(text, "devices  time, days  cost, M$"));
  EXPECT_TRUE(contains(text, "\n>*      256         100      1.00"));
  EXPECT_TRUE(contains(text, "\n *      512        55.0      1.10"));
  EXPECT_TRUE(contains(text, "no strategy divides this size"));
  EXPECT_TRUE(contains(text, "does not fit: tp4 dp32 mb1 zero1 sp"));
}

TEST(PlanReport, PrintsPartsThatAddUpToTheTotal) {
  const std::string text = plan_report(sample_results());

  EXPECT_TRUE(contains(text, "forward                          7.50  4.00   3.50")) << text;
  EXPECT_TRUE(contains(text, "total                            30.0  16.0   14.0")) << text;
  EXPECT_FALSE(contains(text, "expert messages"));  // zero everywhere
}

TEST(PlanReport, EndsWithAssumptionsAndProvenance) {
  const std::string text = plan_report(sample_results());

  EXPECT_TRUE(contains(text, "restart     10 min   default  a source (2026)")) << text;
  EXPECT_TRUE(contains(text, "reckon 0.1.0 (git 0123456789ab); inputs 00000000-0000"));
  EXPECT_TRUE(text.ends_with("reckon plan --model tiny\n"));
}

TEST(PlanReport, NoLineIsWiderThanAWideTerminal) {
  const std::string text = plan_report(sample_results());

  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; start = end + 1, end = text.find('\n', start))
    EXPECT_LE(display_width(std::string_view(text).substr(start, end - start)), 160u);
}

}  // namespace
}  // namespace reckon
