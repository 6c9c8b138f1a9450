#include "report/verdict.hpp"

#include <gtest/gtest.h>

#include "report/sample_results.hpp"

namespace reckon {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Verdict, WithoutDemandsTheCheapestIsTheAnswerAndTheFastestIsNamed) {
  const PlanResults r = sample_results();

  const Verdict v = judge(r);

  EXPECT_EQ(v.kind, VerdictKind::open);
  EXPECT_TRUE(v.satisfied());
  EXPECT_EQ(v.answer->devices, 256);
  EXPECT_EQ(v.fastest->devices, 1024);
  EXPECT_EQ(v.sentence,
            "tiny on 1T tokens: 256 x H100 train it in 100 days for $1.00M (cheapest), 1,024 in 50.0 days for $2.00M (fastest).");
}

TEST(Verdict, TheSmallestClusterThatMeetsBothIsTheAnswer) {
  PlanResults r = sample_results();
  r.question.deadline = days * 60.0;
  r.question.budget = dollars * 1.5e6;

  const Verdict v = judge(r);

  EXPECT_EQ(v.kind, VerdictKind::met);
  EXPECT_EQ(v.answer->devices, 512);
  EXPECT_TRUE(contains(v.sentence, "512 x H100 are enough")) << v.sentence;
}

TEST(Verdict, ADeadlineMetExactlyIsMet) {
  PlanResults r = sample_results();
  r.question.deadline = days * 55.0;

  EXPECT_EQ(judge(r).answer->devices, 512);
}

TEST(Verdict, TheNearestMissSaysWhatIsMissing) {
  PlanResults r = sample_results();
  r.question.deadline = days * 52.0;     // only 1,024 devices are fast enough: 50 days, $2.0M
  r.question.budget = dollars * 1.05e6;  // only 256 are cheap enough: 100 days, $1.0M

  const Verdict v = judge(r);

  // excess: 256: 100/52 = 1.92; 512: max(55/52, 1.1/1.05) = 1.06; 1024: 2/1.05 = 1.90
  EXPECT_EQ(v.kind, VerdictKind::missed);
  EXPECT_FALSE(v.satisfied());
  EXPECT_EQ(v.answer->devices, 512);
  ASSERT_EQ(v.details.size(), 4u);
  EXPECT_TRUE(contains(v.details[0], "3.00 days too late")) << v.details[0];
  EXPECT_TRUE(contains(v.details[1], "$50.0k too expensive")) << v.details[1];
  EXPECT_TRUE(contains(v.details[2], "Within the budget, 256 x H100 take 100 days for $1.00M")) << v.details[2];
  EXPECT_TRUE(contains(v.details[3], "Within the deadline, 1,024 x H100 take 50.0 days for $2.00M")) << v.details[3];
}

TEST(Verdict, WithoutAnyPlanTheNearestMissInMemoryIsNamed) {
  PlanResults r = sample_results();
  r.candidates.clear();
  for (PlanSize& size : r.sizes)
    if (size.status == SizeStatus::fits) size.status = SizeStatus::no_strategy;

  const Verdict v = judge(r);

  EXPECT_EQ(v.kind, VerdictKind::nothing);
  EXPECT_EQ(v.answer, nullptr);
  EXPECT_TRUE(contains(v.sentence, "needs 91.0 GiB of 76.0 GiB")) << v.sentence;
}

TEST(Front, HoldsTheSizesThatNoOtherBeatsInBoth) {
  PlanResults r = sample_results();
  r.candidates.back().projection.wall_time = days * 56.0;  // slower and dearer than 512

  mark_front(r);

  EXPECT_TRUE(r.sizes[2].on_front);
  EXPECT_TRUE(r.sizes[3].on_front);
  EXPECT_FALSE(r.sizes[4].on_front);
  EXPECT_FALSE(r.sizes[0].on_front);
}

}  // namespace
}  // namespace reckon
