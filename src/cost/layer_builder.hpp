// Collects the ops of one layer with the conventions that all architectures share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "cost/job.hpp"
#include "cost/lowered.hpp"
#include "kernels/work/work.hpp"

namespace reckon {

/// Adds ops to a layer.  `element` is the bytes of an activation value between ops.
class LayerBuilder {
 public:
  LayerBuilder(Precision precision, const StackFacts& facts, double element) : precision_(precision), facts_(facts), element_(element) {}

  LoweredLayer take() { return std::move(layer_); }
  LoweredLayer& layer() { return layer_; }
  double element() const { return element_; }

  struct Linear {
    double rows, in, out;          ///< C[rows, out] = A[rows, in] W[in, out]
    double experts = 1;            ///< products in one grouped launch; `rows` is then per expert
    bool bias = false;
    bool separate_bias = false;    ///< added in a pass of its own, not in the product nor in what follows
    bool frozen = false;
    bool first = false;            ///< no input gradient
    bool saves_input = true;
    bool low_precision = true;     ///< runs in the strategy's format; false keeps bf16 (router, head)
    double saved_rows = -1;        ///< rows of the kept input where it is kept sharded; -1 = rows
  };

  /// A linear layer.  fp8 and below: the input is cast once (read 2 B, write it twice: plain and transposed), so is the output's
  /// gradient in the backward pass; the weight's cast is part of the optimiser step.
  Op& linear(const char* name, OpGroup group, const Linear& l) {
    Op op;
    op.name = name;
    op.kind = OpKind::product;
    op.group = group;
    const Precision wanted = l.low_precision ? precision_ : plain(precision_);
    op.precision = wanted;
    op.product = {.m = l.rows, .n = l.out, .k = l.in, .batch = l.experts};
    op.trainable = !l.frozen;
    op.needs_input_gradient = !l.first;
    const double rows = l.rows * l.experts;
    const double kept = (l.saved_rows >= 0 ? l.saved_rows : rows) * l.in;
    // a grouped product launches once an expert, in each pass (TransformerEngine GroupedLinear: one product, one cast an expert)
    op.forward_kernels = l.experts;
    op.backward_kernels = 2.0 * l.experts;
    if (is_low_precision(wanted)) {
      const double cast = element_ + 2.0 * operand_bytes(wanted);
      op.forward_traffic = Bytes{rows * l.in * cast};
      op.backward_traffic = Bytes{rows * l.out * cast};
      op.forward_kernels += l.experts;
      op.backward_kernels += l.experts;
      if (l.saves_input && !l.frozen) op.saved = Bytes{kept * operand_bytes(wanted)};
    } else if (l.saves_input && !l.frozen) {
      op.saved = Bytes{kept * element_};
    }
    if (l.bias) op.backward_traffic += Bytes{rows * l.out * element_};
    if (l.bias) op.backward_kernel = StreamKernel::bias_gradient;
    const double weights = l.experts * (l.in * l.out + (l.bias ? l.out : 0.0));
    add_parameters(group, weights, l.experts * l.in * l.out, !l.frozen);
    layer_.ops.push_back(op);
    if (l.bias && l.separate_bias) {
      const double values = rows * l.out;
      stream("bias", group, elementwise_work(values, 1, 1, 0, element_).bytes, Bytes{}, Bytes{}, 1, 0).forward_kernel = StreamKernel::bias;
    }
    return layer_.ops.back();
  }

  /// A memory-bound op; traffic in bytes.
  Op& stream(const char* name, OpGroup group, Bytes forward, Bytes backward, Bytes saved, double forward_kernels = 1, double backward_kernels = 1) {
    Op op;
    op.name = name;
    op.group = group;
    op.forward_traffic = forward;
    op.backward_traffic = backward;
    op.saved = saved;
    op.forward_kernels = forward_kernels;
    op.backward_kernels = backward_kernels;
    layer_.ops.push_back(op);
    return layer_.ops.back();
  }

  /// Norm over rows x columns: forward reads and writes, backward reads two and writes one.
  void norm(const char* name, double rows, double columns, bool bias, bool saves = true) {
    const Work w = norm_work(rows, columns, element_);
    Op& op = stream(name, OpGroup::norm, w.bytes, w.bytes * 1.5, saves ? w.saved : Bytes{}, 1, 2);
    op.forward_kernel = bias ? StreamKernel::layer_norm : StreamKernel::rms_norm;
    op.backward_kernel = bias ? StreamKernel::layer_norm_backward : StreamKernel::rms_norm_backward;
    layer_.parameters += columns * (bias ? 2.0 : 1.0);
    layer_.trainable += columns * (bias ? 2.0 : 1.0);
  }

  void message(Group group, Collective collective, double size, double forward, double backward, double recompute, bool hidden = false) {
    if (size <= 0) return;
    layer_.messages.push_back({group, collective, Bytes{size}, forward, backward, recompute, hidden});
  }

  static Precision plain(Precision p) { return is_low_precision(p) ? Precision::bf16 : p; }

 private:
  void add_parameters(OpGroup group, double weights, double matrix, bool trainable) {
    if (group == OpGroup::expert_product) {
      layer_.expert_parameters += weights;
      if (trainable) layer_.trainable_experts += weights;
    } else {
      layer_.parameters += weights;
      layer_.matrix_parameters += matrix;
      if (trainable) layer_.trainable += weights;
    }
  }

  Precision precision_;
  const StackFacts& facts_;
  double element_;
  LoweredLayer layer_;
};

}  // namespace reckon
