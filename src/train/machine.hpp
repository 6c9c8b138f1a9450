// What a rank trains on: the processor, or one GPU with a stream.
//
// GPU arrays are unified memory: kernels work on them where they are, and messages, files and the host's own loops read the same addresses
// once settle() has returned.  Which machine a thread works on is a property of the thread, as CUDA's current device is: every entry of the
// trainer sets it (OnMachine).  Arrays go back to their machine's pool and come out again for the same size: a step asks the driver for
// nothing after the first.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "kernels/op/backend.hpp"
#include "runtime/communicator.hpp"
#include "runtime/device_group.hpp"
#include "runtime/device_memory.hpp"

namespace reckon::train {

class Machine {
 public:
  /// The processor.
  Machine() = default;
  /// Throws DeviceError when `backend` is cuda and there is no device.  `rank` picks one of several.
  Machine(Backend backend, int rank);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  Backend backend() const { return backend_; }
  Stream stream() const { return device_ ? device_->stream() : Stream{}; }
  bool is_device() const { return device_ != nullptr; }
  /// Returns when everything that was launched is done.
  void wait() const {
    if (device_) device_->wait();
  }
  /// NCCL among the GPUs of a group, made at its first message (collective); null where messages go through MPI.
  const DeviceGroup* group(const Communicator& ranks) const;
  void* allocate(std::size_t bytes) const;
  void release(void* data, std::size_t bytes) const noexcept;

 private:
  Backend backend_ = Backend::cpu;
  std::unique_ptr<DeviceStream> device_;
  mutable std::map<std::size_t, std::vector<void*>> free_;
  mutable std::map<const void*, std::unique_ptr<DeviceGroup>> groups_;
};

/// The machine that this thread works on; the processor where none was set.
const Machine& current_machine();

/// Sets it for a scope.
class OnMachine {
 public:
  explicit OnMachine(const Machine& machine);
  ~OnMachine();
  OnMachine(const OnMachine&) = delete;
  OnMachine& operator=(const OnMachine&) = delete;

 private:
  const Machine* before_;
};

/// Before the host reads or writes an array: launched work that uses it is done.
inline void settle() { current_machine().wait(); }

/// Bytes of an array set to zero, or copied: in the order of launches.
void clear_bytes(void* data, std::size_t bytes);
void copy_bytes(void* to, const void* from, std::size_t bytes);

}  // namespace reckon::train
