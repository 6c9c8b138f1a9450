// The trainer's GPU path over the emulated device: the CUDA kernels' and launchers' own source under every code path of one rank.
//
// It shows that each op gets the operands that it means and leaves what the next needs.  It does not show races between the stream and the
// host, which the emulated device does not have.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "tests/train/small_job.hpp"
#include "train/trainer.hpp"

namespace reckon::train {
namespace {

struct Numbers {
  std::vector<double> losses, norms;
  double validation = 0;
};

Numbers run_on(Backend backend, TrainingJob job) {
  job.backend = backend;
  job.strategy.global_batch_size = 2;  // two micro-batches
  job.seq_len = 8;
  const TextData data(small_text(), "text", job.seq_len, 0.2);
  const ProcessGrid grid = make_process_grid({}, job.strategy);
  const auto trainer = make_trainer(job, grid, data);
  Numbers out;
  for (std::int64_t step = 1; step <= 2; ++step) {
    const StepReport report = trainer->step(step);
    out.losses.push_back(report.loss);
    out.norms.push_back(report.gradient_norm);
  }
  trainer->restored();
  out.validation = trainer->validation_loss(1);
  return out;
}

void expect_the_processors_numbers(const TrainingJob& job, double tolerance, const char* name) {
  const Numbers device = run_on(Backend::cuda, job), processor = run_on(Backend::cpu, job);
  for (std::size_t i = 0; i < processor.losses.size(); ++i) {
    EXPECT_NEAR(device.losses[i], processor.losses[i], tolerance * processor.losses[i]) << name << ", step " << i + 1;
    EXPECT_NEAR(device.norms[i], processor.norms[i], 20 * tolerance * processor.norms[i]) << name << ", step " << i + 1;
  }
  EXPECT_NEAR(device.validation, processor.validation, tolerance * processor.validation) << name;
  EXPECT_NE(device.losses[0], device.losses[1]) << name << " does not train";
}

TEST(EmulatedTrainer, GivesTheProcessorsLosses) {
  for (const Shape shape : {Shape::gpt, Shape::llama, Shape::experts}) {
    TrainingJob job = small_job(shape, 1);
    expect_the_processors_numbers(job, 1e-5, "fp32");
    job.strategy.precision = Precision::bf16;
    expect_the_processors_numbers(job, 5e-3, "bf16");
  }
}

TEST(EmulatedTrainer, RunsEveryVariantOfOneRank) {
  TrainingJob job = small_job(Shape::gpt, 1);
  job.strategy.attention = AttentionKind::unfused;
  job.strategy.recompute = Recompute::selective;
  expect_the_processors_numbers(job, 1e-5, "unfused");
  job.strategy.recompute = Recompute::full;
  job.optimizer.kind = OptimizerKind::lamb;
  expect_the_processors_numbers(job, 1e-5, "lamb");
  job.optimizer.kind = OptimizerKind::sgd;
  expect_the_processors_numbers(job, 1e-5, "sgd");
}

TEST(EmulatedTrainer, TheSameBitsTwice) {
  const TrainingJob job = small_job(Shape::llama, 1);
  const Numbers first = run_on(Backend::cuda, job), second = run_on(Backend::cuda, job);
  EXPECT_EQ(first.losses, second.losses);
  EXPECT_EQ(first.norms, second.norms);
}

}  // namespace
}  // namespace reckon::train
