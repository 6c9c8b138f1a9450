// From an architecture and a strategy to the work of one device.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "catalog/architecture.hpp"
#include "catalog/strategy.hpp"
#include "cost/job.hpp"
#include "cost/lowered.hpp"

namespace reckon {

/// The ops, messages and weights of one micro-batch on one device under `strategy`.
///
/// Tensor parallelism splits heads, MLP columns and vocabulary (Shoeybi et al. 2019, arXiv 1909.08053); sequence parallelism splits
/// norms and residuals (Korthikanti et al. 2022, arXiv 2205.05198); context parallelism splits the sequence with balanced causal
/// work; expert parallelism spreads experts over tensor x context x data.
LoweredModel lower(const Architecture& architecture, const Strategy& strategy, const Task& task, const StackFacts& facts);

// One file each: lower_transformer.cpp, lower_convolution.cpp.
LoweredModel lower_transformer(const Transformer& model, const Strategy& strategy, const Task& task, const StackFacts& facts);
LoweredModel lower_resnet(const ResNet& model, const Strategy& strategy, const Task& task, const StackFacts& facts);
LoweredModel lower_unet(const UNet& model, const Strategy& strategy, const Task& task, const StackFacts& facts);

}  // namespace reckon
