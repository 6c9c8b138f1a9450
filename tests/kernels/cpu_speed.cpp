// Speed of the CPU kernels beside the machine's own limits, measured in turns: products against a loop of multiply-adds, memory-bound
// kernels against a copy.  Prints best and median shares; with --check ends with 1 when a best share is below half of its goal.
//
// usage: cpu_speed [threads] [seconds a measurement] [--check]
// SPDX-License-Identifier: Apache-2.0
#include <omp.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "kernels/op/activation.hpp"
#include "kernels/op/adamw.hpp"
#include "kernels/op/attention.hpp"
#include "kernels/op/cross_entropy.hpp"
#include "kernels/op/matmul.hpp"
#include "kernels/op/memory.hpp"
#include "kernels/op/norm.hpp"
#include "tests/kernels/check/operand.hpp"

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

struct Share {
  std::string name;
  double goal;
  std::vector<double> rates, shares;
};

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

/// Seven rounds of the limit and the kernel in turn.
Share measure(const std::string& name, double goal, double least, const std::function<double()>& limit, double work,
              const std::function<void()>& kernel) {
  Share share{name, goal, {}, {}};
  kernel();
  for (int round = 0; round < 7; ++round) {
    const double top = limit(), rate = work / time_of(kernel, least);
    share.rates.push_back(rate);
    share.shares.push_back(rate / top);
  }
  return share;
}

bool report(const Share& s) {
  const double best = *std::max_element(s.shares.begin(), s.shares.end());
  std::printf("%-40s %9.1f G/s best  share of the limit beside it: best %.2f, median %.2f", s.name.c_str(),
              *std::max_element(s.rates.begin(), s.rates.end()) / 1e9, best, median(s.shares));
  if (s.goal > 0) std::printf("  (goal %.2f)", s.goal);
  std::printf("\n");
  std::fflush(stdout);
  return s.goal == 0 || best >= s.goal / 2;
}

template <class T, class R>
Share product(const char* name, double goal, double least, std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_a,
              bool transpose_b, double beta) {
  const auto a = check::random_elements<T>(std::size_t(m * k), 1), b = check::random_elements<T>(std::size_t(k * n), 2);
  std::vector<R> c(std::size_t(m * n));
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
      label, goal, least, [least] { return multiply_add_rate(least); }, op.work().flops.base(), [op] { launch<Backend::cpu>(op, {}); });
}

bool products(double least, int threads) {
  bool good = true;
  const double goal = threads == 1 ? 0.85 : 0.80;
  for (const std::int64_t n : {512, 1024, 2048})
    good = report(product<float, float>("fp32", goal, least, n, n, n, false, false, 0)) && good;
  good = report(product<float, float>("fp32 forward (b^T)", 0, least, 256, 3072, 768, false, true, 0)) && good;
  good = report(product<float, float>("fp32 input gradient", 0, least, 256, 768, 3072, false, false, 0)) && good;
  good = report(product<float, float>("fp32 weight gradient (a^T)", 0, least, 3072, 768, 256, true, false, 0)) && good;
  good = report(product<float, float>("fp32 logits", 0, least, 256, 50257, 768, false, true, 0)) && good;
  for (const std::int64_t n : {512, 1024, 2048})
    good = report(product<Bf16, float>("bf16, share of fp32", 1.6 * goal, least, n, n, n, false, false, 0)) && good;
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

}  // namespace
}  // namespace reckon

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const double least = argc > 2 ? std::atof(argv[2]) : 0.1;
  const bool check = argc > 3 && std::strcmp(argv[3], "--check") == 0;
  omp_set_num_threads(threads);
  std::printf("%d threads, multiply-adds %.0f GFLOP/s\n", threads, reckon::multiply_add_rate(least) / 1e9);
  bool good = reckon::products(least, threads);
  good = reckon::attentions(least) && good;
  good = reckon::memory_bound(least) && good;
  return check && !good ? 1 : 0;
}
