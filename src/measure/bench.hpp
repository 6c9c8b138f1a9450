// How long one thing takes: warm-up, samples until their median is known well enough, rejection of what does not settle.
//
// All ranks of a crew measure at once, so that they share memory and caches as a training step makes them; the sample is that of the slowest
// rank, for which all others wait in a step, and every rank takes the same decisions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "calibration/timed.hpp"
#include "kernels/op/backend.hpp"
#include "measure/pace.hpp"
#include "runtime/communicator.hpp"
#include "runtime/device_memory.hpp"

namespace reckon::measure {

/// Which clock counts: the one on the wall, or the processor time of this thread, which stands still while other programs have the
/// processor: for shared machines, and only for work of one thread without messages.
enum class ClockKind { wall, processor };
double now(ClockKind clock);

struct Rules {
  int least_samples = 3, most_samples = 25;
  double enough = 0.02;            ///< stop when the interval's half width is within this share of the median
  double too_wide = 0.15;          ///< unstable beyond this, after a second try
  Seconds at_least{3e-4};          ///< of one sample: short work is repeated inside it
  Seconds at_most{0.02};           ///< of all samples of one measurement, once least_samples are taken
  ClockKind clock = ClockKind::wall;
  std::shared_ptr<Pace> pace;      ///< what a slow machine gave is taken again; null = all counts
};

/// Median and the interval that holds it with 95 %: order statistics n/2 -+ 0.98 sqrt(n) (Conover, Practical Nonparametric Statistics, 3.2).
Timed summary(std::vector<double> seconds, double too_wide);

/// One thing measured in several passes, minutes apart: the median of the stable passes' medians, with the widest interval.  Stable when half
/// of the passes were, and their medians agree within `too_wide` of their median on either side.
Timed over_passes(std::vector<Timed> passes, double too_wide);

class Bench {
 public:
  /// `crew`: the ranks that measure together.  Throws DeviceError for a CUDA backend without a device.
  Bench(Backend backend, Communicator crew, Rules rules);

  Backend backend() const { return backend_; }
  const Communicator& crew() const { return crew_; }
  const Rules& rules() const { return rules_; }
  Stream stream() const { return device_ ? device_->stream() : Stream{}; }
  void wait() const {
    if (device_) device_->wait();
  }

  /// Time of one `work(turn)`; turns count up, so that work can move on through memory.  Collective over the crew.
  Timed time(const std::function<void(int turn)>& work) const;

 private:
  double slowest_of_crew(double value) const;
  Seconds pace() const;
  Seconds quiet_moment() const;
  double once(const std::function<void(int)>& work, int repeats, int& turn) const;
  std::vector<double> samples(const std::function<void(int)>& work, int repeats, double budget, int& turn) const;
  Timed attempt(const std::function<void(int)>& work, int repeats, double budget, int& turn) const;

  Backend backend_;
  Communicator crew_;
  Rules rules_;
  std::unique_ptr<DeviceStream> device_;
};

/// Memory of a backend: `size` bytes that hold random numbers in [-1, 1), read as bf16 or as fp32 alike, or nothing in particular.
class Arena {
 public:
  Arena(Backend backend, std::size_t size, bool random, std::uint64_t seed);
  std::size_t size() const { return size_; }
  /// Room for `count` values at a place that moves on with `turn`, so that caches do not hold it; turn 0 is always the same place.
  template <class T>
  T* at(int turn, std::int64_t count) const {
    return reinterpret_cast<T*>(data_ + offset(turn, std::size_t(count) * sizeof(T)));
  }
  /// The same place of the host's copy of random numbers.
  template <class T>
  const T* on_host(int turn, std::int64_t count) const {
    return reinterpret_cast<const T*>(host_.get() + offset(turn, std::size_t(count) * sizeof(T)));
  }

 private:
  std::size_t offset(int turn, std::size_t bytes) const;

  std::size_t size_;
  std::unique_ptr<unsigned char, void (*)(void*)> host_;
  DeviceBuffer device_;
  unsigned char* data_ = nullptr;
};

/// `count` values at `data`, wherever they lie, widened.
template <class T>
std::vector<double> fetched(const Bench& bench, const T* data, std::int64_t count) {
  std::vector<T> room(static_cast<std::size_t>(count));
  if (bench.backend() == Backend::cuda) {
    bench.wait();
    copy_to_host(room.data(), data, room.size() * sizeof(T), bench.stream());
  } else {
    room.assign(data, data + count);
  }
  std::vector<double> out;
  for (const T value : room) out.push_back(static_cast<double>(widen(value)));
  return out;
}

/// Throws DeviceError naming `what` unless every value is within `tolerance` of what it should be, relative to the largest.
void check_close(const std::vector<double>& measured, const std::vector<double>& expected, double tolerance, const char* what);

}  // namespace reckon::measure
