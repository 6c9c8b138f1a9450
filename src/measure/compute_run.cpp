// Plans of compute measurements.
// SPDX-License-Identifier: Apache-2.0
#include "measure/compute_run.hpp"

#include <algorithm>

#include "measure/attention_run.hpp"

namespace reckon::measure {
namespace {

/// The grid, with equal numbers of queries and keys under a causal mask and whole blocks without one as a ring of context ranks makes them;
/// then the plan's own shapes that the grid has not.
std::vector<AttentionDimensions> attention_cases(const ComputePlan& plan) {
  std::vector<AttentionDimensions> out;
  for (const std::int64_t heads : plan.attention_heads)
    for (const std::int64_t length : plan.attention_lengths)
      for (const std::int64_t dim : plan.head_dims) {
        if (heads * length * length * dim > std::int64_t{1} << 28) continue;
        for (const bool causal : {true, false}) out.push_back({1, heads, length, length, dim, causal});
      }
  for (const AttentionShape& s : plan.attentions) {
    const AttentionDimensions d{std::int64_t(s.batch),  std::int64_t(s.heads),    std::int64_t(s.seq_q),
                                std::int64_t(s.seq_kv), std::int64_t(s.head_dim), s.causal};
    if (std::find(out.begin(), out.end(), d) == out.end()) out.push_back(d);
  }
  return out;
}

AttentionShape shape_of(const AttentionDimensions& d) {
  return {.batch = double(d.batch),
          .heads = double(d.heads),
          .kv_heads = double(d.heads),
          .seq_q = double(d.seq_q),
          .seq_kv = double(d.seq_kv),
          .head_dim = double(d.head_dim),
          .causal = d.causal};
}

void measure_attention(const Bench& bench, const ComputePlan& plan, const Arena& inputs, const Arena& outputs, Samples& samples,
                       const std::function<void()>& advance) {
  for (const Precision precision : plan.precisions) {
    const bool bf16 = precision == Precision::bf16;
    check_attention(bench, inputs, outputs, bf16);
    for (const AttentionDimensions& d : attention_cases(plan)) {
      for (const Pass pass : {Pass::forward, Pass::backward}) {
        samples.attention.push_back({precision, pass, shape_of(d), attention_time_of(bench, inputs, outputs, d, bf16, pass == Pass::backward)});
        advance();
      }
    }
  }
}

std::size_t room_of_attention(const ComputePlan& plan) {
  std::size_t out = 0;
  for (const AttentionDimensions& d : attention_cases(plan)) out = std::max(out, attention_room(d));
  return out;
}

}  // namespace

ComputePlan quick_compute_plan() {
  ComputePlan plan;
  plan.gemm_sides = {64, 256};
  plan.attention_heads = {4};
  plan.attention_lengths = {32, 128};
  plan.head_dims = {16, 64};
  plan.stream_values = {1 << 12, 1 << 16};
  plan.arena = std::size_t{8} << 20;
  return plan;
}

ComputePlan device_compute_plan() {
  ComputePlan plan;
  plan.gemm_sides = {256, 512, 1024, 2048, 4096, 8192};
  plan.largest_gemm = 0x1p41;
  plan.attention_heads = {16, 64};
  plan.attention_lengths = {512, 1024, 2048, 4096};
  plan.head_dims = {64, 128};
  plan.stream_values = {1 << 14, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26};
  plan.arena = std::size_t{4} << 30;
  return plan;
}

std::int64_t count_of(const ComputePlan& plan) {
  const std::size_t attention = 2 * attention_cases(plan).size() * plan.precisions.size();
  return count_of_gemm(plan) + std::int64_t(attention) + count_of_streams(plan);
}

void measure_compute(const Bench& bench, const ComputePlan& plan, Samples& samples, const std::function<void()>& advance) {
  constexpr std::size_t pages = 8192;  // between places, and behind the last
  const std::size_t room = std::max({plan.arena, room_of_gemm(plan) + pages, room_of_attention(plan)});
  const Arena inputs(bench.backend(), room, true, 1), outputs(bench.backend(), room, false, 0);
  measure_gemm(bench, plan, inputs, outputs, samples, advance);
  measure_attention(bench, plan, inputs, outputs, samples, advance);
  measure_streams(bench, plan, inputs, outputs, samples, advance);
}

}  // namespace reckon::measure
