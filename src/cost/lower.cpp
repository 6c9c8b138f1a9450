// SPDX-License-Identifier: Apache-2.0
#include "cost/lower.hpp"

namespace reckon {

LoweredModel lower(const Architecture& architecture, const Strategy& strategy, const Task& task, const StackFacts& facts) {
  struct Visitor {
    const Strategy& strategy;
    const Task& task;
    const StackFacts& facts;
    LoweredModel operator()(const Transformer& m) const { return lower_transformer(m, strategy, task, facts); }
    LoweredModel operator()(const ResNet& m) const { return lower_resnet(m, strategy, task, facts); }
    LoweredModel operator()(const UNet& m) const { return lower_unet(m, strategy, task, facts); }
  };
  return std::visit(Visitor{strategy, task, facts}, architecture.body);
}

}  // namespace reckon
