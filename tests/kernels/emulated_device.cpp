// The device runtime over host memory, for running device programs over emulated kernels: one device, streams that are always done.
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstring>
#include <new>

#include "kernels/cuda/matmul_epilogue.hpp"
#include "kernels/op/narrow_matmul.hpp"
#include "runtime/device.hpp"
#include "runtime/device_memory.hpp"

namespace reckon {

DeviceInventory device_inventory() {
  DeviceInventory inventory;
  inventory.built_with_cuda = true;
  inventory.driver = inventory.runtime = 13000;
  LocalDevice device;
  device.name = "emulated \"device\"";  // a name that a writer of JSON must escape
  device.memory = Bytes{1e9};
  device.l2_cache = Bytes{1e5};
  device.multiprocessors = 1;
  inventory.devices.push_back(device);
  return inventory;
}
void require_device() {}

DeviceBuffer::DeviceBuffer(std::size_t size) : data_(::operator new(size, std::align_val_t{256})), size_(size) {}
void DeviceBuffer::Free::operator()(void* data) const noexcept { ::operator delete(data, std::align_val_t{256}); }
void copy_to_device(void* device, const void* host, std::size_t size, Stream) { std::memcpy(device, host, size); }
void copy_to_host(void* host, const void* device, std::size_t size, Stream) { std::memcpy(host, device, size); }
void copy_on_device(void* to, const void* from, std::size_t size, Stream) { std::memcpy(to, from, size); }
void fill_device(void* device, unsigned char byte, std::size_t size, Stream) { std::memset(device, byte, size); }

void* allocate_unified(std::size_t size) { return ::operator new(size, std::align_val_t{256}); }
void free_unified(void* data) noexcept { ::operator delete(data, std::align_val_t{256}); }
void choose_device(int) {}

struct DeviceStream::Owned {};
DeviceStream::DeviceStream() = default;
DeviceStream::~DeviceStream() = default;
DeviceStream::DeviceStream(DeviceStream&&) noexcept = default;
DeviceStream& DeviceStream::operator=(DeviceStream&&) noexcept = default;
Stream DeviceStream::stream() const noexcept { return {}; }
void DeviceStream::wait() const {}

DeviceEvent::DeviceEvent() : event_(new double(0)) {}
void DeviceEvent::Free::operator()(void* event) const noexcept { delete static_cast<double*>(event); }
void DeviceEvent::record(Stream) {
  *static_cast<double*>(event_.get()) = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
Seconds DeviceEvent::since(const DeviceEvent& start) const {
  return Seconds{*static_cast<double*>(event_.get()) - *static_cast<double*>(start.event_.get())};
}

// Products: the reference in place of cuBLASLt, in two "ways".
RECKON_LAUNCHER(cuda, Matmul<float>) { launch<Backend::reference>(op, stream); }
RECKON_LAUNCHER(cuda, Matmul<Bf16>) { launch<Backend::reference>(op, stream); }
RECKON_LAUNCHER(cuda, Matmul<Bf16, float>) { launch<Backend::reference>(op, stream); }
RECKON_LAUNCHER(cuda, Matmul<F16>) { launch<Backend::reference>(op, stream); }
RECKON_LAUNCHER(cuda, Matmul<F16, float>) { launch<Backend::reference>(op, stream); }
RECKON_LAUNCHER(cuda, Matmul<F8, Bf16>) { launch<Backend::reference>(op, stream); }
RECKON_LAUNCHER(cuda, Matmul<F8, float>) { launch<Backend::reference>(op, stream); }
template <class T>
bool matmul_with_epilogue(const Matmul<T>&, MatmulEpilogue, const T*, T*, Stream) {
  return false;  // the own pass behind the product is under test
}
template bool matmul_with_epilogue(const Matmul<float>&, MatmulEpilogue, const float*, float*, Stream);
template bool matmul_with_epilogue(const Matmul<Bf16>&, MatmulEpilogue, const Bf16*, Bf16*, Stream);
template <class T, class R>
std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<T, R>&, Stream, int) {
  return std::vector<MatmulAlgorithm>(2);
}
template std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<float, float>&, Stream, int);
template std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<Bf16, Bf16>&, Stream, int);
template std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<Bf16, float>&, Stream, int);

}  // namespace reckon
