// Planted errors in attention, the ops around the products and the optimisers: the checks must refuse each (see mutant_test.cpp).
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/kernels/check/all.hpp"

namespace reckon::check {
namespace {

template <class Op>
void run(const Op& op) {
  launch<Backend::cpu>(op, {});
}

template <class... Overload>
struct Mutant : Overload... {
  using Overload::operator()...;
};
template <class... Overload>
Mutant(Overload...) -> Mutant<Overload...>;

constexpr auto correct = [](const auto& op) { run(op); };

enum class Family { attention, tokens, experts, updates };

/// How many checks of a family refuse it.
template <class Launch>
int refused(Family family, const Launch& launch) {
  HostPlace place;
  int count = 0;
  const auto visit = [&](const std::string&, const Report& report) { count += !report.passed(); };
  if (family == Family::attention) check_attentions<float>(place, 7, launch, visit);
  if (family == Family::tokens) check_tokens<float>(place, 7, launch, visit);
  if (family == Family::experts) check_experts<float>(place, 7, launch, visit);
  if (family == Family::updates) check_updates<float>(place, 7, launch, visit);
  return count;
}

#define EXPECT_REFUSED(family, ...) EXPECT_GT(refused(Family::family, Mutant{correct, __VA_ARGS__}), 0)

TEST(TransformerMutants, NoneIsRefusedWithoutAMistake) { 
  for (const Family family : {Family::attention, Family::tokens, Family::experts, Family::updates}) EXPECT_EQ(refused(family, correct), 0);
 }

using Forward = AttentionForward<float>;
using Backward = AttentionBackward<float>;

TEST(TransformerMutants, AttentionForward) {
  EXPECT_REFUSED(attention, [](Forward op) { op.scale = 1; run(op); });                                             // scale forgotten
  EXPECT_REFUSED(attention, [](Forward op) { op.scale = 1 / double(op.head_dim); run(op); });                       // scaled without the root
  EXPECT_REFUSED(attention, [](Forward op) { op.causal = false; run(op); });                                        // no mask
  EXPECT_REFUSED(attention, [](Forward op) { op.q_position += 1; run(op); });                                       // the mask lets the next token through
  EXPECT_REFUSED(attention, [](Forward op) { op.q_position = op.kv_position = 0; run(op); });                       // a block's place in the sequence ignored
  EXPECT_REFUSED(attention, [](Forward op) { op.seq_kv = std::max<std::int64_t>(1, op.seq_kv - 1); run(op); });     // the last key dropped
  EXPECT_REFUSED(attention, [](Forward op) { op.seq_q = std::max<std::int64_t>(0, op.seq_q - 1); run(op); });       // the last query left out
  EXPECT_REFUSED(attention, [](Forward op) { if (op.heads % 2 == 0) op.kv_heads = 1; op.kv_token = op.step_kv(); run(op); });  // all heads read the first key head
  EXPECT_REFUSED(attention, [](Forward op) { op.kv_token = op.kv_heads * op.head_dim; op.kv_batch = 0; run(op); });  // gaps between tokens ignored
  EXPECT_REFUSED(attention, [](const Forward& op) {                                                                 // lse without the maximum's shift undone
    run(op);
    for (std::int64_t r = 0; r < op.batch * op.heads * op.seq_q; ++r) op.lse[r] = std::exp(op.lse[r]);
  });
}

TEST(TransformerMutants, AttentionBackward) {
  EXPECT_REFUSED(attention, [](Backward op) { op.causal = false; run(op); });
  EXPECT_REFUSED(attention, [](Backward op) { op.q_position -= 1; run(op); });                                      // the diagonal masked
  EXPECT_REFUSED(attention, [](Backward op) { op.accumulate = false; run(op); });
  EXPECT_REFUSED(attention, [](Backward op) { std::swap(op.dk, op.dv); run(op); });
  EXPECT_REFUSED(attention, [](Backward op) { op.out = op.dout; run(op); });                                        // delta from the wrong array
  EXPECT_REFUSED(attention, [](const Backward& op) {                                                                // dq not scaled
    run(op);
    for (std::int64_t i = 0; i < op.batch * op.seq_q * op.step_q(); ++i) op.dq[i] /= float(op.score_scale());
  });
}

TEST(TransformerMutants, Softmax) {
  EXPECT_REFUSED(attention, [](SoftmaxForward<float> op) { op.scale = 1; run(op); });
  EXPECT_REFUSED(attention, [](SoftmaxForward<float> op) { op.seq_q = 1; run(op); });          // every row sees all
  EXPECT_REFUSED(attention, [](SoftmaxBackward<float> op) { op.scale = 1; run(op); });
  EXPECT_REFUSED(attention, [](const SoftmaxBackward<float>& op) {                             // the mean not taken out
    for (std::int64_t i = 0; i < op.rows * op.columns; ++i) op.dx[i] = float(op.scale) * op.p[i] * op.dout[i];
  });
}

TEST(TransformerMutants, Tokens) {
  EXPECT_REFUSED(tokens, [](EmbeddingForward<float> op) { op.first_row = 0; run(op); });
  EXPECT_REFUSED(tokens, [](EmbeddingForward<float> op) { op.accumulate = false; run(op); });
  EXPECT_REFUSED(tokens, [](EmbeddingBackward<float> op) { op.tokens = std::max<std::int64_t>(0, op.tokens - 1); run(op); });
  EXPECT_REFUSED(tokens, [](Rotary<float> op) { op.inverse = !op.inverse; run(op); });
  EXPECT_REFUSED(tokens, [](Rotary<float> op) { std::swap(op.cosine, op.sine); run(op); });
  EXPECT_REFUSED(tokens, [](Rotary<float> op) { op.period = 1; run(op); });                 // every token at the first position
  EXPECT_REFUSED(tokens, [](CrossEntropyForward<float> op) { op.first_column = 0; run(op); });
  EXPECT_REFUSED(tokens, [](CrossEntropyForward<float> op) { op.columns = std::max<std::int64_t>(1, op.columns - 1); run(op); });
  EXPECT_REFUSED(tokens, [](CrossEntropyBackward<float> op) { op.scale = 1; run(op); });
  EXPECT_REFUSED(tokens, [](CrossEntropyBackward<float> op) { op.first_column += 1; run(op); });  // one is taken from the wrong column
  EXPECT_REFUSED(tokens, [](BiasAdd<float> op) { op.residual = nullptr; run(op); });
  EXPECT_REFUSED(tokens, [](BiasBackward<float> op) { op.rows = std::max<std::int64_t>(0, op.rows - 1); run(op); });
}

TEST(TransformerMutants, Experts) {
  EXPECT_REFUSED(experts, [](RouterForward<float> op) { op.renormalise = true; run(op); });
  EXPECT_REFUSED(experts, [](RouterBackward<float> op) { op.renormalise = !op.renormalise; run(op); });
  EXPECT_REFUSED(experts, [](GatherRows<float> op) { if (op.rows > 1) ++op.source, --op.rows; run(op); });
  EXPECT_REFUSED(experts, [](CombineRows<float> op) { op.weight = nullptr; run(op); });
  EXPECT_REFUSED(experts, [](CombineRowsBackward<float> op) { std::swap(op.x, op.dout); if (op.top_k == 1) run(op); });
}

TEST(TransformerMutants, Updates) {
  EXPECT_REFUSED(updates, [](Sgd<float> op) { op.gradient_scale = 1; run(op); });
  EXPECT_REFUSED(updates, [](Sgd<float> op) { op.weight_decay = 0; run(op); });
  EXPECT_REFUSED(updates, [](LambMoments<float> op) { op.step = 1000000; run(op); });        // no bias correction
  EXPECT_REFUSED(updates, [](LambMoments<float> op) { op.weight_decay = 0; run(op); });
  EXPECT_REFUSED(updates, [](const LambApply<float>& op) {                                   // the ratio of squares, without the root
    const double squared[] = {op.norms[0] * op.norms[0], op.norms[1] * op.norms[1]};
    LambApply<float> wrong = op;
    wrong.norms = squared;
    run(wrong);
  });
  EXPECT_REFUSED(updates, [](SumOfSquares<float> op) { op.count = std::max<std::int64_t>(0, op.count - 1); run(op); });
  EXPECT_REFUSED(updates, [](Narrow<float> op) { op.scale = 1; run(op); });
}

}  // namespace
}  // namespace reckon::check
