// The products and attentions of a model, as a calibration measures them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "calibration/attention.hpp"
#include "calibration/gemm.hpp"
#include "catalog/architecture.hpp"
#include "catalog/strategy.hpp"
#include "cost/job.hpp"

namespace reckon {

struct KernelShapes {
  std::vector<GemmCase> products;
  std::vector<AttentionShape> attention;
};

/// What one device runs of `architecture` under `strategy`: every product with a weight in its three roles, and every fused attention, each
/// shape once, with whole sides.  A grouped product stands for one of its experts; batched products without a weight (unfused attention) are
/// left out, since a calibration measures single ones.
KernelShapes kernel_shapes(const Architecture& architecture, const Strategy& strategy, const Task& task, const StackFacts& facts);

/// Adds what `into` has not yet.
void add_new(KernelShapes& into, const KernelShapes& more);

}  // namespace reckon
