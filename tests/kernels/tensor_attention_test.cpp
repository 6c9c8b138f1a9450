// Attention on the tensor cores, its own source over the emulated device: fragments, masks, tails, grouped heads, and planted errors.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/kernels/emulated_cuda.hpp"

#include "kernels/cuda/attention.cu"
#include "tests/kernels/check/check_attention.hpp"

namespace reckon {

void check_launch(const char*) {}

namespace check {
namespace {

constexpr auto on_tensor_cores = [](const auto& op) {
  if (!for_tensor_cores<Bf16>(op, op.q, op.k, op.v)) throw std::logic_error("a case that the tensor cores do not take");
  launch<Backend::cuda>(op, {});
};

TEST(TensorAttention, AgreesWithTheReference) {
  HostPlace place;
  for (const AttentionCase& c : tensor_attention_cases()) {
    const std::string name = std::to_string(c.seq_q) + " x " + std::to_string(c.seq_kv) + ", head_dim " + std::to_string(c.head_dim);
    const Report forward = check_attention_forward<Bf16>(place, c, {1, 0}, on_tensor_cores);
    EXPECT_TRUE(forward.passed()) << name << ": " << forward.failure;
    for (const bool accumulate : {false, true}) {
      const Report backward = check_attention_backward<Bf16>(place, c, accumulate, {1, 0}, on_tensor_cores);
      EXPECT_TRUE(backward.passed()) << name << ": " << backward.failure;
      EXPECT_EQ(backward.digest, check_attention_backward<Bf16>(place, c, accumulate, {1, 0}, on_tensor_cores).digest) << name;
    }
  }
}

TEST(TensorAttention, TakesOnlyWhatItsLoadsAllow) {
  AttentionShape shape;
  shape.heads = shape.kv_heads = 2, shape.seq_q = shape.seq_kv = 4, shape.head_dim = 64;
  const auto* aligned = reinterpret_cast<const Bf16*>(std::uintptr_t(4096));
  EXPECT_TRUE(for_tensor_cores<Bf16>(shape, aligned));
  EXPECT_FALSE(for_tensor_cores<Bf16>(shape, aligned + 1));
  EXPECT_FALSE(for_tensor_cores<float>(shape, aligned));
  shape.q_token = 2 * 64 + 4;
  EXPECT_FALSE(for_tensor_cores<Bf16>(shape, aligned));
  shape.q_token = 0;
  shape.head_dim = 96;
  EXPECT_FALSE(for_tensor_cores<Bf16>(shape, aligned));
}

/// How many of the cases refuse a changed forward or backward pass.
template <class Change>
int tensor_cases_refused(const Change& change) {
  HostPlace place;
  int count = 0;
  const auto changed = [&](auto op) {
    change(op);
    on_tensor_cores(op);
  };
  for (const AttentionCase& c : tensor_attention_cases()) {
    count += !check_attention_forward<Bf16>(place, c, {1, 0}, changed).passed();
    count += !check_attention_backward<Bf16>(place, c, true, {1, 0}, changed).passed();
  }
  return count;
}

TEST(TensorAttention, PlantedErrorsAreRefused) {
  EXPECT_EQ(tensor_cases_refused([](auto&) {}), 0);
  EXPECT_GT(tensor_cases_refused([](auto& op) { op.scale = 1; }), 0);
  EXPECT_GT(tensor_cases_refused([](auto& op) { op.causal = false; }), 0);
  EXPECT_GT(tensor_cases_refused([](auto& op) { op.q_position += 1; }), 0);  // the mask lets the next token through
  EXPECT_GT(tensor_cases_refused([](auto& op) { op.seq_kv = std::max<std::int64_t>(1, op.seq_kv - 1); }), 0);
  EXPECT_GT(tensor_cases_refused([](auto& op) { op.kv_position = 0; }), 0);
}

}  // namespace
}  // namespace check
}  // namespace reckon
