// Attention kernels behind plain numbers: the kernels' shape and the calibration's have one name and cannot meet in one file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "measure/bench.hpp"

namespace reckon::measure {

struct AttentionDimensions {
  std::int64_t batch = 1, heads = 1, seq_q = 0, seq_kv = 0, head_dim = 0;
  bool causal = true;
  bool operator==(const AttentionDimensions&) const = default;
};

/// Bytes of an arena in which results do not overwrite the statistics that a backward pass reads.
std::size_t attention_room(const AttentionDimensions& size);

/// Time of one pass in bf16 or fp32; operands lie as the products leave them, queries, keys and values side by side.
Timed attention_time_of(const Bench& bench, const Arena& inputs, const Arena& outputs, const AttentionDimensions& size, bool bf16, bool backward);

/// Throws DeviceError unless the backend agrees with the reference on a small shape, forward and backward.
void check_attention(const Bench& bench, const Arena& inputs, const Arena& outputs, bool bf16);

}  // namespace reckon::measure
