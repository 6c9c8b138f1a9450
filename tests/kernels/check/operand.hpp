// Operands of a kernel under check: in host or device memory, at an address of the check's choosing, between guards.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "kernels/op/element.hpp"
#include "runtime/device_memory.hpp"
#include "tests/kernels/check/random.hpp"

namespace reckon::check {

/// Memory that a backend works on.
class Place {
 public:
  virtual ~Place() = default;
  virtual std::shared_ptr<void> allocate(std::size_t size) = 0;
  virtual void write(void* to, const void* host, std::size_t size) = 0;
  virtual void read(void* host, const void* from, std::size_t size) = 0;
};

class HostPlace : public Place {
 public:
  std::shared_ptr<void> allocate(std::size_t size) override {
    return {::operator new(size, std::align_val_t{256}), [](void* p) { ::operator delete(p, std::align_val_t{256}); }};
  }
  void write(void* to, const void* host, std::size_t size) override { std::memcpy(to, host, size); }
  void read(void* host, const void* from, std::size_t size) override { std::memcpy(host, from, size); }
};

/// Needs a device: throws DeviceError without one.
class DevicePlace : public Place {
 public:
  explicit DevicePlace(Stream stream) : stream_(stream) {}
  std::shared_ptr<void> allocate(std::size_t size) override {
    auto buffer = std::make_shared<DeviceBuffer>(size);
    return {buffer, buffer->data()};
  }
  void write(void* to, const void* host, std::size_t size) override { copy_to_device(to, host, size, stream_); }
  void read(void* host, const void* from, std::size_t size) override { copy_to_host(host, from, size, stream_); }

 private:
  Stream stream_;
};

/// x as an element.
template <class T>
T element(double x) {
  return narrow<T>(static_cast<Accumulator<T>>(x));
}

/// `count` elements in a place, `offset` elements behind a 256-byte boundary, with 256 poisoned bytes and more on either side.
template <class T>
class Operand {
 public:
  /// An output: every byte 0xff, a NaN in each type, so that what is not written shows.
  Operand(Place& place, std::size_t count, std::size_t offset) : Operand(place, count, offset, 0xa5) {
    std::memset(static_cast<void*>(image_.data() + first_), 0xff, count * sizeof(T));
    place_.write(memory_.get(), image_.data(), image_.size() * sizeof(T));
  }
  /// An input: between NaNs, so that what is read beside it shows.
  Operand(Place& place, const std::vector<T>& values, std::size_t offset) : Operand(place, values.size(), offset, 0xff) {
    std::copy(values.begin(), values.end(), image_.begin() + static_cast<std::ptrdiff_t>(first_));
    place_.write(memory_.get(), image_.data(), image_.size() * sizeof(T));
  }

  T* data() const { return static_cast<T*>(memory_.get()) + first_; }
  std::size_t size() const { return count_; }

  /// What is there now, as doubles.
  std::vector<double> values() const {
    const std::vector<T> now = whole();
    std::vector<double> result(count_);
    for (std::size_t i = 0; i < count_; ++i) result[i] = double(widen(now[first_ + i]));
    return result;
  }
  std::vector<unsigned char> bytes_now() const {
    const std::vector<T> now = whole();
    const auto* first = reinterpret_cast<const unsigned char*>(now.data() + first_);
    return {first, first + count_ * sizeof(T)};
  }
  /// Whether nothing was written beside the operand.
  bool guarded() const {
    const std::vector<T> now = whole();
    const auto untouched = [&](std::size_t from, std::size_t to) {
      const auto* p = reinterpret_cast<const unsigned char*>(now.data());
      return std::all_of(p + from * sizeof(T), p + to * sizeof(T), [this](unsigned char byte) { return byte == guard_; });
    };
    return untouched(0, first_) && untouched(first_ + count_, now.size());
  }

 private:
  Operand(Place& place, std::size_t count, std::size_t offset, unsigned char guard)
      : place_(place), count_(count), first_(256 / sizeof(T) + offset), guard_(guard), image_(first_ + count + 256 / sizeof(T)) {
    std::memset(static_cast<void*>(image_.data()), guard, image_.size() * sizeof(T));
    memory_ = place_.allocate(image_.size() * sizeof(T));
  }

  std::vector<T> whole() const {
    std::vector<T> now(image_.size());
    place_.read(now.data(), memory_.get(), now.size() * sizeof(T));
    return now;
  }

  Place& place_;
  std::size_t count_, first_;
  unsigned char guard_;
  std::vector<T> image_;
  std::shared_ptr<void> memory_;
};

/// `count` random elements of type T, in [-scale, scale) around `centre`.
template <class T>
std::vector<T> random_elements(std::size_t count, std::uint64_t seed, double scale = 1, double centre = 0) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = element<T>(centre + scale * uniform(seed, i));
  return values;
}

template <class T>
std::vector<double> widened(const std::vector<T>& values) {
  std::vector<double> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = double(widen(values[i]));
  return result;
}

}  // namespace reckon::check
