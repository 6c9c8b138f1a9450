// The range of the model error is the interval of the prediction's own stack, narrowed to 80 %.
// SPDX-License-Identifier: Apache-2.0
#include "app/model_error.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace reckon {
namespace {

ModelTrust trust() {
  ModelTrust t{IntervalRule{}, Stack{}, "h100"};
  t.stack.id = "some-stack";
  t.stack.residuals = {100, 0.05, 1024, {"h100"}};
  return t;
}

TEST(ModelError, IsTheStatedIntervalByNormalQuantiles) {
  const ModelTrust t = trust();
  const StepInterval stated = step_interval(t.rule, Seconds{1.0}, expected_spread(t.rule, t.stack, "h100", 1024));
  const CostAssumption a = model_error_of(t, 1024);
  EXPECT_EQ(a.name, "model_error");
  EXPECT_EQ(a.spread, Spread::lognormal);
  EXPECT_DOUBLE_EQ(a.value, 1.0);
  EXPECT_NEAR(std::log(a.high) / std::log(stated.high.base()), 1.28155 / 1.64485, 1e-5);
  EXPECT_NEAR(a.low * a.high, 1.0, 1e-12);
  EXPECT_NE(a.source.find("some-stack"), std::string::npos);
}

TEST(ModelError, WidensBeyondWhatWasMeasured) {
  const ModelTrust t = trust();
  ModelTrust other = t, unseen = t;
  other.device = "b200";
  unseen.stack.residuals = {};
  EXPECT_GT(model_error_of(t, 16384).high, model_error_of(t, 1024).high);
  EXPECT_GT(model_error_of(other, 1024).high, model_error_of(t, 1024).high);
  EXPECT_GT(model_error_of(unseen, 1024).high, model_error_of(t, 1024).high);
}

}  // namespace
}  // namespace reckon
