// Owners of what lives on a device: memory, streams, events.  Move-only, freed by their destructors.
//
// Without CUDA in the build, or without a device, every constructor throws DeviceError with the sentence of device_inventory().
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include "base/quantity.hpp"
#include "runtime/device_stream.hpp"

namespace reckon {

/// `size` bytes of device memory, uninitialised, aligned to 256 bytes.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  explicit DeviceBuffer(std::size_t size);

  void* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  template <class T>
  T* as() const noexcept {
    return static_cast<T*>(data_.get());
  }

 private:
  struct Free {
    void operator()(void* data) const noexcept;
  };
  std::unique_ptr<void, Free> data_;
  std::size_t size_ = 0;
};

/// Copies between host and device memory; finished on return.
void copy_to_device(void* device, const void* host, std::size_t size, Stream stream);
void copy_to_host(void* host, const void* device, std::size_t size, Stream stream);
/// Device to device by the driver, queued: what own copy kernels are held against.
void copy_on_device(void* to, const void* from, std::size_t size, Stream stream);
/// Every byte of [device, device + size) becomes `byte`; queued.
void fill_device(void* device, unsigned char byte, std::size_t size, Stream stream);

/// Memory that device and host read and write at the same address (CUDA's managed memory); DeviceError without a device.
void* allocate_unified(std::size_t size);
void free_unified(void* data) noexcept;

/// From now on this thread uses device `rank` modulo their number.
void choose_device(int rank);

/// A queue of device work with the vendor library for matrix products beside it.
class DeviceStream {
 public:
  DeviceStream();
  ~DeviceStream();
  DeviceStream(DeviceStream&&) noexcept;
  DeviceStream& operator=(DeviceStream&&) noexcept;

  Stream stream() const noexcept;
  /// Waits until everything that was put in is done.  Throws DeviceError when any of it failed.
  void wait() const;

 private:
  struct Owned;
  std::unique_ptr<Owned> owned_;
};

/// A point in a stream whose time the device notes.
class DeviceEvent {
 public:
  DeviceEvent();

  void record(Stream stream);
  /// From `start` to this event on the device's own clock (resolution about 0.5 us); waits for this event.
  Seconds since(const DeviceEvent& start) const;

 private:
  struct Free {
    void operator()(void* event) const noexcept;
  };
  std::unique_ptr<void, Free> event_;
};

}  // namespace reckon
