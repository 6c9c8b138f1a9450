// SPDX-License-Identifier: Apache-2.0
#include "projection/sheet.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"

namespace reckon {
namespace {

double value_of(const std::string& formula, double a = 3, double b = 4) {
  const Sheet sheet({{"in_a", "", "", ""}, {"in_b", "", "", ""}, {"out_c", "", "", formula}});
  std::vector<double> values{a, b, 0};
  sheet.evaluate(values);
  return values[2];
}

TEST(Sheet, ObeysTheRulesOfArithmetic) {
  EXPECT_DOUBLE_EQ(value_of("in_a+in_b*2"), 11);
  EXPECT_DOUBLE_EQ(value_of("(in_a+in_b)*2"), 14);
  EXPECT_DOUBLE_EQ(value_of("in_a-in_b-1"), -2);
  EXPECT_DOUBLE_EQ(value_of("in_a/in_b/2"), 0.375);
  EXPECT_DOUBLE_EQ(value_of("-in_a*-2"), 6);
  EXPECT_DOUBLE_EQ(value_of(" 1.5 * in_b "), 6);
}

TEST(Sheet, KnowsItsFunctions) {
  EXPECT_DOUBLE_EQ(value_of("sqrt(in_a*in_a+in_b*in_b)"), 5);
  EXPECT_DOUBLE_EQ(value_of("max(in_a,in_b)-min(in_a,in_b)"), 1);
  EXPECT_DOUBLE_EQ(value_of("exp(ln(in_a))"), 3);
  EXPECT_DOUBLE_EQ(value_of("round(in_a/in_b,1)"), 0.8);
  EXPECT_DOUBLE_EQ(value_of("roundup(in_a/in_b,0)"), 1);
  EXPECT_DOUBLE_EQ(value_of("if(in_a>in_b,1,if(in_a<=3,2,3))"), 2);
}

TEST(Sheet, TheBranchNotTakenMayBeNoNumber) { EXPECT_DOUBLE_EQ(value_of("if(in_a>0,in_b,in_b/(in_a-3))"), 4); }

TEST(Sheet, RefusesWhatIsNoFormula) {
  for (const char* formula : {"in_a+", "in_c", "out_c", "in_a in_b", "foo(1)", "max(1)", "max(1,2,3)", "(1", "1)", "in_a**2", "A1", "'x'",
                              "=1", "1..2", "if(1,2)", "in_a&in_b", "((((((((((((((((((((((((1))))))))))))))))))))))))"})
    EXPECT_THROW(value_of(formula), TextError) << formula;
  EXPECT_THROW(value_of(std::string(2000, '1')), TextError);
}

TEST(Sheet, RefusesNamesThatASpreadsheetWouldMisread) {
  for (const char* name : {"a1", "pue", "A_b", "_x", "1_a", "a-b", ""}) EXPECT_THROW(Sheet({{name, "", "", ""}}), TextError) << name;
  EXPECT_THROW(Sheet({{"in_a", "", "", ""}, {"in_a", "", "", ""}}), TextError);
}

TEST(Sheet, NamesTheAssumptionsBehindACell) {
  const Sheet sheet({{"in_a", "", "", ""}, {"in_b", "", "", ""}, {"mid_c", "", "", "in_b*2"}, {"out_d", "", "", "mid_c+mid_c"}});
  EXPECT_EQ(sheet.inputs_of(3), (std::vector<std::size_t>{1}));
  EXPECT_EQ(sheet.inputs_of(0), (std::vector<std::size_t>{0}));
}

TEST(Sheet, WritesFunctionsInCapitalsForSpreadsheets) {
  const Sheet sheet({{"in_max", "", "", ""}, {"out_b", "", "", "max(in_max,round(1.5,0))"}});
  EXPECT_EQ(sheet.spreadsheet_formula(1), "MAX(in_max,ROUND(1.5,0))");
}

}  // namespace
}  // namespace reckon
