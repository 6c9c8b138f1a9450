// Memory of the trainer, and how it runs kernels: fp32 and bf16 on the CPU, double through the reference (for gradient checks).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels/op/backend.hpp"
#include "kernels/op/update.hpp"
#include "runtime/communicator.hpp"
#include "train/threads.hpp"

namespace reckon::train {

/// An array without initial values, aligned to a cache line.  Move-only.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::int64_t size)
      : data_(
            static_cast<T*>(::operator new (static_cast<std::size_t>(std::max<std::int64_t>(1, size)) * sizeof(T), std::align_val_t{64}))),
        size_(size) {
    ask_for_large_pages(data_.get(), bytes());
  }
  Buffer(Buffer&& other) noexcept : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  T* data() const { return data_.get(); }
  std::int64_t size() const { return size_; }
  std::size_t bytes() const { return static_cast<std::size_t>(size_) * sizeof(T); }
  explicit operator bool() const { return data_ != nullptr; }
  void zero() { std::memset(static_cast<void*>(data_.get()), 0, bytes()); }
  Buffer copy() const {
    Buffer out(size_);
    std::memcpy(static_cast<void*>(out.data()), data(), bytes());
    return out;
  }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete (static_cast<void*>(p), std::align_val_t{64}); }
  };
  std::unique_ptr<T, Free> data_;
  std::int64_t size_ = 0;
};

template <class Op>
void run(const Op& op) {
  if constexpr (std::is_same_v<typename Op::Element, double>) {
    launch<Backend::reference>(op, {});
  } else {
    launch<Backend::cpu>(op, {});
  }
}

/// Runs an op that needs room.
template <class Op>
void run_with_room(Op op) {
  const Buffer<double> room(std::int64_t(op.workspace_size() / sizeof(double) + 1));
  op.workspace = room.data();
  op.workspace_bytes = room.bytes();
  run(op);
}

/// Sums of activations over ranks.  bf16 is summed in fp32 and rounded once.
template <class T>
void all_reduce(const Communicator& group, T* data, std::int64_t count) {
  if (group.size() == 1) return;
  if constexpr (std::is_same_v<T, Bf16>) {
    const Buffer<float> wide(count);
    run(Widen<Bf16>{.count = count, .x = data, .out = wide.data()});
    group.all_reduce_sum(wide.data(), count);
    run(Narrow<Bf16>{.count = count, .x = wide.data(), .out = data});
  } else {
    group.all_reduce_sum(data, count);
  }
}

/// part = this rank's piece, `count` values, of the sum of `whole` over the ranks.
template <class T>
void reduce_scatter(const Communicator& group, const T* whole, T* part, std::int64_t count) {
  if constexpr (std::is_same_v<T, Bf16>) {
    const std::int64_t all = count * group.size();
    const Buffer<float> wide(all), sum(count);
    run(Widen<Bf16>{.count = all, .x = whole, .out = wide.data()});
    group.reduce_scatter_sum(wide.data(), sum.data(), count);
    run(Narrow<Bf16>{.count = count, .x = sum.data(), .out = part});
  } else {
    group.reduce_scatter_sum(whole, part, count);
  }
}

}  // namespace reckon::train
