// Steps of training: schedule, reduction, clipping, update.
// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "base/error.hpp"
#include "train/stage.hpp"

namespace reckon::train {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// What a grid's groups have spent in messages so far.
PhaseSeconds message_seconds(const ProcessGrid& g) {
  PhaseSeconds s;
  s.tensor = g.tensor.seconds();
  s.context = g.context.seconds();
  s.expert = g.expert.seconds();
  s.pipeline = g.pipeline.seconds();
  s.replicas = g.replicas.seconds() + g.expert_replicas.seconds() + g.embedding.seconds();
  s.other = g.world.seconds();
  return s;
}
double sum(const PhaseSeconds& s) { return s.tensor + s.context + s.expert + s.pipeline + s.replicas + s.other; }

template <class T>
class TypedTrainer : public Trainer {
 public:
  TypedTrainer(const TrainingJob& job, const ProcessGrid& grid, const TextData& data)
      : machine_(job.backend, grid.world.rank()),
        job_(&job),
        grid_(&grid),
        data_(&data),
        scene_(on_machine([&] { return Scene<T>(grid, job); })),
        stage_(on_machine([&] { return Stage<T>(scene_); })),
        schedule_(pipeline_schedule(job.strategy.schedule, grid.pipeline.rank(), grid.pipeline.size(), job.strategy.num_micro_batches(),
                                    job.strategy.virtual_stages)) {}

  StepReport step(std::int64_t step) override;
  double validation_loss(std::int64_t batches) override;
  std::vector<StatePiece> state() override;
  void restored() override {
    const OnMachine here(machine_);
    for (Unit<T>* unit : stage_.units()) unit->spread_weights();
  }
  std::vector<ParameterPlace> places() override;
  std::int64_t state_bytes() override {
    std::int64_t bytes = 0;
    for (Unit<T>* unit : stage_.units()) bytes += unit->bytes();
    return bytes;
  }

 private:
  template <class Make>
  auto on_machine(const Make& make) {
    const OnMachine here(machine_);
    return make();
  }
  template <class Sequence>
  MicroBatch micro_batch(std::int64_t index, const Sequence& sequence) const;
  /// Time of `work` without the messages inside it.
  template <class Work>
  void timed(double& seconds, const Work& work) {
    const auto start = Clock::now();
    const double messages = sum(message_seconds(*grid_));
    work();
    settle();
    seconds += since(start) - (sum(message_seconds(*grid_)) - messages);
  }
  double reduce_gradients();
  double mean_loss(std::int64_t tokens);

  Machine machine_;  // outlives all arrays
  const TrainingJob* job_;
  const ProcessGrid* grid_;
  const TextData* data_;
  Scene<T> scene_;
  Stage<T> stage_;
  std::vector<Action> schedule_;
};

/// Sequences of micro-batch `index` of this data-parallel rank, as many of their tokens as lie on this context rank.
template <class T>
template <class Sequence>
MicroBatch TypedTrainer<T>::micro_batch(std::int64_t index, const Sequence& sequence) const {
  const Strategy& s = job_->strategy;
  MicroBatch out;
  for (std::int64_t b = 0; b < s.micro_batch_size; ++b) {
    const std::int64_t sample = (grid_->data.rank() * s.num_micro_batches() + index) * s.micro_batch_size + b;
    const std::string_view bytes = sequence(sample);
    for (const Segment& segment : context_segments(job_->seq_len, grid_->context.size(), grid_->context.rank())) {
      for (std::int64_t i = segment.position; i < segment.position + segment.length; ++i) {
        out.tokens.push_back(static_cast<unsigned char>(bytes[std::size_t(i)]));
        out.targets.push_back(static_cast<unsigned char>(bytes[std::size_t(i + 1)]));
      }
    }
  }
  return out;
}

/// The loss's sum over all ranks, each token once, over `tokens`.
template <class T>
double TypedTrainer<T>::mean_loss(std::int64_t tokens) {
  double loss = grid_->tensor.rank() == 0 ? stage_.loss() : 0.0;
  stage_.clear_loss();
  grid_->world.all_reduce_sum(&loss, 1);
  return loss / double(tokens);
}

/// Sums the gradients over the replicas and the copies of a tied table; answers the norm over the whole model.
template <class T>
double TypedTrainer<T>::reduce_gradients() {
  for (Unit<T>* unit : stage_.units()) unit->reduce_gradient();
  if (Unit<T>* table = stage_.shared_table()) all_reduce(grid_->embedding, table->owned_gradient(), table->owned_count());
  double squares = 0;
  for (Unit<T>* unit : stage_.units()) squares += unit->gradient_squares(grid_->tensor.rank() == 0);
  grid_->world.all_reduce_sum(&squares, 1);
  return std::sqrt(squares);
}

template <class T>
StepReport TypedTrainer<T>::step(std::int64_t step) {
  const OnMachine here(machine_);
  StepReport report;
  report.step = step;
  report.learning_rate = learning_rate(job_->optimizer, step, job_->steps);
  PhaseSeconds& seconds = report.seconds;
  const auto start = Clock::now();
  const PhaseSeconds before = message_seconds(*grid_);
  const auto sequence = [&](std::int64_t sample) { return data_->training(job_->seed, step, sample); };
  const double scale = 1.0 / double(job_->tokens_per_step());
  for (const Action& action : schedule_) {
    const MicroBatch batch = micro_batch(action.micro_batch, sequence);
    if (action.kind == Action::Kind::forward) {
      timed(seconds.forward, [&] { stage_.forward(action, batch, true); });
    } else {
      timed(seconds.backward, [&] { stage_.backward(action, batch, scale); });
    }
  }
  stage_.finish();
  report.loss = mean_loss(job_->tokens_per_step());
  timed(seconds.optimizer, [&] {
    report.gradient_norm = reduce_gradients();
    if (!std::isfinite(report.loss) || !std::isfinite(report.gradient_norm)) return;
    const double clip = job_->optimizer.clip, factor = clip > 0 && report.gradient_norm > clip ? clip / report.gradient_norm : 1.0;
    for (Unit<T>* unit : stage_.units()) {
      unit->update(job_->optimizer, report.learning_rate, step, factor);
      unit->spread_sharded();
    }
  });
  const PhaseSeconds after = message_seconds(*grid_);
  seconds.tensor = after.tensor - before.tensor;
  seconds.context = after.context - before.context;
  seconds.expert = after.expert - before.expert;
  seconds.pipeline = after.pipeline - before.pipeline;
  seconds.replicas = after.replicas - before.replicas;
  seconds.other = after.other - before.other;
  seconds.total = since(start);
  if (!std::isfinite(report.loss) || !std::isfinite(report.gradient_norm)) {
    throw UsageError(fmt::format("the training diverged: at step {} the loss is {} and the norm of the gradient {}", step, report.loss,
                                 report.gradient_norm),
                     "give a smaller --learning-rate or a longer --warmup; checkpoints of earlier steps are sound");
  }
  return report;
}

template <class T>
double TypedTrainer<T>::validation_loss(std::int64_t batches) {
  const OnMachine here(machine_);
  const std::int64_t samples = job_->strategy.global_batch_size;
  stage_.clear_loss();
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    const auto sequence = [&](std::int64_t sample) { return data_->validation(batch * samples + sample, batches * samples); };
    for (const Action& action : forward_schedule(job_->strategy.num_micro_batches(), job_->strategy.virtual_stages)) {
      stage_.forward(action, micro_batch(action.micro_batch, sequence), false);
    }
    stage_.finish();
  }
  return mean_loss(batches * job_->tokens_per_step());
}

template <class T>
std::vector<StatePiece> TypedTrainer<T>::state() {
  machine_.wait();
  std::vector<StatePiece> out;
  for (Unit<T>* unit : stage_.units()) {
    const std::size_t size = std::size_t(unit->owned_count()) * sizeof(Accumulator<T>);
    out.push_back({unit->name() + "/master", unit->state().master, size});
    out.push_back({unit->name() + "/first_moment", unit->state().first.data(), size});
    if (unit->state().second.size() > 0) out.push_back({unit->name() + "/second_moment", unit->state().second.data(), size});
  }
  return out;
}

template <class T>
std::vector<ParameterPlace> TypedTrainer<T>::places() {
  std::vector<ParameterPlace> out;
  for (Unit<T>* unit : stage_.units()) {
    for (const Parameter& p : unit->parameters()) {
      out.push_back({unit->name(), p.name, p.offset, p.rows, p.columns, p.row, p.column, unit->owned_first(), unit->owned_count()});
    }
  }
  return out;
}

}  // namespace

std::unique_ptr<Trainer> make_trainer(const TrainingJob& job, const ProcessGrid& grid, const TextData& data) {
  check_job(job);
  if (job.strategy.precision == Precision::bf16) return std::make_unique<TypedTrainer<Bf16>>(job, grid, data);
  return std::make_unique<TypedTrainer<float>>(job, grid, data);
}

std::unique_ptr<Trainer> make_reference_trainer(const TrainingJob& job, const ProcessGrid& grid, const TextData& data) {
  check_job(job);
  return std::make_unique<TypedTrainer<double>>(job, grid, data);
}

}  // namespace reckon::train
