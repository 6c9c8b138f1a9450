// SPDX-License-Identifier: Apache-2.0
#include "plan/compute_optimal.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"

namespace reckon {
namespace {

TEST(ComputeOptimal, IsTheMinimumOfTheLossAtThatCompute) {
  for (const LossLaw* law : {&hoffmann_law(), &besiroglu_law()})
    for (const double flop : {1e20, 5.76e23, 1e26}) {
      const ModelAndTokens best = compute_optimal(*law, flop);
      EXPECT_NEAR(6.0 * best.parameters * best.tokens / flop, 1.0, 1e-12);
      for (const double factor : {0.9, 1.1})
        EXPECT_GT(loss(*law, best.parameters * factor, best.tokens / factor), loss(*law, best.parameters, best.tokens));
    }
}

TEST(ComputeOptimal, TheSecondFitAgreesWithChinchilla) {
  // Besiroglu et al.: about 20 tokens a parameter at Chinchilla's 5.76e23 FLOP, and exponents near one half
  const ModelAndTokens best = compute_optimal(besiroglu_law(), 5.76e23);
  EXPECT_GT(best.tokens / best.parameters, 15.0);
  EXPECT_LT(best.tokens / best.parameters, 30.0);
  EXPECT_NEAR(besiroglu_law().beta / (besiroglu_law().alpha + besiroglu_law().beta), 0.512, 0.002);
}

TEST(ComputeOptimal, ThreeApproachesOfTheSamePaperAgreeAsItSays) {
  // Hoffmann et al. 2022, Table 2: the best model grows with C^0.50, C^0.49 and C^0.46 by approaches 1, 2 and 3; Table 3, approach 1:
  // 67 billion parameters and 1.5 trillion tokens for 5.76e23 FLOP
  const auto exponent = [](const LossLaw& law) {
    return std::log(compute_optimal(law, 1e25).parameters / compute_optimal(law, 1e21).parameters) / std::log(1e4);
  };
  EXPECT_NEAR(exponent(hoffmann_law()), 0.46, 0.005);
  EXPECT_NEAR(exponent(besiroglu_law()), 0.50, 0.015);
  EXPECT_NEAR(exponent(besiroglu_law()), 0.49, 0.025);
  const ModelAndTokens best = compute_optimal(besiroglu_law(), 5.76e23);
  EXPECT_NEAR(best.parameters / 67e9, 1.0, 0.15);
  EXPECT_NEAR(best.tokens / 1.5e12, 1.0, 0.15);
}

TEST(LlamaLike, HasAboutTheParametersThatWereAskedFor) {
  for (double n = 1e9; n < 1.1e13; n *= 1.7) {
    const Architecture a = llama_like(n, 8192);
    EXPECT_NEAR(std::log(parameter_count(a).total() / n), 0.0, 0.12) << n << " " << a.name;
    const Transformer& m = *a.transformer();
    EXPECT_EQ(m.hidden_size, m.num_heads * m.head_dim);
    EXPECT_EQ(m.num_layers % 4, 0);
  }
  EXPECT_THROW(llama_like(1e15, 8192), UsageError);
  EXPECT_THROW(llama_like(std::nan(""), 8192), UsageError);
}

}  // namespace
}  // namespace reckon
