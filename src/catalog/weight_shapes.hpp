// Every weight of a network with the rows that pass through it: the one list from which parameters and model FLOP are both summed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "catalog/architecture.hpp"

namespace reckon {

/// The line of ParameterCount that a weight belongs to.
enum class WeightUse {
  input_embedding,
  position_embedding,
  output_head,
  attention,
  dense_mlp,
  experts,
  shared_experts,
  router,
  norms,
  other,
  multi_token_prediction
};

enum class WeightKind {
  product,    ///< in x out matrix that `rows` vectors are multiplied with, plus `out` biases: in out (+ out) parameters, 2 rows in out FLOP
  table,      ///< in x out parameters that are looked up, added or scaled: no product
  attention,  ///< no parameters: `rows` queries meet `in` keys at `out` = heads x (d_qk + d_v) values: 2 rows in out FLOP
};

/// One weight, or `count` equal ones.
struct WeightShape {
  WeightUse use = WeightUse::other;
  WeightKind kind = WeightKind::product;
  double rows = 0, in = 0, out = 0;
  bool bias = false;
  bool shared = false;  ///< the matrix is another entry's (tied output head): its parameters count there, its bias and FLOP here
  double count = 1;
  double visited = 1;  ///< share of `count` that one row passes through: experts_per_token / num_experts

  double parameters() const { return kind == WeightKind::attention ? 0.0 : count * ((shared ? 0.0 : in * out) + (bias ? out : 0.0)); }
  double forward_flops() const { return kind == WeightKind::table ? 0.0 : 2.0 * count * visited * rows * in * out; }
};
using WeightShapes = std::vector<WeightShape>;

/// The weights of a network for samples of `seq_len` tokens (0: the model's own).  Rows are those of one sample.
WeightShapes weight_shapes(const Transformer& model, std::int64_t seq_len, AttentionCount count);
WeightShapes weight_shapes(const ResNet& model);
WeightShapes weight_shapes(const UNet& model);

}  // namespace reckon
