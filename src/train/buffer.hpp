// Memory of the trainer, and how it runs kernels: fp32 and bf16 on the current machine, double through the reference (for gradient checks).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels/op/dispatch.hpp"
#include "kernels/op/update.hpp"
#include "runtime/communicator.hpp"
#include "train/machine.hpp"

namespace reckon::train {

/// An array without initial values, aligned to a cache line.  Move-only.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::int64_t size) : machine_(&current_machine()), size_(size) { data_ = static_cast<T*>(machine_->allocate(room())); }
  Buffer(Buffer&& other) noexcept
      : machine_(other.machine_), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    if (this == &other) return *this;
    free();
    machine_ = other.machine_;
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~Buffer() { free(); }

  T* data() const { return data_; }
  std::int64_t size() const { return size_; }
  std::size_t bytes() const { return static_cast<std::size_t>(size_) * sizeof(T); }
  explicit operator bool() const { return data_ != nullptr; }
  void zero() { clear_bytes(data_, bytes()); }
  Buffer copy() const {
    Buffer out(size_);
    copy_bytes(out.data(), data(), bytes());
    return out;
  }

 private:
  std::size_t room() const { return static_cast<std::size_t>(std::max<std::int64_t>(1, size_)) * sizeof(T); }
  void free() noexcept {
    if (data_ != nullptr) machine_->release(data_, room());
  }

  const Machine* machine_ = nullptr;
  T* data_ = nullptr;
  std::int64_t size_ = 0;
};

/// An array with the values of a vector: what kernels read of the host's own.
template <class T>
Buffer<T> uploaded(const std::vector<T>& values) {
  Buffer<T> out(std::int64_t(values.size()));
  settle();  // the array may have served a launch that is still queued
  std::copy(values.begin(), values.end(), out.data());
  return out;
}

template <class Op>
void run(const Op& op) {
  if constexpr (std::is_same_v<typename Op::Element, double>) {
    launch<Backend::reference>(op, {});
  } else {
    const Machine& machine = current_machine();
    launch(machine.backend(), op, machine.stream());
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

/// Collectives of fp32 sums and of bytes: in the stream where the ranks have NCCL, else through MPI when launched work is done.
template <class A>
void sum_over(const Communicator& group, A* data, std::int64_t count) {
  const Machine& machine = current_machine();
  if constexpr (std::is_same_v<A, float>) {
    if (const DeviceGroup* device = machine.group(group)) return device->all_reduce_sum(data, count, machine.stream());
  }
  settle();
  group.all_reduce_sum(data, count);
}
template <class A>
void sum_parts_over(const Communicator& group, const A* whole, A* part, std::int64_t count) {
  const Machine& machine = current_machine();
  if constexpr (std::is_same_v<A, float>) {
    if (const DeviceGroup* device = machine.group(group)) return device->reduce_scatter_sum(whole, part, count, machine.stream());
  }
  settle();
  group.reduce_scatter_sum(whole, part, count);
}
inline void gather_over(const Communicator& group, const void* part, void* whole, std::size_t bytes) {
  const Machine& machine = current_machine();
  if (const DeviceGroup* device = machine.group(group)) return device->all_gather(part, whole, bytes, machine.stream());
  settle();
  group.all_gather(part, whole, bytes);
}

/// Sums of activations over ranks.  bf16 is summed in fp32 and rounded once.
template <class T>
void all_reduce(const Communicator& group, T* data, std::int64_t count) {
  if (group.size() == 1) return;
  if constexpr (std::is_same_v<T, Bf16>) {
    const Buffer<float> wide(count);
    run(Widen<Bf16>{.count = count, .x = data, .out = wide.data()});
    sum_over(group, wide.data(), count);
    run(Narrow<Bf16>{.count = count, .x = wide.data(), .out = data});
  } else {
    sum_over(group, data, count);
  }
}

/// part = this rank's piece, `count` values, of the sum of `whole` over the ranks.
template <class T>
void reduce_scatter(const Communicator& group, const T* whole, T* part, std::int64_t count) {
  if constexpr (std::is_same_v<T, Bf16>) {
    const std::int64_t all = count * group.size();
    const Buffer<float> wide(all), sum(count);
    run(Widen<Bf16>{.count = all, .x = whole, .out = wide.data()});
    sum_parts_over(group, wide.data(), sum.data(), count);
    run(Narrow<Bf16>{.count = count, .x = sum.data(), .out = part});
  } else {
    sum_parts_over(group, whole, part, count);
  }
}

}  // namespace reckon::train
