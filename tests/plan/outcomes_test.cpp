// SPDX-License-Identifier: Apache-2.0
#include "plan/outcomes.hpp"

#include <gtest/gtest.h>

namespace reckon {
namespace {

const std::vector<Outcome> some{
    {64, Seconds{100}, Dollars{10}, Joules{5}},   // few devices, cheap
    {128, Seconds{60}, Dollars{12}, Joules{6}},   // faster, dearer
    {128, Seconds{70}, Dollars{12}, Joules{4}},   // beaten by the one above, but for energy
    {256, Seconds{30}, Dollars{40}, Joules{9}},   // fastest
};

TEST(Outcomes, EveryWishHasItsBest) {
  const std::vector<Wish> wishes = best_by_wish(some, Seconds{65}, Dollars{20});
  ASSERT_EQ(wishes.size(), 5U);
  EXPECT_EQ(wishes[0].best, 3U);  // fastest
  EXPECT_EQ(wishes[1].best, 0U);  // cheapest
  EXPECT_EQ(wishes[2].best, 2U);  // least energy
  EXPECT_EQ(wishes[3].best, 1U);  // cheapest in 65 s
  EXPECT_EQ(wishes[4].best, 1U);  // fastest for 20
}

TEST(Outcomes, AWishThatNothingFulfilsHasNoBest) {
  EXPECT_FALSE(best_by_wish(some, Seconds{10}, {})[3].best.has_value());
  EXPECT_FALSE(best_by_wish({}, {}, {})[0].best.has_value());
}

TEST(Outcomes, TheFrontIsWhatNothingBeats) { EXPECT_EQ(outcome_front(some), (std::vector<std::size_t>{0, 1, 3})); }

TEST(Outcomes, EqualOnesStayOnTheFrontTogether) { EXPECT_EQ(outcome_front({some[0], some[0]}), (std::vector<std::size_t>{0, 1})); }

}  // namespace
}  // namespace reckon
