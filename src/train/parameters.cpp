// Units of weights: layout, first values, gathering, reduction and update.
// SPDX-License-Identifier: Apache-2.0
#include "train/parameters.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "kernels/op/adamw.hpp"
#include "kernels/op/memory.hpp"

namespace reckon::train {
namespace {

std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

/// A value of about the standard normal distribution for a place in a tensor: the sum of four uniform ones (variance 1/12 each) of one
/// hash.
double normal(std::uint64_t key, std::uint64_t index) {
  std::uint64_t z = key + index * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  const double sum = double(z & 0xffff) + double((z >> 16) & 0xffff) + double((z >> 32) & 0xffff) + double(z >> 48);
  return (sum / 65536.0 - 2.0 + 2.0 / 65536.0) * 1.7320508075688772;
}

}  // namespace

template <class T>
Unit<T>::Unit(std::string name, std::vector<Parameter> parameters, const Communicator& replicas, const Communicator& tensor,
              Sharding sharding, OptimizerKind kind)
    : name_(std::move(name)), parameters_(std::move(parameters)), replicas_(&replicas), tensor_(&tensor), kind_(kind) {
  for (Parameter& p : parameters_) {
    p.offset = count_;
    count_ += p.count();
  }
  touched_.assign(parameters_.size(), false);
  const std::int64_t ranks = replicas.size(), grain = ranks * 16;
  count_ = (count_ + grain - 1) / grain * grain;
  const bool sharded = ranks > 1;
  shard_states_ = sharded && sharding != Sharding::none;
  shard_gradients_ = sharded && (sharding == Sharding::zero2 || sharding == Sharding::zero3);
  shard_weights_ = sharded && sharding == Sharding::zero3;
  owned_count_ = shard_states_ ? count_ / ranks : count_;
  owned_first_ = shard_states_ ? replicas.rank() * owned_count_ : 0;
  if (shard_weights_) {
    shard_ = Buffer<T>(owned_count_);
  } else {
    weights_ = Buffer<T>(count_);
    gathered_ = true;
  }
  T* working = shard_weights_ ? shard_.data() : weights_.data() + owned_first_;
  if constexpr (std::is_same_v<T, A>) {
    state_.master = working;
  } else {
    state_.master_room = Buffer<A>(owned_count_);
    state_.master = state_.master_room.data();
  }
  state_.first = Buffer<A>(owned_count_);
  state_.first.zero();
  state_.second = Buffer<A>(kind == OptimizerKind::sgd ? 0 : owned_count_);
  state_.second.zero();
  if (shard_gradients_) gradient_shard_ = Buffer<A>(owned_count_);
}

template <class T>
std::size_t Unit<T>::index(const std::string& name) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].name == name) return i;
  }
  throw InternalError("no parameter " + name + " in " + name_);
}

/// Calls each(parameter, first, last) for the part [first, last) of the unit that is owned here and belongs to a parameter.
template <class T>
template <class Each>
void Unit<T>::for_owned_parts(const Each& each) {
  for (const Parameter& p : parameters_) {
    const std::int64_t first = std::max(p.offset, owned_first_), last = std::min(p.offset + p.count(), owned_first_ + owned_count_);
    if (first < last) each(p, first, last);
  }
}

template <class T>
void Unit<T>::initialize(std::uint64_t seed) {
  settle();
  std::fill_n(state_.master, owned_count_, A(0));
  for_owned_parts([&](const Parameter& p, std::int64_t first, std::int64_t last) {
    const std::uint64_t key = hash_of(p.name + "/" + name_) + seed * 0xd1342543de82ef95u;
#pragma omp parallel for schedule(static)
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t at = i - p.offset, place = (p.row + at / p.columns) * p.all_columns + p.column + at % p.columns;
      state_.master[i - owned_first_] = A(p.constant + (p.deviation > 0 ? p.deviation * normal(key, std::uint64_t(place)) : 0.0));
    }
  });
  spread_weights();
}

template <class T>
void Unit<T>::spread_weights() {
  T* working = shard_weights_ ? shard_.data() : weights_.data() + owned_first_;
  if constexpr (!std::is_same_v<T, A>) run(Narrow<T>{.count = owned_count_, .x = state_.master, .out = working});
  spread_sharded();
}

template <class T>
void Unit<T>::spread_sharded() {
  if (!shard_states_ || shard_weights_) return;
  gather_over(*replicas_, weights_.data() + owned_first_, weights_.data(), std::size_t(owned_count_) * sizeof(T));
}

template <class T>
const T* Unit<T>::weights() {
  if (!gathered_) {
    weights_ = Buffer<T>(count_);
    gather_over(*replicas_, shard_.data(), weights_.data(), shard_.bytes());
    gathered_ = true;
  }
  return weights_.data();
}

template <class T>
void Unit<T>::release() {
  if (!shard_weights_) return;
  weights_ = Buffer<T>();
  gathered_ = false;
}

template <class T>
void Unit<T>::release_after_backward() {
  if (shard_gradients_) finish_gradient();
  release();
}

template <class T>
Buffer<Accumulator<T>>& Unit<T>::full_gradient() {
  if (!gradient_) {
    gradient_ = Buffer<A>(count_);
    // Only the padding behind the parameters: they themselves are written by their first gradient.
    std::int64_t used = parameters_.empty() ? 0 : parameters_.back().offset + parameters_.back().count();
    clear_bytes(gradient_.data() + used, std::size_t(count_ - used) * sizeof(A));
  }
  return gradient_;
}

template <class T>
bool Unit<T>::first_gradient(std::size_t parameter) {
  const bool first = !touched_[parameter];
  touched_[parameter] = true;
  return first;
}

template <class T>
void Unit<T>::sum_tensor_partial() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& p = parameters_[i];
    if (first_gradient(i)) clear_bytes(gradient(i), std::size_t(p.count()) * sizeof(A));  // a weight that no token visited
    if (p.tensor_partial) all_reduce(*tensor_, gradient(i), p.count());
  }
  touched_.assign(parameters_.size(), false);
}

/// Adds the full gradient, summed over the ranks, to this rank's shard, and frees it.
template <class T>
void Unit<T>::finish_gradient() {
  if (!gradient_) return;
  sum_tensor_partial();
  if (shard_empty_) {
    sum_parts_over(*replicas_, gradient_.data(), gradient_shard_.data(), owned_count_);
  } else {
    const Buffer<A> part(owned_count_);
    sum_parts_over(*replicas_, gradient_.data(), part.data(), owned_count_);
    run(ResidualAdd<A>{.count = owned_count_, .a = gradient_shard_.data(), .b = part.data(), .out = gradient_shard_.data()});
  }
  shard_empty_ = false;
  gradient_ = Buffer<A>();
}

template <class T>
void Unit<T>::reduce_gradient() {
  if (shard_gradients_) {
    finish_gradient();
    if (shard_empty_) gradient_shard_.zero();
    shard_empty_ = true;
    return;
  }
  full_gradient();
  sum_tensor_partial();
  if (replicas_->size() == 1) return;
  if (shard_states_) {
    const Buffer<A> part(owned_count_);
    sum_parts_over(*replicas_, gradient_.data(), part.data(), owned_count_);
    copy_bytes(gradient_.data() + owned_first_, part.data(), part.bytes());
  } else {
    sum_over(*replicas_, gradient_.data(), count_);
  }
}

template <class T>
Accumulator<T>* Unit<T>::owned_gradient() {
  return shard_gradients_ ? gradient_shard_.data() : gradient_.data() + owned_first_;
}

template <class T>
double Unit<T>::gradient_squares(bool first_tensor_rank) {
  if (!counted) return 0;
  // Without sharding every replica holds all: each takes its share.
  const std::int64_t share = shard_states_ ? owned_count_ : count_ / replicas_->size(),
                     begin = shard_states_ ? owned_first_ : replicas_->rank() * share;
  const Buffer<double> squares(std::int64_t(parameters_.size()));
  std::int64_t parts = 0;
  for_owned_parts([&](const Parameter& p, std::int64_t first, std::int64_t last) {
    first = std::max(first, begin);
    last = std::min(last, begin + share);
    if (first >= last || (p.tensor_replicated && !first_tensor_rank)) return;
    run_with_room(
        SumOfSquares<A>{.count = last - first, .x = owned_gradient() + (first - owned_first_), .result = squares.data() + parts++});
  });
  settle();
  double sum = 0;
  for (std::int64_t i = 0; i < parts; ++i) sum += squares.data()[i];
  return sum;
}

/// Where the update rounds this rank's share of the weights to; null where master and working weights are one.
template <class T>
T* Unit<T>::working_part() {
  if constexpr (std::is_same_v<T, A>) return nullptr;
  return shard_weights_ ? shard_.data() : weights_.data() + owned_first_;
}

template <class T>
void Unit<T>::update(const OptimizerSettings& o, double rate, std::int64_t step, double scale) {
  if (kind_ == OptimizerKind::lamb) return update_lamb(o, rate, step, scale);
  T* working = working_part();
  for_owned_parts([&](const Parameter& p, std::int64_t first, std::int64_t last) {
    const std::int64_t at = first - owned_first_, count = last - first;
    const double decay = p.decays ? o.weight_decay : 0.0;
    T* weight = working == nullptr ? nullptr : working + at;
    if (kind_ == OptimizerKind::adamw) {
      run(AdamW<T, A>{.count = count,
                      .step = step,
                      .learning_rate = rate,
                      .beta1 = o.beta1,
                      .beta2 = o.beta2,
                      .epsilon = o.epsilon,
                      .weight_decay = decay,
                      .gradient_scale = scale,
                      .gradient = owned_gradient() + at,
                      .master = state_.master + at,
                      .first_moment = state_.first.data() + at,
                      .second_moment = state_.second.data() + at,
                      .weight = weight});
    } else if (kind_ == OptimizerKind::sgd) {
      run(Sgd<T, A>{.count = count,
                    .learning_rate = rate,
                    .momentum_factor = o.beta1,
                    .weight_decay = decay,
                    .gradient_scale = scale,
                    .gradient = owned_gradient() + at,
                    .master = state_.master + at,
                    .momentum = state_.first.data() + at,
                    .weight = weight});
    }
  });
}

/// LAMB's ratio needs the norms of whole tensors: every replica takes part for every parameter, with what it owns of it.
template <class T>
void Unit<T>::update_lamb(const OptimizerSettings& o, double rate, std::int64_t step, double scale) {
  T* working = working_part();
  for (const Parameter& p : parameters_) {
    const std::int64_t first = std::max(p.offset, owned_first_),
                       last = std::max(first, std::min(p.offset + p.count(), owned_first_ + owned_count_));
    const std::int64_t at = first - owned_first_;
    const Buffer<A> updates(last - first);
    const Buffer<double> norms(2);
    run_with_room(LambMoments<T, A>{.count = last - first,
                                    .step = step,
                                    .beta1 = o.beta1,
                                    .beta2 = o.beta2,
                                    .epsilon = o.epsilon,
                                    .weight_decay = p.decays ? o.weight_decay : 0.0,
                                    .gradient_scale = scale,
                                    .gradient = owned_gradient() + at,
                                    .master = state_.master + at,
                                    .first_moment = state_.first.data() + at,
                                    .second_moment = state_.second.data() + at,
                                    .update = updates.data(),
                                    .norms = norms.data()});
    settle();
    if (shard_states_) replicas_->all_reduce_sum(norms.data(), 2);
    if (!p.tensor_replicated) tensor_->all_reduce_sum(norms.data(), 2);
    run(LambApply<T>{.count = last - first,
                     .learning_rate = rate,
                     .norms = norms.data(),
                     .update = updates.data(),
                     .master = state_.master + at,
                     .weight = working == nullptr ? nullptr : working + at});
  }
}

template <class T>
std::int64_t Unit<T>::bytes() const {
  return std::int64_t(weights_.bytes() + shard_.bytes() + gradient_.bytes() + gradient_shard_.bytes() + state_.master_room.bytes() +
                      state_.first.bytes() + state_.second.bytes());
}

template class Unit<double>;
template class Unit<float>;
template class Unit<Bf16>;

}  // namespace reckon::train
