// Rates of the planner on one core, printed; run by hand: reckon_plan_bench.
//
// The spaces are those that other planners were timed on: GPT-3 175B on 512 devices (batch 512) and 4,096 devices, where Calculon
// (github.com/calculon-ai/calculon) has 1.1 and 7.5 million executions and does 230 to 334 a second on a core; Llama 3.1 405B on 16,384
// H100s; and all sizes from 1,024 to 24,576 in steps of 1,024 on four kinds of device.  Every dimension is open (whole_space).
//
// Beside each rate stands its bound: a loop of the same additions, products and comparisons for each strategy (block_cost.cpp) over tables
// that lie in the first cache, and nothing else.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>
#include <vector>

#include "../cost/scene.hpp"
#include "base/random.hpp"
#include "io/architecture_files.hpp"
#include "plan/search.hpp"
#include "plan/strategy_space.hpp"

namespace reckon {
namespace {

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Best CPU seconds of `repeats` runs.
double timed(int repeats, const std::function<void()>& work) {
  double best = 1e300;
  for (int k = 0; k < repeats; ++k) {
    const double start = cpu_seconds();
    work();
    best = std::min(best, cpu_seconds() - start);
  }
  return best;
}

struct Place {
  Place(const Architecture& architecture, const std::string& device, std::int64_t batch) : cluster(shipped().catalog.cluster_for(device)) {
    links = link_calibration(shipped().set.links, cluster.device, cluster.fabric, shipped().set.stack("default").facts);
    question = {&architecture, &cluster, &shipped().set.device(cluster.device.id), &links, &shipped().set.stack("default"), {}, Precision::bf16,
                AttentionKind::flash, batch, 0.06, whole_space()};
    question.task.seq_len = architecture.transformer()->seq_len;
  }
  Place(const Place&) = delete;
  Cluster cluster;
  LinkCalibration links;
  Question question{};
};

/// Tables of one block of the mean shape, and what a loop over them finds.
struct BoundLoop {
  std::size_t states, runs;  ///< states in whole vectors
  std::vector<double> time, memory, row_memory;
  double best = 0, least = 0;
  std::int64_t fitting = 0;
};

/// One strategy after the other.
__attribute__((noinline, optimize("no-tree-vectorize"))) void scalar_bound(BoundLoop& b, double row_time, double jitter, double capacity) {
  for (std::size_t c = 0; c < b.states; ++c) {
    const double time = (b.time[c] + row_time) * jitter;
    double memory = b.memory[c] + b.row_memory[0];
    for (std::size_t r = 1; r < b.runs; ++r) memory = std::max(memory, b.memory[r * b.states + c] + b.row_memory[r]);
    b.fitting += memory <= capacity ? 1 : 0;
    b.best = std::min(b.best, memory <= capacity ? time : 1e300);
    b.least = std::min(b.least, memory);
  }
}

using Lanes = double __attribute__((vector_size(64)));
using Marks = long long __attribute__((vector_size(64)));

/// Eight at a time.
#if defined(__x86_64__)
__attribute__((noinline, target_clones("avx512f", "avx2", "default")))
#endif
void vector_bound(BoundLoop& b, double row_time, double jitter, double capacity) {
  Lanes best = {}, least = {};
  best += b.best;
  least += b.least;
  Marks fitting = {};
  for (std::size_t c = 0; c < b.states; c += 8) {
    Lanes time, memory;
    std::memcpy(&time, &b.time[c], sizeof time);
    std::memcpy(&memory, &b.memory[c], sizeof memory);
    time = (time + row_time) * jitter;
    memory += b.row_memory[0];
    for (std::size_t r = 1; r < b.runs; ++r) {
      Lanes other;
      std::memcpy(&other, &b.memory[r * b.states + c], sizeof other);
      other += b.row_memory[r];
      memory = other > memory ? other : memory;
    }
    const Marks fits = memory <= capacity;
    fitting -= fits;
    const Lanes never = time * 0.0 + 1e300;
    time = fits ? time : never;
    best = time < best ? time : best;
    least = memory < least ? memory : least;
  }
  for (int k = 0; k < 8; ++k) b.best = std::min(b.best, best[k]), b.least = std::min(b.least, least[k]), b.fitting += fitting[k];
}

/// Strategies a second of both loops, for the mean numbers of state choices and stage runs of a space.
void print_bound(const Question& question, std::int64_t devices) {
  double blocks = 0, states = 0, runs = 0;
  for_each_block(question, devices, [&](const StrategyBlock& block) {
    const Strategy& s = block.base;
    blocks += 1;
    states += static_cast<double>(block.state.size());
    runs += s.pipeline_parallel == 1 ? 1.0 : s.pipeline_parallel == 2 ? 2.0 : 3.0;  // first, middle, last
  });
  BoundLoop b;
  b.states = static_cast<std::size_t>(std::lround(states / blocks) + 7) / 8 * 8;
  b.runs = static_cast<std::size_t>(std::lround(runs / blocks));
  Philox random(1, 1);
  for (std::size_t i = 0; i < b.states; ++i) b.time.push_back(random.uniform());
  for (std::size_t i = 0; i < b.states * b.runs; ++i) b.memory.push_back(random.uniform());
  for (std::size_t i = 0; i < b.runs; ++i) b.row_memory.push_back(random.uniform());
  constexpr int passes = 200000;
  const auto rate = [&b](void (*loop)(BoundLoop&, double, double, double)) {
    b.best = b.least = 1e300;
    const double seconds = timed(3, [&b, loop] { for (int k = 0; k < passes; ++k) loop(b, 1e-9 * k, 1.01, 1.0); });
    return static_cast<double>(passes) * static_cast<double>(b.states) / seconds / 1e6;
  };
  const double scalar = rate(scalar_bound), vectors = rate(vector_bound);
  std::printf("  bound of the same operations (%zu state choices, %zu stage runs a row): %.0f M/s one by one, %.0f M/s in vectors (%lld fit)\n", b.states, b.runs,
              scalar, vectors, static_cast<long long>(b.fitting));
}

void one_size(const char* name, const Architecture& architecture, const std::string& device, std::int64_t batch, std::int64_t devices, int repeats) {
  const Place place(architecture, device, batch);
  std::int64_t size = 0;
  const double counting = timed(repeats, [&] { size = space_size(place.question, devices); });
  std::printf("%s on %lld x %s, batch %lld: %.3f M strategies (counted in %.3f s)\n", name, static_cast<long long>(devices), device.c_str(),
              static_cast<long long>(batch), static_cast<double>(size) / 1e6, counting);
  print_bound(place.question, devices);
  for (const bool prune : {false, true}) {
    SearchResult found;
    const double seconds = timed(repeats, [&] { found = Searcher(place.question).search(devices, {.keep = 3, .prune = prune, .each = {}, .go_on = {}}); });
    Searcher warm(place.question);
    warm.search(devices, {.keep = 3, .prune = prune, .each = {}, .go_on = {}});
    const double again = timed(repeats, [&] { warm.search(devices, {.keep = 3, .prune = prune, .each = {}, .go_on = {}}); });
    const SearchCounts& c = found.counts;
    std::printf("  %s: %.3f s, %.1f M strategies decided/s; layers priced before: %.3f s, %.1f M/s\n", prune ? "pruned    " : "exhaustive", seconds,
                static_cast<double>(size) / seconds / 1e6, again, static_cast<double>(size) / again / 1e6);
    if (prune)
      std::printf("    evaluated %.3f M, cut by memory %.3f M, by compute %.3f M, by pipeline %.3f M\n", static_cast<double>(c.evaluated) / 1e6,
                  static_cast<double>(c.cut_by_memory) / 1e6, static_cast<double>(c.cut_by_compute) / 1e6, static_cast<double>(c.cut_by_pipeline) / 1e6);
    if (!found.best.empty())
      std::printf("    best %.4f s: %s\n", found.best[0].cost.time.total().base(), describe(found.best[0].strategy).c_str());
  }
}

void one_strategy_at_a_time(const Architecture& architecture) {
  const Place place(architecture, "a100-sxm-80gb", 512);
  std::vector<Strategy> some;
  std::int64_t i = 0;
  for_each_strategy(place.question, 512, [&](const Strategy& s) { if (i++ % 4999 == 0) some.push_back(s); });
  double sum = 0;
  const double whole = timed(1, [&] { for (const Strategy& s : some) sum += step_cost(place.question.job(s)).time.total().base(); });
  std::printf("the same closed form, one step_cost a strategy: %.0f/s (%zu strategies, %g)\n", static_cast<double>(some.size()) / whole, some.size(),
              sum > 0 ? 1.0 : 0.0);
}

void many_sizes(const Architecture& architecture) {
  std::int64_t space = 0, evaluated = 0;
  const double seconds = timed(1, [&] {
    for (const char* device : {"h100", "h200-sxm-141gb", "a100-sxm-80gb", "b200-sxm-180gb"}) {
      const Place place(architecture, device, 2048);
      Searcher searcher(place.question);
      for (std::int64_t n = 1024; n <= 24576; n += 1024) {
        const SearchResult found = searcher.search(n, {.keep = 3, .prune = true, .each = {}, .go_on = {}});
        space += found.counts.space;
        evaluated += found.counts.evaluated;
      }
    }
  });
  std::printf("Llama 3.1 405B, 24 sizes x 4 devices: %.1f M strategies in %.2f s, %.1f M evaluated\n", static_cast<double>(space) / 1e6, seconds,
              static_cast<double>(evaluated) / 1e6);
}

Architecture model(const char* name, std::int64_t seq_len) {
  Architecture a = read_architecture(name, shipped().models);
  std::get<Transformer>(a.body).seq_len = seq_len;
  return a;
}

}  // namespace
}  // namespace reckon

int main() {
  using namespace reckon;
  const Architecture gpt3 = model("gpt3-175b", 2048), llama = model("llama-3.1-405b", 8192);
  one_strategy_at_a_time(gpt3);
  one_size("GPT-3 175B", gpt3, "a100-sxm-80gb", 512, 512, 3);
  one_size("GPT-3 175B", gpt3, "a100-sxm-80gb", 4096, 4096, 3);
  one_size("Llama 3.1 405B", llama, "h100", 2048, 16384, 3);
  many_sizes(llama);
}
