// Sums over the weights of a network: parameters by use, and the model FLOP of a sample.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "base/error.hpp"
#include "catalog/weight_shapes.hpp"

namespace reckon {
namespace {

WeightShapes shapes_of(const Architecture& architecture, std::int64_t seq_len, AttentionCount count) {
  struct Visitor {
    std::int64_t seq_len;
    AttentionCount count;
    WeightShapes operator()(const Transformer& m) const { return weight_shapes(m, seq_len, count); }
    WeightShapes operator()(const ResNet& m) const { return weight_shapes(m); }
    WeightShapes operator()(const UNet& m) const { return weight_shapes(m); }
  };
  return std::visit(Visitor{seq_len, count}, architecture.body);
}

double& line_of(ParameterCount& p, WeightUse use) {
  switch (use) {
    case WeightUse::input_embedding:
      return p.input_embedding;
    case WeightUse::position_embedding:
      return p.position_embedding;
    case WeightUse::output_head:
      return p.output_head;
    case WeightUse::attention:
      return p.attention;
    case WeightUse::dense_mlp:
      return p.dense_mlp;
    case WeightUse::experts:
      return p.experts;
    case WeightUse::shared_experts:
      return p.shared_experts;
    case WeightUse::router:
      return p.router;
    case WeightUse::norms:
      return p.norms;
    case WeightUse::other:
      return p.other;
    case WeightUse::multi_token_prediction:
      return p.multi_token_prediction;
  }
  throw InternalError("a weight without a use");
}

}  // namespace

ParameterCount parameter_count(const Architecture& architecture) {
  ParameterCount p;
  for (const WeightShape& w : shapes_of(architecture, 0, AttentionCount::whole)) {
    line_of(p, w.use) += w.parameters();
    if (w.use == WeightUse::experts) p.inactive_experts += std::round(w.parameters() * (1.0 - w.visited));
  }
  return p;
}

Flops model_flops_per_sample(const Architecture& architecture, std::int64_t seq_len, AttentionCount count) {
  const Transformer* t = architecture.transformer();
  if (t != nullptr && tokens_per_sample(*t, seq_len) <= 0) {
    throw UsageError("the description of " + architecture.name + " says no sequence length", "give one, e.g. --seq-len 4096");
  }
  double forward = 0;
  for (const WeightShape& w : shapes_of(architecture, seq_len, count)) forward += w.forward_flops();
  return Flops{3.0 * forward};
}

double model_flops_per_token(const Architecture& architecture, std::int64_t seq_len, AttentionCount count) {
  const double sample = model_flops_per_sample(architecture, seq_len, count).base();
  const Transformer* t = architecture.transformer();
  return t != nullptr && t->patch_size == 0 ? sample / static_cast<double>(tokens_per_sample(*t, seq_len)) : sample;
}

}  // namespace reckon
