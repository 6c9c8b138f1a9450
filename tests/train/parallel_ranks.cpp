// Trains small models under MPI with every parallel strategy that fits the ranks, and compares each loss with that of one rank.
// Run by run_parallel.py; ends with 0 when all agree within 1e-4.  SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "runtime/mpi_session.hpp"
#include "tests/train/small_job.hpp"
#include "train/trainer.hpp"

namespace reckon::train {
namespace {

struct Case {
  std::string name;
  Shape shape = Shape::gpt;
  std::function<void(TrainingJob&)> change;
};

Case at(const std::string& name, Shape shape, const std::function<void(Strategy&)>& change) {
  return {name, shape, [change](TrainingJob& job) { change(job.strategy); }};
}

void tensor(Strategy& s, std::int64_t ranks, bool sequence) {
  s.tensor_parallel = ranks;
  s.sequence_parallel = sequence;
}
void pipeline(Strategy& s, std::int64_t stages, Schedule schedule, std::int64_t chunks = 1) {
  s.pipeline_parallel = stages;
  s.schedule = schedule;
  s.virtual_stages = chunks;
}
void data(Strategy& s, std::int64_t ranks, Sharding sharding) {
  s.data_parallel = ranks;
  s.sharding = sharding;
}

/// All strategies of `n` ranks, or on 4 ranks without those that 2 ranks have shown.
std::vector<Case> cases(int n, bool all) {
  std::vector<Case> out;
  for (const Shape shape : {Shape::gpt, Shape::llama}) {
    if (n == 4 && !all) break;
    const std::string suffix = shape == Shape::gpt ? " gpt" : " llama";
    for (const Sharding sharding : {Sharding::none, Sharding::zero1, Sharding::zero2, Sharding::zero3}) {
      out.push_back(at("dp " + std::string(name_of(sharding)) + suffix, shape, [=](Strategy& s) { data(s, n, sharding); }));
    }
    out.push_back(at("tp" + suffix, shape, [=](Strategy& s) { tensor(s, n, false); }));
    out.push_back(at("tp sp" + suffix, shape, [=](Strategy& s) { tensor(s, n, true); }));
    out.push_back(at("pp gpipe" + suffix, shape, [=](Strategy& s) { pipeline(s, n, Schedule::gpipe); }));
    out.push_back(at("pp 1f1b" + suffix, shape, [=](Strategy& s) { pipeline(s, n, Schedule::one_f_one_b); }));
    out.push_back(at("pp interleaved" + suffix, shape, [=](Strategy& s) { pipeline(s, n, Schedule::interleaved, 4 / n > 1 ? 2 : 1); }));
    out.push_back(at("cp" + suffix, shape, [=](Strategy& s) { s.context_parallel = n; }));
  }
  out.push_back(at("ep", Shape::experts, [=](Strategy& s) { data(s, n, Sharding::none), s.expert_parallel = n; }));
  if (n == 4 && !all) {
    out.push_back(at("tp sp", Shape::gpt, [=](Strategy& s) { tensor(s, n, true); }));
    out.push_back(at("pp gpipe", Shape::gpt, [=](Strategy& s) { pipeline(s, n, Schedule::gpipe); }));
    out.push_back(at("dp zero3", Shape::llama, [=](Strategy& s) { data(s, n, Sharding::zero3); }));
    out.push_back(at("cp", Shape::llama, [=](Strategy& s) { s.context_parallel = n; }));
  }
  out.push_back(at("ep zero3", Shape::experts, [=](Strategy& s) { data(s, n, Sharding::zero3), s.expert_parallel = n; }));
  out.push_back(at("experts dp zero1", Shape::experts, [=](Strategy& s) { data(s, n, Sharding::zero1); }));
  out.push_back(at("experts tp sp", Shape::experts, [=](Strategy& s) { tensor(s, 2, true), data(s, n / 2, Sharding::none); }));
  out.push_back(at("experts cp", Shape::experts, [=](Strategy& s) { s.context_parallel = n; }));
  out.push_back(at("experts pp recompute", Shape::experts,
                   [=](Strategy& s) { pipeline(s, n, Schedule::one_f_one_b), s.recompute = Recompute::full; }));
  out.push_back(at("dp zero3 recompute", Shape::llama, [=](Strategy& s) { data(s, n, Sharding::zero3), s.recompute = Recompute::full; }));
  out.push_back(
      {"lamb zero1", Shape::gpt, [=](TrainingJob& j) { j.optimizer.kind = OptimizerKind::lamb, data(j.strategy, n, Sharding::zero1); }});
  out.push_back({"lamb tp", Shape::gpt, [=](TrainingJob& j) { j.optimizer.kind = OptimizerKind::lamb, tensor(j.strategy, n, true); }});
  if (n == 4) {
    out.push_back(at("tp x pp", Shape::gpt, [](Strategy& s) { tensor(s, 2, true), pipeline(s, 2, Schedule::one_f_one_b); }));
    out.push_back(
        at("tp x pp interleaved", Shape::llama, [](Strategy& s) { tensor(s, 2, true), pipeline(s, 2, Schedule::interleaved, 2); }));
    out.push_back(at("dp x tp", Shape::gpt, [](Strategy& s) { tensor(s, 2, true), data(s, 2, Sharding::zero1); }));
    out.push_back(at("dp x tp zero3", Shape::llama, [](Strategy& s) { tensor(s, 2, true), data(s, 2, Sharding::zero3); }));
    out.push_back(at("dp x pp", Shape::gpt, [](Strategy& s) { pipeline(s, 2, Schedule::one_f_one_b), data(s, 2, Sharding::zero1); }));
    out.push_back(at("cp x tp", Shape::llama, [](Strategy& s) { tensor(s, 2, true), s.context_parallel = 2; }));
    out.push_back(at("cp x pp", Shape::gpt, [](Strategy& s) { pipeline(s, 2, Schedule::gpipe), s.context_parallel = 2; }));
    out.push_back(at("cp x dp zero3", Shape::gpt, [](Strategy& s) { data(s, 2, Sharding::zero3), s.context_parallel = 2; }));
    out.push_back(
        at("ep x tp", Shape::experts, [](Strategy& s) { tensor(s, 2, true), data(s, 2, Sharding::none), s.expert_parallel = 2; }));
    out.push_back(at("ep 2 of dp 4", Shape::experts, [](Strategy& s) { data(s, 4, Sharding::zero1), s.expert_parallel = 2; }));
    out.push_back(at("ep x pp", Shape::experts,
                     [](Strategy& s) { pipeline(s, 2, Schedule::one_f_one_b), data(s, 2, Sharding::none), s.expert_parallel = 2; }));
  }
  return out;
}

/// Losses of all steps, the last gradient norm and a validation loss.
std::vector<double> trained(const TrainingJob& job, const Communicator& ranks, std::int64_t steps) {
  const TextData text(small_text(), "text", job.seq_len, 0.2);
  const ProcessGrid grid = make_process_grid(ranks, job.strategy);
  const auto trainer = make_trainer(job, grid, text);
  std::vector<double> out;
  StepReport last;
  for (std::int64_t step = 1; step <= steps; ++step) out.push_back((last = trainer->step(step)).loss);
  out.push_back(last.gradient_norm);
  out.push_back(trainer->validation_loss(1));
  return out;
}

int run(const MpiSession& session, bool all) {
  const Communicator world = Communicator::world();
  std::map<std::string, std::vector<double>> alone;
  int failures = 0;
  const std::vector<Case> list = cases(session.size(), all);
  for (const Case& c : list) {
    TrainingJob job = small_job(c.shape), single = job;
    c.change(job);
    single.optimizer = job.optimizer;
    auto& expected = alone[std::to_string(int(c.shape)) + std::to_string(int(job.optimizer.kind))];
    if (expected.empty()) expected = trained(single, {}, 20);
    const std::vector<double> got = trained(job, world, 20);
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] - expected[i]) / std::abs(expected[i]));
    // The norm of one step's gradient moves more than the loss.
    const double norm_error = std::abs(got[20] - expected[20]) / expected[20], loss_error = std::abs(got[19] - expected[19]) / expected[19];
    const bool good = loss_error <= 1e-4 && norm_error <= 5e-3 && std::abs(got[21] - expected[21]) <= 1e-4 * expected[21];
    if (session.is_root())
      std::printf("%s %-28s loss %.6f against %.6f: %.1e, worst %.1e\n", good ? "ok  " : "FAIL", c.name.c_str(), got[19], expected[19],
                  loss_error, worst);
    failures += !good;
  }
  if (session.is_root()) std::printf("%zu cases, %d failures\n", list.size(), failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace reckon::train

int main(int argc, char** argv) {
  const bool all = argc > 1 && std::string(argv[1]) == "all";
  const reckon::MpiSession session(reckon::MpiStart::when_launched, false);
  try {
    return session.all_reduce_max(reckon::train::run(session, all));
  } catch (const reckon::Error& error) {
    std::fprintf(stderr, "rank %d: %s\n", session.rank(), error.what());
    session.abort(3);
  }
}
