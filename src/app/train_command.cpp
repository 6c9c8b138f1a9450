// reckon train: trains a small real model with a given strategy across ranks.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "app/command.hpp"
#include "app/say.hpp"
#include "app/together.hpp"
#include "app/train_options.hpp"
#include "base/text.hpp"
#include "io/checkpoint_files.hpp"
#include "io/input_file.hpp"
#include "io/training_json.hpp"
#include "report/training_report.hpp"
#include "runtime/pace.hpp"
#include "runtime/stop_signal.hpp"
#include "train/pipeline_schedule.hpp"
#include "train/threads.hpp"
#include "train/trainer.hpp"

namespace reckon {
namespace {

constexpr std::size_t largest_text = std::size_t{4} << 30;
constexpr std::int64_t kept_checkpoints = 2;

/// What the options ask for, read and checked before anything is built.
struct Request {
  train::TrainingJob job;
  std::unique_ptr<train::TextData> text;
  std::string text_name, folder;
  std::int64_t checkpoint_every = 0, validate_every = 0, validation_batches = 0;
};

Request read_request(const ParsedOptions& options, int ranks) {
  Request r;
  r.job = read_training_job(options, ranks);
  train::check_job(r.job);
  const Strategy& s = r.job.strategy;
  if (s.num_devices() != ranks) {
    throw UsageError(
        fmt::format("the strategy takes {} ranks (tp {} x cp {} x dp {} x pp {}), but {} {} started", s.num_devices(), s.tensor_parallel,
                    s.context_parallel, s.data_parallel, s.pipeline_parallel, ranks, ranks == 1 ? "was" : "were"),
        fmt::format("start with 'mpiexec -n {} reckon train ...', or choose other degrees", s.num_devices()));
  }
  for (std::int64_t stage = 0; stage < s.pipeline_parallel; ++stage) {
    train::pipeline_schedule(s.schedule, stage, s.pipeline_parallel, s.num_micro_batches(), s.virtual_stages);
  }
  r.text_name = options.text("text");
  r.text = std::make_unique<train::TextData>(read_input_file(r.text_name, largest_text), r.text_name, r.job.seq_len,
                                             options.number("held-back", 0, 0.9));
  r.folder = options.find("checkpoint").value_or("");
  r.checkpoint_every = options.count("checkpoint-every", 1);
  if (options.given("checkpoint-every") && r.folder.empty())
    throw UsageError("--checkpoint-every without a folder", "give --checkpoint FOLDER");
  if (options.given("validate-every")) r.validate_every = options.count("validate-every", 1);
  r.validation_batches = options.count("validation-batches", 1, 1 << 20);
  if (r.validate_every > 0 && options.number("held-back", 0, 0.9) == 0)
    throw UsageError("validation on a text of which nothing is held back", "give --held-back 0.1");
  return r;
}

/// What a run must share with the one that wrote a checkpoint to go on bit by bit.
CheckpointFacts facts_of(const Request& r, int ranks) {
  const train::TrainingJob& j = r.job;
  const Transformer& m = j.model();
  const train::OptimizerSettings& o = j.optimizer;
  return {{"model", fmt::format("{} ({} layers, hidden {}, heads {}/{}, ffn {}, vocabulary {})", j.architecture.name, m.num_layers,
                                m.hidden_size, m.num_heads, m.num_kv_heads, m.ffn_hidden_size, m.vocab_size)},
          {"number of ranks", fmt::to_string(ranks)},
          {"strategy", describe(j.strategy)},
          {"global batch", fmt::to_string(j.strategy.global_batch_size)},
          {"precision", std::string(name_of(j.strategy.precision))},
          {"attention", std::string(name_of(j.strategy.attention))},
          {"sequence length", fmt::to_string(j.seq_len)},
          {"seed", fmt::to_string(j.seed)},
          {"number of steps", fmt::to_string(j.steps)},
          {"optimizer", fmt::format("{}, rate {} to {}, warm-up {}, betas {} and {}, decay {}, clip {}", name_of(o.kind), o.learning_rate,
                                    o.least_learning_rate, o.warmup_steps, o.beta1, o.beta2, o.weight_decay, o.clip)},
          {"text", fmt::format("{} bytes, digest {:016x}", r.text->size(), r.text->digest())}};
}

/// The step after which the newest checkpoint goes on; 0 without one.
std::int64_t resume(const Request& r, const MpiSession& session, train::Trainer& trainer, const CheckpointFacts& facts) {
  if (r.folder.empty()) return 0;
  std::string newest;
  together(session, [&] {
    if (session.is_root()) newest = fmt::to_string(newest_checkpoint(r.folder).value_or(0));
  });
  session.broadcast(newest);
  const std::int64_t step = std::stoll(newest);
  if (step == 0) return 0;
  together(session, [&] { read_shard(r.folder, step, session.rank(), facts, trainer.state()); });
  trainer.restored();
  note(session, fmt::format("goes on after step {} from {}", step, r.folder));
  return step;
}

void save(const Request& r, const MpiSession& session, train::Trainer& trainer, const CheckpointFacts& facts, std::int64_t step) {
  together(session, [&] { write_shard(r.folder, step, session.rank(), facts, trainer.state(), trainer.places()); });
  together(session, [&] {
    if (session.is_root()) complete_checkpoint(r.folder, step, session.size(), facts, kept_checkpoints);
  });
}

/// Phases as means over the ranks, the total as the slowest's.
void average(const Communicator& world, train::PhaseSeconds& s) {
  double parts[] = {s.forward, s.backward, s.optimizer, s.tensor, s.context, s.expert, s.pipeline, s.replicas, s.other};
  world.all_reduce_sum(parts, 9);
  for (double& part : parts) part /= world.size();
  world.all_reduce_max(&s.total, 1);
  s = {parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6], parts[7], parts[8], s.total};
}

/// Says how it goes: every step of a slow run, about one a second of a fast one.
class Narrator {
 public:
  Narrator(bool quiet, double tokens, std::int64_t last) : quiet_(quiet), tokens_(tokens), last_(last) {}
  void step(const train::StepReport& s) {
    const auto now = std::chrono::steady_clock::now();
    if (quiet_ || (s.step != last_ && now < next_)) return;
    next_ = now + std::chrono::seconds(1);
    say("reckon: " + step_line(s, tokens_, last_) + "\n");
  }

 private:
  bool quiet_;
  double tokens_;
  std::int64_t last_;
  std::chrono::steady_clock::time_point next_;
};

/// Answers the step after which the run was stopped; 0 when it went to its end.
std::int64_t train_steps(const Request& r, const ParsedOptions& options, const MpiSession& session, const Communicator& world,
                 train::Trainer& trainer, const CheckpointFacts& facts, const StopWatch& stop, TrainingRecord& record) {
  const std::int64_t steps = r.job.steps;
  Narrator narrator(options.flag("quiet") || !session.is_root(), record.tokens_per_step(), steps);
  double pace = pace_of_processor().base();
  for (std::int64_t step = record.first_step; step <= steps; ++step) {
    record.steps.push_back(trainer.step(step));
    average(world, record.steps.back().seconds);
    const double before = pace, after = pace_of_processor().base();
    double worst[2] = {std::max(before, after), stop.requested() ? 1.0 : 0.0};
    world.all_reduce_max(worst, 2);  // a signal reaches the ranks at different times: they stop after the same step
    record.steps.back().pace = worst[0];
    pace = after;
    if (worst[1] > 0 && step < steps) {
      if (!r.folder.empty()) save(r, session, trainer, facts, step);
      return step;
    }
    narrator.step(record.steps.back());
    if (r.validate_every > 0 && (step % r.validate_every == 0 || step == steps))
      record.validation.push_back({step, trainer.validation_loss(r.validation_batches)});
    if (!r.folder.empty() && (step % r.checkpoint_every == 0 || step == steps)) save(r, session, trainer, facts, step);
  }
  return 0;
}

}  // namespace

CommandSpec train_spec() {
  std::vector<OptionGroup> groups = train_option_groups();
  groups.push_back({"Checkpoints and validation",
                    {{.name = "checkpoint", .argument = "FOLDER", .help = "write each rank's state there, and go on from what is there"},
                     {.name = "checkpoint-every", .argument = "N", .fallback = "100", .help = "steps; the last step always"},
                     {.name = "validate-every", .argument = "N", .help = "steps; the last step then always"},
                     {.name = "validation-batches", .argument = "N", .fallback = "1", .help = "global batches of a validation"}}});
  groups.push_back({"Output",
                    {{.name = "json", .help = "the answer as JSON on stdout"},
                     {.name = "quiet", .help = "no progress", .letter = 'q'},
                     {.name = "allow-singleton", .help = "run although other processes were started without MPI"}}});
  return {
      "train",
      "trains a small real model on this machine with a given strategy, across MPI ranks",
      {"reckon train --model experiments/training/tiny-gpt.json --text experiments/README.md --steps 20 --validate-every 10",
       "reckon train --model experiments/training/tiny-llama.json --text experiments/README.md --precision bf16 --recompute full --json",
       "reckon train --model experiments/training/tiny-experts.json --text experiments/README.md --checkpoint checkpoints"},
      groups,
      {},
      "'mpiexec -n 4 reckon train --tp 2 --pp 2 ...' trains on 4 ranks. The loss does not depend on the strategy, up to rounding. With "
      "--checkpoint a run that was killed is started again by the same "
      "command line and goes on bit by bit as if it had never stopped. Times are in the JSON by phase, for each step. SIGTERM, SIGINT, SIGUSR1 and the end of a Slurm job end a run after the "
      "step that it is in, with a checkpoint where a folder is given, and exit code 6. With --backend cuda each rank trains on a GPU; sums over ranks go through NCCL "
      "where every rank of a group has a GPU of its own, else through MPI."};
}

CommandResult run_train(const ParsedOptions& options, const MpiSession& session) {
  Request r;
  together(session, [&] { r = read_request(options, session.size()); });
  train::prepare_heap();
  const Communicator world = Communicator::world();
  const int threads =
      options.given("threads") ? int(options.count("threads", 1, 4096)) : train::usual_threads(session.node_processors(), session.node_ranks());
  train::set_threads(threads);

  const train::ProcessGrid grid = train::make_process_grid(world, r.job.strategy);
  const auto trainer = train::make_trainer(r.job, grid, *r.text);
  const CheckpointFacts facts = facts_of(r, session.size());
  TrainingRecord record;
  record.model = r.job.architecture.name;
  record.strategy = describe(r.job.strategy);
  record.precision = name_of(r.job.strategy.precision);
  record.optimizer = name_of(r.job.optimizer.kind);
  record.text = r.text_name;
  record.parameters = parameter_count(r.job.architecture).total();
  record.model_flops_per_token = model_flops_per_token(r.job.architecture, r.job.seq_len);
  record.ranks = session.size();
  record.threads = threads;
  record.seq_len = r.job.seq_len;
  record.global_batch_size = r.job.strategy.global_batch_size;
  record.micro_batch_size = r.job.strategy.micro_batch_size;
  record.first_step = resume(r, session, *trainer, facts) + 1;
  record.last_step = r.job.steps;
  const StopWatch stop(std::nullopt);
  const std::int64_t stopped = train_steps(r, options, session, world, *trainer, facts, stop, record);
  if (stopped > 0)
    throw Error(ExitCode::stopped,
                fmt::format("stopped after step {} of {}", stopped, r.job.steps) +
                    (r.folder.empty() ? "; nothing was kept: give --checkpoint FOLDER to be able to go on" : "; the same command goes on from " + r.folder));
  record.state_bytes = std::int64_t(session.all_reduce_max(double(trainer->state_bytes())));
  if (!session.is_root()) return {};
  return {options.flag("json") ? training_json(record) : training_report(record)};
}

}  // namespace reckon
