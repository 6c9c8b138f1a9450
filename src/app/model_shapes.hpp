// --model of `reckon calibrate`: the shapes that a user's own models make of products and attention.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"
#include "cost/kernel_shapes.hpp"

namespace reckon {

/// --model, --seq-len, --mb, --tp, --cp.
OptionGroup model_shape_options();

/// The shapes of every model with every length, micro-batch and split that it allows; empty without --model.  `most` is the work of one
/// product or attention at most, `room` the memory of its operands or results in fp32.  Throws UsageError for a model that none of the splits
/// fits, and for larger shapes.
KernelShapes read_model_shapes(const ParsedOptions& options, Precision precision, Flops most, Bytes room);

}  // namespace reckon
