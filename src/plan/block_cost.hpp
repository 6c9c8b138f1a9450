// The costs of a block of strategies: terms in tables, sums in a loop over contiguous numbers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cost/step_terms.hpp"
#include "plan/strategy_space.hpp"

namespace reckon {

/// What a block shares with all blocks of the same degrees, whatever their micro-batch and recompute policy.
struct SharedStages {
  std::vector<StageRun> runs;
  Placements placements;
  std::vector<MemoryFootprint> least_state;  ///< by run, over all state choices
  std::vector<std::vector<MemoryFootprint>> memory;  ///< by state choice and run
  std::vector<std::vector<Bytes>> host;      ///< by state choice and run: optimiser state on the host
  std::vector<Seconds> optimizer;            ///< by state choice
  Seconds least_optimizer;
  std::vector<StateTerms> state;             ///< by state choice, with messages; empty until they are asked for
};
SharedStages shared_stages(const Question& question, const LoweredModel& model, const StrategyBlock& block);
void add_messages(SharedStages& shared, const Question& question, const LoweredModel& model, const StrategyBlock& block);

/// Tables of one block.  Rows are work x pipeline choices; columns are state choices, padded to whole vectors with what never fits.
class BlockCost {
 public:
  static constexpr std::size_t lanes = 8;

  /// Everything but data-parallel messages.
  void tabulate(const Question& question, const PricedModel& priced, const StrategyBlock& block, const SharedStages& shared);
  /// Lower bounds over the block, without messages.
  Seconds least_time() const { return least_time_; }
  Bytes least_memory() const { return least_memory_; }

  /// Data-parallel messages, from shared.state.
  void add_state(const Question& question, const StrategyBlock& block, const SharedStages& shared);

  struct Row {
    double best_time;  ///< seconds, of those that fit; infinite when none does
    std::int64_t fitting;
  };
  /// Every strategy of the block, row by row.
  void evaluate(std::vector<Row>& rows) const;

  std::size_t num_rows() const { return works_ * pipelines_; }
  std::size_t num_states() const { return states_; }
  /// One strategy: what evaluate compares.
  double seconds(std::size_t row, std::size_t state) const;
  double bytes(std::size_t row, std::size_t state) const;
  /// What it keeps on the host fits there.
  bool host_fits(std::size_t row, std::size_t state) const;

 private:
  void work_rows(const Question& question, const PricedModel& priced, const StrategyBlock& block, const SharedStages& shared);
  void state_rows(const StrategyBlock& block, const SharedStages& shared);
  void bounds(const SharedStages& shared);

  /// The first runs_ of limits_ are stage runs in device memory; where a choice offloads, as many follow for host memory, in units that
  /// make the host's capacity that of a device: what fits in one comparison fits in all.
  std::size_t works_ = 0, pipelines_ = 0, states_ = 0, stride_ = 0, runs_ = 0, limits_ = 0;
  double host_unit_ = 0;
  Bytes capacity_;  ///< of a device
  double jitter_ = 1.0;
  std::vector<WorkTerms> work_;
  std::vector<double> row_time_, row_memory_;      ///< by row; by row and limit
  std::vector<double> state_time_, state_memory_;  ///< by work and column; by limit and column
  Seconds least_time_;
  Bytes least_memory_;
};

}  // namespace reckon
