// What is timed: every op at the sizes of known models, over memory several times larger than the cache.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/work/work.hpp"
#include "runtime/device_memory.hpp"

namespace reckon::check {

struct Case {
  std::string op, element;
  std::vector<std::pair<std::string, long long>> shape;
  std::string variant;            ///< which of several ways; empty when there is one
  Work work;
  bool memory_bound = true;       ///< held against the device copy
  /// Prepares operands and gives the launches: launch(i) uses operand set i.  Memory is freed with the returned function.
  std::function<std::function<void(int)>(const DeviceStream&, std::size_t cache_bytes)> prepare;
};

/// `shrink` divides rows and product sizes, to try the program itself; 1 to measure.
std::vector<Case> all_cases(std::int64_t shrink = 1);

}  // namespace reckon::check
