// Weights, gradients and optimiser states of one rank, unit by unit, sharded over the ranks that hold the same weights.
//
// A unit is what is gathered, reduced and updated together: a layer, its experts, a table.  Weights are drawn by their place in the whole
// tensor, so that every strategy starts from the same model.  Sharding (Rajbhandari et al. 2020, arXiv 1910.02054): zero1 shards master
// weights and moments, zero2 the gradients too, zero3 the working weights too. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/buffer.hpp"
#include "train/process_grid.hpp"
#include "train/training_job.hpp"

namespace reckon::train {

/// One weight tensor, or this rank's rectangle of it: rows [row, row + rows) and columns [column, column + columns) of `all_columns` ones.
struct Parameter {
  std::string name;
  std::int64_t rows = 1, columns = 0, row = 0, column = 0, all_columns = 0;
  double deviation = 0;  ///< of the normal distribution that it starts from; 0 = constant
  double constant = 0;
  bool decays = true;              ///< weight decay applies
  bool tensor_partial = false;     ///< each tensor rank holds a part of its gradient's sum
  bool tensor_replicated = false;  ///< every tensor rank holds the same values
  std::int64_t offset = 0;         ///< in its unit

  std::int64_t count() const { return rows * columns; }
};

/// What the optimiser keeps of a unit on this rank.
template <class A>
struct UnitState {
  A* master = nullptr;  ///< `owned` values; lies in the weights where both have one type
  Buffer<A> master_room, first, second;
};

template <class T>
class Unit {
 public:
  using A = Accumulator<T>;

  Unit(std::string name, std::vector<Parameter> parameters, const Communicator& replicas, const Communicator& tensor, Sharding sharding,
       OptimizerKind kind);

  const std::string& name() const { return name_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Index of a parameter by name; InternalError when there is none.
  std::size_t index(const std::string& name) const;
  std::int64_t owned_first() const { return owned_first_; }
  std::int64_t owned_count() const { return owned_count_; }
  UnitState<A>& state() { return state_; }
  const Communicator& replicas() const { return *replicas_; }
  bool counted = true;  ///< in the gradient's norm: false for the second copy of a tied table

  /// Draws the weights: the value of an element depends on seed, name and place in the whole tensor.
  void initialize(std::uint64_t seed);
  /// The working weights; gathered first where they are sharded.
  const T* weights();
  const T* weight(std::size_t parameter) { return weights() + parameters_[parameter].offset; }
  /// Where a gradient is summed, and whether this is the first sum since it was reduced: then the old content does not count.
  A* gradient(std::size_t parameter) { return full_gradient().data() + parameters_[parameter].offset; }
  bool first_gradient(std::size_t parameter);
  /// The unit is done with for now: gathered weights are freed, and after a backward pass sharded gradients are reduced.
  void release();
  void release_after_backward();

  /// Sums the gradient over the ranks that hold the same weights; afterwards owned_gradient() is what this rank updates from.
  void reduce_gradient();
  A* owned_gradient();
  /// Sum of squares of the reduced gradient over this rank's share, each element of the model counted on one rank.
  double gradient_squares(bool first_tensor_rank);
  void update(const OptimizerSettings& settings, double learning_rate, std::int64_t step, double gradient_scale);
  /// Working weights of all ranks from the master weights of each; after an update, which has rounded them already, the sharded part alone.
  void spread_weights();
  void spread_sharded();
  std::int64_t bytes() const;

 private:
  Buffer<A>& full_gradient();
  void finish_gradient();
  void sum_tensor_partial();
  T* working_part();
  void update_lamb(const OptimizerSettings& settings, double learning_rate, std::int64_t step, double gradient_scale);
  template <class Each>
  void for_owned_parts(const Each& each);

  std::string name_;
  std::vector<Parameter> parameters_;
  const Communicator* replicas_;
  const Communicator* tensor_;
  bool shard_weights_ = false, shard_gradients_ = false, shard_states_ = false;
  OptimizerKind kind_;
  std::int64_t count_ = 0, owned_first_ = 0, owned_count_ = 0;
  Buffer<T> weights_, shard_;
  Buffer<A> gradient_, gradient_shard_;
  bool gathered_ = false, shard_empty_ = true;
  std::vector<bool> touched_;
  UnitState<A> state_;
};

}  // namespace reckon::train
