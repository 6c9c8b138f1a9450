// Speed of the CPU kernels and of a GPT-2 124M step beside the machine's own limits, measured in turns: products and the step against a
// loop of multiply-adds, memory-bound kernels against a copy.  Prints best and median shares; with --check ends with 1 when a best share is
// below half of its goal.  On one thread by the thread's own clock, so that others may use the machine; the two-thread lines need it quiet.
//
// The first line tells how much of the multiply-add rate the register tile reaches from the first-level cache: where a second hyperthread
// of the core is busy (perhaps another virtual machine's) the front end is shared, the loop of multiply-adds loses little, and everything
// that also loads loses much.  So that share tells quiet moments from loud ones: with --patience, rounds beside which the tile stayed
// within five per cent of its best are kept, others repeated, for so many seconds a line at most.
//
// usage: cpu_speed [seconds a measurement, 0.05] [--check] [--patience SECONDS]
// SPDX-License-Identifier: Apache-2.0
#include <omp.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "kernels/cpu/matmul_tile.hpp"
#include "kernels/op/activation.hpp"
#include "kernels/op/adamw.hpp"
#include "kernels/op/attention.hpp"
#include "kernels/op/cross_entropy.hpp"
#include "kernels/op/matmul.hpp"
#include "kernels/op/memory.hpp"
#include "kernels/op/norm.hpp"
#include "tests/kernels/check/operand.hpp"
#include "train/buffer.hpp"
#include "train/process_grid.hpp"
#include "train/threads.hpp"
#include "train/trainer.hpp"

namespace reckon {
namespace {

/// The wall clock; on one thread the thread's own, which stands still while others have the processor.
double now() {
  timespec t{};
  ::clock_gettime(omp_get_max_threads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

/// Seconds of one call, from as many calls as take `least` seconds.
double time_of(const std::function<void()>& work, double least) {
  int calls = 0;
  const double start = now();
  do {
    work();
    ++calls;
  } while (now() - start < least);
  return (now() - start) / calls;
}

/// fp32 multiply-adds in registers, on all threads: what no product can pass.  Answers FLOP/s.
double multiply_add_rate(double least) {
  double total = 0;
#pragma omp parallel reduction(+ : total)
  {
    typedef float Lanes __attribute__((vector_size(64)));
    const auto burst = [](long turns) __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) {
      Lanes sum[14];
      for (auto& lanes : sum) lanes = Lanes{} + 1.0f;
      const Lanes a = Lanes{} + 1.0000001f, b = Lanes{} + 1e-9f;
      for (long i = 0; i < turns; ++i) {
#pragma GCC unroll 14
        for (auto& lanes : sum) lanes = lanes * a + b;
      }
      Lanes all{};
      for (const auto& lanes : sum) all += lanes;
      volatile float sink = all[0];
      (void)sink;
    };
    constexpr long turns = 100000;
    total += double(turns) * 14 * 16 * 2 / time_of([&] { burst(turns); }, least);
  }
  return total;
}

/// The register tile over operands that stay in the first-level cache.
class TileBurst {
 public:
  double flops() const { return 2.0 * tile_.rows * tile_.columns * double(depth * turns); }
  void operator()() {
    for (int i = 0; i < turns; ++i) tile_.multiply(depth, a_.data(), b_.data(), c_.data(), tile_.columns, i % 16 != 0);
  }

 private:
  static constexpr std::int64_t depth = 128, turns = 200;
  MatmulTile tile_ = matmul_tile();
  std::vector<float> a_ = check::random_elements<float>(std::size_t(depth * tile_.rows), 1),
                     b_ = check::random_elements<float>(std::size_t(depth * tile_.columns), 2),
                     c_ = std::vector<float>(std::size_t(tile_.rows * tile_.columns));
};

/// The tile on all threads, over the multiply-adds beside it.
double tile_share(double least) {
  double total = 0;
#pragma omp parallel reduction(+ : total)
  {
    TileBurst burst;
    total += burst.flops() / time_of([&] { burst(); }, least);
  }
  return total / multiply_add_rate(least);
}

/// Whether the cores are ours alone, by the best share of the tile seen so far on this number of threads.
class Quiet {
 public:
  explicit Quiet(double patience) : patience_(patience) {}
  double patience() const { return patience_; }
  /// Looks once; rounds between two good looks count.
  bool look(double least) {
    double& best = best_[omp_get_max_threads() > 1];
    const double share = tile_share(least);
    best = std::max(best, share);
    return share >= 0.95 * best;
  }

 private:
  double patience_, best_[2] = {0.85, 0.85};  // what an undisturbed core reaches at least, measured on Cascade Lake (0.88 to 0.91)
};
Quiet quiet(0);

struct Share {
  std::string name;
  double goal;
  std::vector<double> rates, shares;
  int rounds = 0;
};

double median(std::vector<double> v) {
  if (v.empty()) return std::nan("");
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

/// Seven rounds of the limit and the kernel in turn; with patience seven quiet ones, or those that there were in that time.
Share measure(const std::string& name, double goal, double least, const std::function<double()>& limit, double work,
              const std::function<void()>& kernel) {
  Share share{name, goal, {}, {}};
  kernel();
  const bool patient = quiet.patience() > 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(quiet.patience());
  bool before = !patient || quiet.look(least);
  while (share.rates.size() < 7 && (!patient || std::chrono::steady_clock::now() < end)) {
    const double top = limit(), rate = work / time_of(kernel, least);
    const bool after = !patient || quiet.look(least);
    ++share.rounds;
    if (before && after) {
      share.rates.push_back(rate);
      share.shares.push_back(rate / top);
    }
    before = after;
  }
  return share;
}

bool report(const Share& s) {
  if (s.rates.empty()) {
    std::printf("%-40s no quiet round of %d\n", s.name.c_str(), s.rounds);
    return true;
  }
  const double best = *std::max_element(s.shares.begin(), s.shares.end());
  std::printf("%-40s %9.1f G/s best  share of the limit beside it: best %.2f, median %.2f", s.name.c_str(),
              *std::max_element(s.rates.begin(), s.rates.end()) / 1e9, best, median(s.shares));
  if (s.goal > 0) std::printf("  (goal %.2f)", s.goal);
  if (quiet.patience() > 0) std::printf("  %zu quiet of %d rounds", s.rates.size(), s.rounds);
  std::printf("\n");
  std::fflush(stdout);
  return s.goal == 0 || best >= s.goal / 2;
}

/// Random values where the trainer keeps its own: aligned to a cache line, in large pages.
template <class T>
train::Buffer<T> train_operand(std::int64_t count, int seed) {
  const auto values = check::random_elements<T>(std::size_t(count), seed);
  train::Buffer<T> out(count);
  std::copy(values.begin(), values.end(), out.data());
  return out;
}

template <class T, class R>
Share product(const char* name, double goal, double least, std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_a,
              bool transpose_b, double beta) {
  const auto a = train_operand<T>(m * k, 1), b = train_operand<T>(k * n, 2);
  const train::Buffer<R> c(m * n);
  const Matmul<T, R> op{.m = m,
                        .n = n,
                        .k = k,
                        .transpose_a = transpose_a,
                        .transpose_b = transpose_b,
                        .beta = beta,
                        .a = a.data(),
                        .b = b.data(),
                        .c = c.data()};
  const std::string label = std::string(name) + " " + std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k);
  return measure(
      label, goal, least, [least] { return multiply_add_rate(least); }, op.work().flops.base(), [&op] { launch<Backend::cpu>(op, {}); });
}

bool register_tile(double least) {
  TileBurst burst;
  return report(measure(
      "register tile in first-level cache", 0, least, [least] { return multiply_add_rate(least); }, burst.flops(), [&] { burst(); }));
}

bool squares(double least, double goal) {
  bool good = true;
  for (const std::int64_t n : {512, 1024, 2048})
    good = report(product<float, float>("fp32", goal, least, n, n, n, false, false, 0)) && good;
  return good;
}

bool products(double least) {
  bool good = squares(least, 0.85);
  good = report(product<float, float>("fp32 forward (b^T)", 0, least, 256, 3072, 768, false, true, 0)) && good;
  good = report(product<float, float>("fp32 input gradient", 0, least, 256, 768, 3072, false, false, 0)) && good;
  good = report(product<float, float>("fp32 weight gradient (a^T)", 0, least, 3072, 768, 256, true, false, 0)) && good;
  good = report(product<float, float>("fp32 logits", 0, least, 256, 50257, 768, false, true, 0)) && good;
  for (const std::int64_t n : {512, 1024, 2048})
    good = report(product<Bf16, float>("bf16, share of fp32", 0, least, n, n, n, false, false, 0)) && good;
  good = report(product<Bf16, Bf16>("bf16 forward (b^T)", 0, least, 256, 3072, 768, false, true, 0)) && good;
  good = report(product<Bf16, Bf16>("bf16 input gradient", 0, least, 256, 768, 3072, false, false, 0)) && good;
  good = report(product<Bf16, float>("bf16 weight gradient (a^T)", 0, least, 3072, 768, 256, true, false, 1)) && good;
  return good;
}

bool attentions(double least) {
  const std::int64_t batch = 2, heads = 12, seq = 1024, head_dim = 64, count = batch * heads * seq * head_dim;
  const auto q = check::random_elements<float>(std::size_t(count), 1), k = check::random_elements<float>(std::size_t(count), 2),
             v = check::random_elements<float>(std::size_t(count), 3);
  std::vector<float> out(q.size()), lse(std::size_t(batch * heads * seq)), dq(q.size()), dk(q.size()), dv(q.size());
  AttentionForward<float> forward;
  forward.batch = batch, forward.heads = forward.kv_heads = heads, forward.seq_q = forward.seq_kv = seq, forward.head_dim = head_dim;
  forward.q = q.data(), forward.k = k.data(), forward.v = v.data(), forward.out = out.data(), forward.lse = lse.data();
  AttentionBackward<float> backward;
  static_cast<AttentionShape&>(backward) = forward;
  backward.q = q.data(), backward.k = k.data(), backward.v = v.data(), backward.out = out.data(), backward.dout = v.data(),
  backward.lse = lse.data();
  backward.dq = dq.data(), backward.dk = dk.data(), backward.dv = dv.data();
  const auto limit = [least] { return multiply_add_rate(least); };
  return report(measure("attention forward, causal, 1024", 0, least, limit, forward.work().flops.base(),
                        [=] { launch<Backend::cpu>(forward, {}); })) &&
         report(measure("attention backward, causal, 1024", 0, least, limit, backward.work().flops.base(),
                        [=] { launch<Backend::cpu>(backward, {}); }));
}

bool memory_bound(double least) {
  constexpr std::int64_t count = std::int64_t(1) << 24;  // 64 MiB an array: beyond the caches
  std::vector<float> a(count, 1.0f), b(count, 1.0f), c(count, 1.0f), d(count, 1.0f);
  const Copy<float> copy{.count = count, .x = a.data(), .out = b.data()};
  const auto limit = [&] { return copy.work().bytes.base() / time_of([&] { launch<Backend::cpu>(copy, {}); }, least); };
  bool good = true;
  const auto check = [&](const char* name, double goal, const auto& op) {
    good = report(measure(name, goal, least, limit, op.work().bytes.base(), [&] { launch<Backend::cpu>(op, {}); })) && good;
  };
  check("adamw", 0.9,
        AdamW<float>{.count = count, .gradient = a.data(), .master = b.data(), .first_moment = c.data(), .second_moment = d.data()});
  constexpr std::int64_t columns = 768, rows = count / columns;
  std::vector<float> mean(rows), rstd(rows), weight(columns, 1.0f), bias(columns, 0.0f);
  check("layer norm forward", 0.75,
        LayerNormForward<float>{.rows = rows,
                                .columns = columns,
                                .x = a.data(),
                                .weight = weight.data(),
                                .bias = bias.data(),
                                .out = b.data(),
                                .mean = mean.data(),
                                .rstd = rstd.data()});
  check("gelu forward", 0, GeluForward<float>{.count = count, .x = a.data(), .out = b.data()});
  check("residual", 0, ResidualAdd<float>{.count = count, .a = a.data(), .b = b.data(), .out = c.data()});
  const std::vector<std::int32_t> target(std::size_t(count / 50257), 7);
  std::vector<float> maximum(target.size()), sum(target.size()), logit(target.size());
  check("cross-entropy forward", 0,
        CrossEntropyForward<float>{.rows = std::int64_t(target.size()),
                                   .columns = 50257,
                                   .stride = 50257,
                                   .x = a.data(),
                                   .target = target.data(),
                                   .maximum = maximum.data(),
                                   .sum = sum.data(),
                                   .target_logit = logit.data()});
  return good;
}

Architecture gpt2() {
  Transformer m;
  m.num_layers = 12, m.hidden_size = 768, m.num_heads = m.num_kv_heads = 12, m.head_dim = 64, m.ffn_hidden_size = 3072;
  m.vocab_size = 50257, m.max_positions = 1024;
  m.positions = PositionKind::learned;
  m.tied_embeddings = m.qkv_bias = m.attention_output_bias = m.mlp_bias = true;
  Architecture out;
  out.name = "gpt2";
  out.body = m;
  return out;
}

/// Whole optimiser steps of GPT-2 124M, 4 sequences of 64 tokens.  Answers the median rate in FLOP/s.
double training_step(const char* name, Precision precision, double goal, double least, bool& good) {
  train::TrainingJob job;
  job.architecture = gpt2();
  job.strategy.precision = precision;
  job.strategy.micro_batch_size = job.strategy.global_batch_size = 4;
  job.seq_len = 64;
  job.steps = 16;
  std::string text;
  for (int i = 0; text.size() < 20000; ++i) text += "entry " + std::to_string(i * 37 % 101) + " of the log\n";
  const train::TextData data(text, "log", job.seq_len, 0.1);
  const train::ProcessGrid grid = train::make_process_grid(Communicator(), job.strategy);
  const auto trainer = train::make_trainer(job, grid, data);
  const double flops = model_flops_per_token(job.architecture, job.seq_len) * double(job.tokens_per_step());
  std::int64_t step = 0;
  const Share share = measure(
      name, goal, least, [least] { return multiply_add_rate(least); }, flops, [&] { trainer->step(++step % job.steps + 1); });
  good = report(share) && good;
  return median(share.rates);
}

bool training_steps(double least, double goal) {
  bool good = true;
  const double wide = training_step("GPT-2 124M step, 4 x 64 tokens, fp32", Precision::fp32, goal, least, good);
  const double narrow = training_step("GPT-2 124M step, 4 x 64 tokens, bf16", Precision::bf16, 0, least, good);
  std::printf("%-40s %.2f of the fp32 step (goal 1.50 where the processor multiplies bf16%s)\n", "bf16 step", narrow / wide,
              bf16_matmul_tile().pairs ? "" : "; this one does not");
  return good;
}

bool on_threads(int threads, double least) {
  omp_set_num_threads(threads);
  std::printf("%d thread%s, multiply-adds %.0f GFLOP/s\n", threads, threads == 1 ? "" : "s", multiply_add_rate(least) / 1e9);
  if (threads > 1) return squares(least, 0.80);
  bool good = register_tile(least);
  good = products(least) && good;
  good = attentions(least) && good;
  good = memory_bound(least) && good;
  return training_steps(least, 0.55) && good;
}

}  // namespace
}  // namespace reckon

int main(int argc, char** argv) {
  double least = 0.05;
  bool check = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--check") == 0) {
      check = true;
    } else if (std::strcmp(argv[i], "--patience") == 0 && i + 1 < argc) {
      reckon::quiet = reckon::Quiet(std::atof(argv[++i]));
    } else {
      least = std::atof(argv[i]);
    }
  }
  reckon::train::prepare_heap();
  bool good = reckon::on_threads(1, least);
  if (omp_get_num_procs() > 1) good = reckon::on_threads(2, least) && good;
  return check && !good ? 1 : 0;
}
