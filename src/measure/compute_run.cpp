// Plans of compute measurements, and attention.
// SPDX-License-Identifier: Apache-2.0
#include "measure/compute_run.hpp"

#include "measure/attention_run.hpp"

namespace reckon::measure {
namespace {

/// The shapes of attention: equal numbers of queries and keys under a causal mask, and whole blocks without one as a ring of context ranks
/// makes them.
template <class Each>
void for_attention(const ComputePlan& plan, const Each& each) {
  for (const std::int64_t heads : plan.attention_heads)
    for (const std::int64_t length : plan.attention_lengths)
      for (const std::int64_t dim : plan.head_dims) {
        if (heads * length * length * dim > std::int64_t{1} << 28) continue;
        for (const bool causal : {true, false}) each(AttentionDimensions{1, heads, length, length, dim, causal});
      }
}

void measure_attention(const Bench& bench, const ComputePlan& plan, const Arena& inputs, const Arena& outputs, Samples& samples,
                       const std::function<void()>& advance) {
  for (const Precision precision : plan.precisions) {
    const bool bf16 = precision == Precision::bf16;
    check_attention(bench, inputs, outputs, bf16);
    for_attention(plan, [&](const AttentionDimensions& d) {
      for (const Pass pass : {Pass::forward, Pass::backward}) {
        const AttentionShape shape{.batch = double(d.batch),
                                   .heads = double(d.heads),
                                   .kv_heads = double(d.heads),
                                   .seq_q = double(d.seq_q),
                                   .seq_kv = double(d.seq_kv),
                                   .head_dim = double(d.head_dim),
                                   .causal = d.causal};
        samples.attention.push_back({precision, pass, shape, attention_time_of(bench, inputs, outputs, d, bf16, pass == Pass::backward)});
        advance();
      }
    });
  }
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
  std::int64_t attention = 0;
  for_attention(plan, [&](const AttentionDimensions&) { attention += 2; });
  return count_of_gemm(plan) + count_of_streams(plan) + attention * std::int64_t(plan.precisions.size());
}

void measure_compute(const Bench& bench, const ComputePlan& plan, Samples& samples, const std::function<void()>& advance) {
  const Arena inputs(bench.backend(), plan.arena, true, 1), outputs(bench.backend(), plan.arena, false, 0);
  measure_gemm(bench, plan, inputs, outputs, samples, advance);
  measure_attention(bench, plan, inputs, outputs, samples, advance);
  measure_streams(bench, plan, inputs, outputs, samples, advance);
}

}  // namespace reckon::measure
