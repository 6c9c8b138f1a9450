// SPDX-License-Identifier: Apache-2.0
#include "cost/kernel_shapes.hpp"

#include <algorithm>
#include <cmath>

#include "cost/lower.hpp"

namespace reckon {
namespace {

/// Shards may be fractional; a kernel is not.
double whole(double side) { return std::max(1.0, std::round(side)); }

GemmShape whole(const GemmShape& s) { return {.m = whole(s.m), .n = whole(s.n), .k = whole(s.k), .batch = 1}; }

AttentionShape whole(AttentionShape s) {
  for (double* side : {&s.batch, &s.heads, &s.kv_heads, &s.seq_q, &s.seq_kv, &s.head_dim}) *side = whole(*side);
  return s;
}

template <class Shape>
void add_new(std::vector<Shape>& into, const Shape& one) {
  if (std::find(into.begin(), into.end(), one) == into.end()) into.push_back(one);
}

void add_layer(const LoweredLayer& layer, KernelShapes& out) {
  for (const Op& op : layer.ops) {
    if (op.kind == OpKind::attention) add_new(out.attention, whole(op.attention));
    if (op.kind != OpKind::product || !op.has_weight) continue;
    add_new(out.products, GemmCase{GemmRole::forward, whole(op.product)});
    if (op.needs_input_gradient) add_new(out.products, GemmCase{GemmRole::input_gradient, whole(input_gradient_of(op.product, op.taps))});
    if (op.trainable) add_new(out.products, GemmCase{GemmRole::weight_gradient, whole(weight_gradient_of(op.product))});
  }
}

}  // namespace

KernelShapes kernel_shapes(const Architecture& architecture, const Strategy& strategy, const Task& task, const StackFacts& facts) {
  const LoweredModel model = lower(architecture, strategy, task, facts);
  KernelShapes out;
  add_layer(model.before, out);
  for (const LoweredLayer& kind : model.kinds) add_layer(kind, out);
  add_layer(model.after, out);
  return out;
}

void add_new(KernelShapes& into, const KernelShapes& more) {
  for (const GemmCase& one : more.products) add_new(into.products, one);
  for (const AttentionShape& one : more.attention) add_new(into.attention, one);
}

}  // namespace reckon
