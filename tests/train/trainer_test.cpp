// The trainer on one rank: its gradients by finite differences in double, its variants against each other, its state.
// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "base/error.hpp"
#include "tests/train/small_job.hpp"

namespace reckon::train {
namespace {

struct Alone {
  explicit Alone(TrainingJob training_job)
      : job(std::move(training_job)), data(small_text(), "text", job.seq_len, 0.2), grid(make_process_grid({}, job.strategy)) {}
  TrainingJob job;
  TextData data;
  ProcessGrid grid;
};

std::vector<double> losses(const TrainingJob& job, std::int64_t steps) {
  const Alone alone(job);
  const auto trainer = make_trainer(alone.job, alone.grid, alone.data);
  std::vector<double> out;
  for (std::int64_t step = 1; step <= steps; ++step) out.push_back(trainer->step(step).loss);
  return out;
}

class ModelGradient : public testing::TestWithParam<Shape> {};

TEST_P(ModelGradient, IsThatOfFiniteDifferences) {
  // SGD without momentum, decay and rate: the state's first moment is the gradient, and nothing moves.
  TrainingJob job = small_job(GetParam(), 2);
  job.strategy.global_batch_size = 2;
  job.seq_len = 6;
  job.optimizer = {.kind = OptimizerKind::sgd,
                   .learning_rate = 0,
                   .least_learning_rate = 0,
                   .warmup_steps = 0,
                   .beta1 = 0,
                   .weight_decay = 0,
                   .clip = 0};
  const Alone alone(job);
  const auto trainer = make_reference_trainer(alone.job, alone.grid, alone.data);
  trainer->step(1);
  const std::vector<StatePiece> state = trainer->state();
  // Larger weights than a model starts from: every gradient is far from zero.
  for (std::size_t unit = 0; unit < state.size(); unit += 2) {
    auto* weights = static_cast<double*>(state[unit].data);
    for (std::size_t i = 0; i < state[unit].size / 8; ++i) weights[i] *= 1 + 5 * (std::abs(weights[i]) < 0.5);
  }
  std::size_t checked = 0;
  for (std::size_t unit = 0; unit < state.size(); unit += 2) {
    trainer->restored();
    trainer->step(1);
    auto* weights = static_cast<double*>(state[unit].data);
    const auto* gradient = static_cast<const double*>(state[unit + 1].data);
    const std::size_t size = state[unit].size / 8;
    std::vector<double> before(gradient, gradient + size);
    // Along a random direction: every parameter of the unit counts.
    std::vector<double> direction(size);
    double along = 0, magnitude = 0;
    for (std::size_t i = 0; i < size; ++i) {
      direction[i] = std::sin(double(i * 7919 % 1000003) + double(unit));
      along += before[i] * direction[i];
      magnitude += before[i] * before[i];
    }
    const auto loss_at = [&](double h) {
      for (std::size_t i = 0; i < size; ++i) weights[i] += h * direction[i];
      trainer->restored();
      const double loss = trainer->step(1).loss;
      for (std::size_t i = 0; i < size; ++i) weights[i] -= h * direction[i];
      return loss;
    };
    const double h = 1e-5, numeric = (8 * (loss_at(h) - loss_at(-h)) - (loss_at(2 * h) - loss_at(-2 * h))) / (12 * h);
    EXPECT_NEAR(numeric, along, 1e-6 * std::max(std::abs(along), 0.1 * std::sqrt(magnitude)) + 1e-10) << state[unit].name;
    checked += size;
  }
  EXPECT_GT(checked, 20000u);
}
INSTANTIATE_TEST_SUITE_P(Shapes, ModelGradient, testing::Values(Shape::gpt, Shape::llama, Shape::experts));

TEST(Trainer, LearnsAndRepeatsItself) {
  for (const Shape shape : {Shape::gpt, Shape::llama, Shape::experts}) {
    const std::vector<double> first = losses(small_job(shape), 20), second = losses(small_job(shape), 20);
    EXPECT_NEAR(first[0], std::log(259.0), 0.15);
    EXPECT_LT(first[19], first[0] - 1.0);
    EXPECT_EQ(first, second);
  }
}

void expect_near(const std::vector<double>& got, const std::vector<double>& expected, double relative, const char* what) {
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], relative * expected[i]) << what << ", step " << i + 1;
}

TEST(Trainer, GivesTheSameLossHoweverAStepIsComputed) {
  const TrainingJob plain = small_job(Shape::llama);
  const std::vector<double> expected = losses(plain, 20);
  const auto variant = [&](const char* what, double relative, const std::function<void(TrainingJob&)>& change) {
    TrainingJob job = plain;
    change(job);
    expect_near(losses(job, 20), expected, relative, what);
  };
  variant("accumulated", 1e-4, [](TrainingJob& j) { j.strategy.micro_batch_size = 4; });
  variant("full recompute", 0, [](TrainingJob& j) { j.strategy.recompute = Recompute::full; });
  variant("unfused attention", 1e-4, [](TrainingJob& j) { j.strategy.attention = AttentionKind::unfused; });
  variant("unfused attention, recomputed", 1e-4, [](TrainingJob& j) {
    j.strategy.attention = AttentionKind::unfused;
    j.strategy.recompute = Recompute::selective;
  });
  variant("bf16", 2e-2, [](TrainingJob& j) { j.strategy.precision = Precision::bf16; });
}

TEST(Trainer, TrainsWithEveryOptimizer) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::lamb}) {
    TrainingJob job = small_job(Shape::gpt);
    job.optimizer.kind = kind;
    job.optimizer.learning_rate = kind == OptimizerKind::sgd ? 0.5 : 0.1;
    job.optimizer.least_learning_rate = 0.05;
    const std::vector<double> got = losses(job, 20);
    EXPECT_LT(got[19], got[0] - 0.5);
  }
}

TEST(Trainer, GoesOnFromItsStateBitByBit) {
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    TrainingJob job = small_job(Shape::experts);
    job.strategy.precision = precision;
    const Alone alone(job);
    const auto first = make_trainer(alone.job, alone.grid, alone.data), second = make_trainer(alone.job, alone.grid, alone.data);
    for (std::int64_t step = 1; step <= 5; ++step) first->step(step);
    const std::vector<StatePiece> from = first->state(), to = second->state();
    ASSERT_EQ(from.size(), to.size());
    for (std::size_t i = 0; i < from.size(); ++i) std::memcpy(to[i].data, from[i].data, from[i].size);
    second->restored();
    for (std::int64_t step = 6; step <= 9; ++step) EXPECT_EQ(first->step(step).loss, second->step(step).loss);
    EXPECT_EQ(first->validation_loss(2), second->validation_loss(2));
  }
}

TEST(Trainer, RefusesWhatItCannotTrain) {
  const auto refused = [](const std::function<void(TrainingJob&)>& change) {
    TrainingJob job = small_job(Shape::gpt);
    change(job);
    EXPECT_THROW(check_job(job), UsageError);
  };
  refused([](TrainingJob& j) { j.architecture.body = ResNet{}; });
  refused([](TrainingJob& j) { std::get<Transformer>(j.architecture.body).qk_norm = true; });
  refused([](TrainingJob& j) { std::get<Transformer>(j.architecture.body).vocab_size = 255; });
  refused([](TrainingJob& j) { j.seq_len = 33; });
  refused([](TrainingJob& j) { j.strategy.precision = Precision::fp8; });
  refused([](TrainingJob& j) { j.strategy.tensor_parallel = 3; });
  refused([](TrainingJob& j) { j.strategy.pipeline_parallel = 3; });
  refused([](TrainingJob& j) { j.strategy.expert_parallel = 2; });
  refused([](TrainingJob& j) { j.strategy.context_parallel = 16; });
  EXPECT_THROW(TextData("too short", "text", 16, 0.1), ConfigError);
  EXPECT_THROW(make_process_grid({},
                                 [] {
                                   Strategy s;
                                   s.data_parallel = 2;
                                   return s;
                                 }()),
               UsageError);
}

}  // namespace
}  // namespace reckon::train
