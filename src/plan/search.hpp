// The best strategies for a number of devices: the whole space, decided exactly.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cost/step_cost.hpp"
#include "plan/strategy_space.hpp"

namespace reckon {

struct Candidate {
  Strategy strategy;
  StepCost cost;
};

/// What became of every strategy of the space; the parts sum to `space`.
struct SearchCounts {
  std::int64_t space = 0;
  std::int64_t evaluated = 0;       ///< step time and peak memory decided
  std::int64_t cut_by_memory = 0;   ///< in blocks whose smallest possible footprint does not fit
  std::int64_t cut_by_compute = 0;  ///< in blocks whose compute alone, spread evenly over the stages, takes longer than the worst one kept
  std::int64_t cut_by_pipeline = 0; ///< in blocks whose step without data-parallel messages takes longer than the worst one kept
  SearchCounts& operator+=(const SearchCounts& b);
};

struct SearchResult {
  std::int64_t num_devices = 0;
  SearchCounts counts;
  std::int64_t too_large = 0;             ///< strategies known not to fit: cut by memory, or evaluated
  std::vector<Candidate> best;            ///< fastest first, at most `keep`; ties go to the one enumerated first
  std::optional<Candidate> nearest_miss;  ///< smallest footprint, when nothing fits
  bool stopped = false;                   ///< by go_on: the rest says nothing
};

/// Step time and memory of a run of strategies that differ in their state choice alone, as a search decided them.
struct EvaluatedRow {
  std::int64_t ordinal;        ///< of the first, in the order of for_each_strategy
  const StrategyBlock* block;  ///< number i of the row is block->at(work, pipeline, i)
  std::size_t work, pipeline;
  std::size_t count;
  const double* seconds;
  const double* bytes;
  const std::uint8_t* fits;    ///< 1: within the memory of device and host
};

struct SearchOptions {
  std::size_t keep = 1;
  bool prune = true;  ///< false: decide every strategy
  std::function<void(const EvaluatedRow&)> each;  ///< with prune = false: sees every strategy
  std::function<bool()> go_on;  ///< asked after every block (less than a millisecond); false ends the search with `stopped`
  /// Blocks that may wait to be taken by their bound, and eight times as many as layers that stay priced: bounds the memory of a search,
  /// whatever its space.  The result is the same for any number, the counts are not.
  std::size_t waiting = 1 << 16;
};

/// Searches one place at many sizes; layers are priced once for all of them.
///
/// A strategy's cost is a sum of terms that few of its choices share (cost/step_terms.hpp), so that a block of strategies is a few small
/// tables and one addition and comparison for each stage run.  Blocks are taken by their bound, best first of those that wait.  Bounds are admissible: compute
/// alone, and compute with bubble and pipeline messages, never exceed the step; the smallest state with the smallest activations never
/// exceeds the footprint.  A block is cut only when its bound is greater than the worst strategy kept, so ties are never lost and the
/// result is that of pricing everything (tests/plan/search_exact_test.cpp).
class Searcher {
 public:
  explicit Searcher(const Question& question);
  ~Searcher();
  Searcher(const Searcher&) = delete;
  Searcher& operator=(const Searcher&) = delete;

  SearchResult search(std::int64_t num_devices, const SearchOptions& options);

 private:
  struct Cache;
  const Question& question_;
  std::unique_ptr<Cache> cache_;
};

/// One size, pruned.
SearchResult search(const Question& question, std::int64_t num_devices, std::size_t keep);

/// Indices of the points that no other point beats in both coordinates (smaller is better), by the first coordinate.
std::vector<std::size_t> pareto_front(const std::vector<double>& first, const std::vector<double>& second);

}  // namespace reckon
