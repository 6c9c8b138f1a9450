// SPDX-License-Identifier: Apache-2.0
#include "plan/search.hpp"

#include <gtest/gtest.h>

#include "plan/replay.hpp"

namespace reckon {
namespace {

TEST(ParetoFront, KeepsWhatNothingBeats) {
  // (1,9) (2,5) (3,5) (4,1): the third is no better than the second in either
  EXPECT_EQ(pareto_front({3, 1, 4, 2}, {5, 9, 1, 5}), (std::vector<std::size_t>{1, 3, 2}));
}

TEST(ParetoFront, OfNothingIsNothing) { EXPECT_TRUE(pareto_front({}, {}).empty()); }

TEST(Summary, IsTheTextbookOne) {
  const ErrorSummary s = summarise({0.1, -0.2, 0.3, -0.4, 0.0});
  EXPECT_EQ(s.n, 5U);
  EXPECT_DOUBLE_EQ(s.median, 0.2);
  EXPECT_DOUBLE_EQ(s.mean, 0.2);
  EXPECT_NEAR(s.bias, -0.04, 1e-15);
  EXPECT_DOUBLE_EQ(s.worst, 0.4);
  EXPECT_NEAR(s.p90, 0.36, 1e-15);  // 0.9 x 4 = 3.6: 0.3 + 0.6 x 0.1
}

}  // namespace
}  // namespace reckon
