// Numbers of devices and their places in the groups of a strategy, in the order of cost/placement.hpp.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "catalog/strategy.hpp"

namespace reckon {

/// A stage's devices are counted tensor innermost, then context, then data: place = t + tensor (c + context d).  Numbers on the machine
/// follow stage after stage (GroupOrder::data_inside), or go through the stages before the next replica (pipeline_inside).
class DeviceOrder {
 public:
  explicit DeviceOrder(const Strategy& s)
      : width_(s.tensor_parallel * s.context_parallel * s.data_parallel),
        inner_(s.order == GroupOrder::data_inside ? width_ : s.tensor_parallel * s.context_parallel),
        stages_(s.pipeline_parallel) {}

  /// Devices of a stage.
  std::int64_t width() const { return width_; }
  /// The number of the device at a place of a stage.
  std::int64_t number(std::int64_t stage, std::int64_t place) const {
    return place % inner_ + inner_ * (stage + stages_ * (place / inner_));
  }
  /// stage * width + place of a device number: the number that it would have stage after stage.
  std::int64_t by_stage(std::int64_t number) const {
    const std::int64_t outer = number / inner_;
    return outer % stages_ * width_ + number % inner_ + inner_ * (outer / stages_);
  }

  /// Places of the groups of `size` members at distance `stride` within a stage; nearer together where such groups do not fill the stage
  /// (experts of whole tensor groups on few replicas).  `size` divides width().
  std::vector<std::vector<std::int64_t>> groups(std::int64_t size, std::int64_t stride) const {
    std::vector<std::vector<std::int64_t>> out;
    if (width_ % (size * stride) != 0) stride = width_ / size;
    for (std::int64_t first = 0; first < width_; ++first) {
      if (first / stride % size != 0) continue;
      std::vector<std::int64_t>& members = out.emplace_back();
      for (std::int64_t k = 0; k < size; ++k) members.push_back(first + k * stride);
    }
    return out;
  }

 private:
  std::int64_t width_, inner_, stages_;
};

}  // namespace reckon
