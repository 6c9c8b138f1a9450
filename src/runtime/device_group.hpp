// Collectives among the GPUs of a group of ranks through NCCL, opened at run time.
//
// Source: NCCL user guide, "Creating a Communicator" and "Collective Operations".  A build without nccl.h, a machine without the library
// and ranks that share a GPU (which NCCL refuses) have no such group: messages then go through MPI, over unified memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/device_stream.hpp"

namespace reckon {

/// How many devices this process sees; 0 without CUDA.
int device_count();

class DeviceGroup {
 public:
  /// Gives every rank's `bytes` bytes to every rank, by rank: how the group finds together before it has NCCL.
  using Gather = std::function<void(const void* part, void* whole, std::size_t bytes)>;

  /// Collective over the group's ranks.  Throws DeviceError when NCCL refuses.
  DeviceGroup(int rank, int size, const Gather& gather);
  ~DeviceGroup();
  DeviceGroup(const DeviceGroup&) = delete;
  DeviceGroup& operator=(const DeviceGroup&) = delete;

  /// False where there is no NCCL: the same on all ranks of the group.
  bool usable() const;

  /// Queued in the stream; operands are device or unified memory.
  void all_reduce_sum(float* data, std::int64_t count, Stream stream) const;
  void reduce_scatter_sum(const float* whole, float* part, std::int64_t count, Stream stream) const;
  void all_gather(const void* part, void* whole, std::size_t bytes, Stream stream) const;

 private:
  struct Library;
  std::unique_ptr<Library> library_;
};

}  // namespace reckon
