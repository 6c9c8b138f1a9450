// Devices in a build without CUDA: there are none, and this is why.
// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "runtime/device.hpp"
#include "runtime/device_memory.hpp"

namespace reckon {
namespace {

[[noreturn]] void absent() {
  const DeviceAnswer answer;
  throw DeviceError(absence_of(answer), cure_of(answer));
}

}  // namespace

DeviceInventory device_inventory() {
  const DeviceAnswer answer;
  DeviceInventory inventory;
  inventory.absence = absence_of(answer);
  inventory.cure = cure_of(answer);
  return inventory;
}

void require_device() { absent(); }

DeviceBuffer::DeviceBuffer(std::size_t) { absent(); }
void DeviceBuffer::Free::operator()(void*) const noexcept {}
void copy_to_device(void*, const void*, std::size_t, Stream) { absent(); }
void copy_to_host(void*, const void*, std::size_t, Stream) { absent(); }
void copy_on_device(void*, const void*, std::size_t, Stream) { absent(); }
void fill_device(void*, unsigned char, std::size_t, Stream) { absent(); }

void* allocate_unified(std::size_t) { absent(); }
void free_unified(void*) noexcept {}
void choose_device(int) { absent(); }

struct DeviceStream::Owned {};
DeviceStream::DeviceStream() { absent(); }
DeviceStream::~DeviceStream() = default;
DeviceStream::DeviceStream(DeviceStream&&) noexcept = default;
DeviceStream& DeviceStream::operator=(DeviceStream&&) noexcept = default;
Stream DeviceStream::stream() const noexcept { return {}; }
void DeviceStream::wait() const { absent(); }

DeviceEvent::DeviceEvent() { absent(); }
void DeviceEvent::Free::operator()(void*) const noexcept {}
void DeviceEvent::record(Stream) { absent(); }
Seconds DeviceEvent::since(const DeviceEvent&) const { absent(); }

}  // namespace reckon
