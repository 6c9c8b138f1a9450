#include "report/numbers.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace reckon {
namespace {

TEST(Significant, KeepsThreeDigitsAndSeparatesThousands) {
  EXPECT_EQ(significant(12.345), "12.3");
  EXPECT_EQ(significant(1.0), "1.00");
  EXPECT_EQ(significant(1234.5), "1,230");
  EXPECT_EQ(significant(1234567.0), "1,230,000");
  EXPECT_EQ(significant(0.0012345), "0.00123");
  EXPECT_EQ(significant(-45.67), "-45.7");
  EXPECT_EQ(significant(-4567.0), "-4,570");
}

TEST(Significant, RoundsUpIntoTheNextDecade) {
  EXPECT_EQ(significant(9.995), "9.99");  // the double below 9.995
  EXPECT_EQ(significant(9.9951), "10.0");
  EXPECT_EQ(significant(999.6), "1,000");
  EXPECT_EQ(significant(99.96), "100");
}

TEST(Significant, NamesWhatIsNoNumber) {
  EXPECT_EQ(significant(0.0), "0");
  EXPECT_EQ(significant(std::nan("")), "-");
  EXPECT_EQ(significant(INFINITY), "inf");
  EXPECT_EQ(significant(1.5e-9), "1.50e-09");
}

TEST(Grouped, SeparatesThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(24576), "24,576");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
}

TEST(Units, FollowTheMedianOfTheColumn) {
  EXPECT_EQ(run_unit({3600.0 * 5}).name, "h");
  EXPECT_EQ(run_unit({86400.0 * 5, 86400.0 * 50, 60.0}).name, "days");
  EXPECT_EQ(duration_unit({0.004, 0.005, 0.2}).name, "ms");
  EXPECT_EQ(money_unit({2e6, 3e6, 1e9}).name, "M$");
  EXPECT_EQ(money_unit({}).name, "$");  // nothing to print
  EXPECT_EQ(run_unit({}).name, "days");
}

TEST(RunText, SaysTimeAsPeopleDo) {
  EXPECT_EQ(run_text(days * 36.44), "36.4 days");
  EXPECT_EQ(run_text(days), "1.00 day");
  EXPECT_EQ(run_text(hours * 5.1), "5.10 h");
  EXPECT_EQ(run_text(Seconds{2400}), "40.0 min");
}

TEST(MoneyText, SaysMoneyAsPeopleDo) {
  EXPECT_EQ(money_text(dollars * 0.05), "$0.05");
  EXPECT_EQ(money_text(dollars * 812.4), "$812");
  EXPECT_EQ(money_text(dollars * 13.94e6), "$13.9M");
  EXPECT_EQ(money_text(dollars * 1.2e9), "$1.20B");
  EXPECT_EQ(money_text(dollars * 45600), "$45.6k");
  EXPECT_EQ(money_text(dollars * 13.94e6, "EUR"), "EUR 13.9M");
  EXPECT_EQ(price_text(2.5, "USD"), "$2.50");
  EXPECT_EQ(price_text(0.001234, "EUR"), "EUR 0.00123");
  EXPECT_EQ(separated("-1234567.80"), "-1,234,567.80");
  EXPECT_EQ(separated("999"), "999");
}

TEST(CountText, SaysCountsAsPeopleDo) {
  EXPECT_EQ(count_text(15e12), "15T");
  EXPECT_EQ(count_text(70.6e9), "70.6B");
  EXPECT_EQ(count_text(100e9), "100B");
  EXPECT_EQ(count_text(300), "300");
}

}  // namespace
}  // namespace reckon
