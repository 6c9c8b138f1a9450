// SPDX-License-Identifier: Apache-2.0
#include "plan/compute_optimal.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"

namespace reckon {

const LossLaw& hoffmann_law() {
  static constexpr LossLaw law{"Hoffmann et al. 2022", "arXiv 2203.15556, approach 3", 1.6934, 406.4, 410.7, 0.3392, 0.2849};
  return law;
}

const LossLaw& besiroglu_law() {
  static constexpr LossLaw law{"Besiroglu et al. 2024", "arXiv 2404.10102", 1.8172, 482.01, 2085.43, 0.3478, 0.3658};
  return law;
}

double loss(const LossLaw& law, double parameters, double tokens) {
  return law.floor + law.a / std::pow(parameters, law.alpha) + law.b / std::pow(tokens, law.beta);
}

ModelAndTokens compute_optimal(const LossLaw& law, double flop) {
  const double sum = law.alpha + law.beta, g = std::pow(law.alpha * law.a / (law.beta * law.b), 1.0 / sum);
  const double n = g * std::pow(flop / 6.0, law.beta / sum);
  return {n, flop / (6.0 * n)};
}

Architecture llama_like(double parameters, std::int64_t seq_len) {
  constexpr double least = 1e8, most = 1e14, vocabulary = 128256, mlp_ratio = 3.5;
  if (!(parameters >= least && parameters <= most))
    throw UsageError(fmt::format("a model of {:.3g} parameters is not between {:.0e} and {:.0e}", parameters, least, most));
  const auto shape = [seq_len](std::int64_t thousands) {
    Transformer m;
    m.hidden_size = thousands * 1024;
    m.head_dim = 128;
    m.num_heads = m.hidden_size / m.head_dim;
    m.num_kv_heads = 8;
    m.ffn_hidden_size = static_cast<std::int64_t>(mlp_ratio * static_cast<double>(m.hidden_size));
    m.num_layers = m.hidden_size / 128;
    m.vocab_size = static_cast<std::int64_t>(vocabulary);
    m.seq_len = m.max_positions = seq_len;
    m.gated_mlp = true;
    m.norm = NormKind::rms_norm;
    Architecture out;
    out.family = "llama";
    out.body = m;
    return out;
  };
  Architecture best = shape(1);
  for (std::int64_t k = 1; k <= 1024; k *= 2) {  // the nearest hidden size, then the number of layers that meets the parameters
    for (const std::int64_t hidden : {k, k + k / 2}) {
      const Architecture a = shape(std::max<std::int64_t>(1, hidden));
      if (std::abs(std::log(parameter_count(a).total() / parameters)) < std::abs(std::log(parameter_count(best).total() / parameters))) best = a;
    }
  }
  Transformer& m = std::get<Transformer>(best.body);
  const double per_layer = [&] {
    Architecture one = best;
    std::get<Transformer>(one.body).num_layers += 1;
    return parameter_count(one).total() - parameter_count(best).total();
  }();
  const double rest = parameter_count(best).total() - per_layer * static_cast<double>(m.num_layers);
  m.num_layers = std::max<std::int64_t>(4, 4 * std::llround((parameters - rest) / per_layer / 4.0));  // a multiple of 4 divides over stages
  best.name = fmt::format("llama-like of {:.3g}B", parameter_count(best).total() * 1e-9);
  return best;
}

}  // namespace reckon
