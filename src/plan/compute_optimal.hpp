// Which model a given amount of training makes best: parametric laws of the loss, and a family of model shapes to put them to.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "catalog/architecture.hpp"

namespace reckon {

/// L(N, D) = floor + a / N^alpha + b / D^beta, in nats a token, for N parameters and D tokens.
struct LossLaw {
  std::string_view name, source;
  double floor, a, b, alpha, beta;
};

/// Hoffmann et al. 2022, "Training compute-optimal large language models", arXiv 2203.15556, approach 3, equation 10, which prints 1.69, 0.34
/// and 0.28; the digits beyond are those of the paper's TeX source, as Besiroglu et al. 2024 quote them: rounded, the best model grows with
/// C^0.452, not with the C^0.46 of the paper's Table 2.
const LossLaw& hoffmann_law();
/// The same data fitted again: Besiroglu et al. 2024, "Chinchilla scaling: a replication attempt", arXiv 2404.10102, equation 5.
const LossLaw& besiroglu_law();

double loss(const LossLaw& law, double parameters, double tokens);

struct ModelAndTokens {
  double parameters = 0, tokens = 0;
};

/// The minimum of the loss with 6 N D = flop:  N = G (C / 6)^(beta / (alpha + beta)),  G = (alpha a / (beta b))^(1 / (alpha + beta)).
ModelAndTokens compute_optimal(const LossLaw& law, double flop);

/// A Llama-like decoder with about so many parameters: head dim 128, 8 key/value heads, MLP 3.5 times as wide, a vocabulary of 128,256, and
/// 128 hidden values a layer as the Llama 3 family has (8B: 4,096 over 32 layers; 70B: 8,192 over 80; 405B: 16,384 over 126).  Hidden sizes
/// are multiples of 1,024, so sizes come in steps; the name says what came out.  From 1e8 to 1e14 parameters, else throws UsageError.
Architecture llama_like(double parameters, std::int64_t seq_len);

}  // namespace reckon
