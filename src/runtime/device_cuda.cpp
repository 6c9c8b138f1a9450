// Devices through the CUDA runtime.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "runtime/device.hpp"
#include "runtime/device_blas.hpp"
#include "runtime/device_check.hpp"
#include "runtime/device_memory.hpp"
#include "runtime/device_monitor.hpp"

namespace reckon {
namespace {

/// How many devices there are, and everything that explains it when there are none.
std::pair<int, DeviceAnswer> ask() {
  DeviceAnswer answer;
  answer.built_with_cuda = true;
  answer.runtime = CUDART_VERSION;
  if (cudaDriverGetVersion(&answer.driver) != cudaSuccess) answer.driver = 0;
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  answer.error = static_cast<int>(status);
  answer.error_text = cudaGetErrorString(status);
  if (status != cudaSuccess) {
    count = 0;
    cudaGetLastError();  // the answer was heard; a later check must not report it
  }
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) answer.visible_devices = visible;
  return {count, answer};
}

int attribute(cudaDeviceAttr which, int index) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, index));
  return value;
}

std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", static_cast<unsigned char>(uuid.bytes[i]));
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += digits.data();
  }
  return text;
}

LocalDevice describe(int index, const DeviceMonitor& monitor) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, index));
  std::array<char, 32> bus{};
  check(cudaDeviceGetPCIBusId(bus.data(), static_cast<int>(bus.size()), index));
  LocalDevice device;
  device.index = index;
  device.name = properties.name;
  device.uuid = uuid_text(properties.uuid);
  device.pci_bus_id = bus.data();
  device.compute_major = properties.major;
  device.compute_minor = properties.minor;
  device.memory = Bytes{static_cast<double>(properties.totalGlobalMem)};
  device.l2_cache = Bytes{static_cast<double>(properties.l2CacheSize)};
  device.multiprocessors = properties.multiProcessorCount;
  device.clock = Hertz{1e3 * attribute(cudaDevAttrClockRate, index)};
  device.memory_clock = Hertz{1e3 * attribute(cudaDevAttrMemoryClockRate, index)};
  device.memory_bus_bits = properties.memoryBusWidth;
  device.error_correction = properties.ECCEnabled != 0;
  device.nvlinks = monitor.nvlinks(device.pci_bus_id);
  return device;
}

std::optional<int> nccl_version() {
  const DeviceLibrary library({"libnccl.so.2", RECKON_CUDA_LIBRARY_DIR "/libnccl.so.2"});
  auto* version = library.find<int(int*)>("ncclGetVersion");
  int number = 0;
  if (version == nullptr || version(&number) != 0) return std::nullopt;
  return number;
}

}  // namespace

DeviceInventory device_inventory() {
  const auto [count, answer] = ask();
  const DeviceMonitor monitor;
  DeviceInventory inventory;
  inventory.built_with_cuda = true;
  inventory.runtime = answer.runtime;
  if (answer.driver > 0) inventory.driver = answer.driver;
  inventory.nccl = nccl_version();
  inventory.driver_package = monitor.driver_version().value_or("");
  for (int index = 0; index < count; ++index) inventory.devices.push_back(describe(index, monitor));
  if (count == 0) {
    inventory.absence = absence_of(answer);
    inventory.cure = cure_of(answer);
  }
  return inventory;
}

void require_device() {
  const auto [count, answer] = ask();
  if (count == 0) throw DeviceError(absence_of(answer), cure_of(answer));
}

DeviceBuffer::DeviceBuffer(std::size_t size) : size_(size) {
  require_device();
  if (size == 0) return;
  void* data = nullptr;
  check(cudaMalloc(&data, size));
  data_.reset(data);
}
void DeviceBuffer::Free::operator()(void* data) const noexcept { cudaFree(data); }

void copy_to_device(void* device, const void* host, std::size_t size, Stream stream) {
  if (size == 0) return;
  check(cudaMemcpyAsync(device, host, size, cudaMemcpyHostToDevice, cuda_stream(stream.handle)));
  check(cudaStreamSynchronize(cuda_stream(stream.handle)));
}
void copy_to_host(void* host, const void* device, std::size_t size, Stream stream) {
  if (size == 0) return;
  check(cudaMemcpyAsync(host, device, size, cudaMemcpyDeviceToHost, cuda_stream(stream.handle)));
  check(cudaStreamSynchronize(cuda_stream(stream.handle)));
}
void copy_on_device(void* to, const void* from, std::size_t size, Stream stream) {
  check(cudaMemcpyAsync(to, from, size, cudaMemcpyDeviceToDevice, cuda_stream(stream.handle)));
}
void fill_device(void* device, unsigned char byte, std::size_t size, Stream stream) {
  if (size > 0) check(cudaMemsetAsync(device, byte, size, cuda_stream(stream.handle)));
}

void* allocate_unified(std::size_t size) {
  require_device();
  void* data = nullptr;
  check(cudaMallocManaged(&data, size > 0 ? size : 1));
  return data;
}
void free_unified(void* data) noexcept { cudaFree(data); }

void choose_device(int rank) {
  const auto [count, answer] = ask();
  if (count == 0) throw DeviceError(absence_of(answer), cure_of(answer));
  check(cudaSetDevice(rank % count));
}

struct DeviceStream::Owned {
  Owned() { check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking)); }
  ~Owned() { cudaStreamDestroy(stream); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  cudaStream_t stream = nullptr;
  BlasLibrary blas;
};

DeviceStream::DeviceStream() {
  require_device();
  owned_ = std::make_unique<Owned>();
}
DeviceStream::~DeviceStream() = default;
DeviceStream::DeviceStream(DeviceStream&&) noexcept = default;
DeviceStream& DeviceStream::operator=(DeviceStream&&) noexcept = default;
Stream DeviceStream::stream() const noexcept { return {owned_->stream, &owned_->blas}; }
void DeviceStream::wait() const { check(cudaStreamSynchronize(owned_->stream)); }

DeviceEvent::DeviceEvent() {
  require_device();
  cudaEvent_t event = nullptr;
  check(cudaEventCreate(&event));
  event_.reset(event);
}
void DeviceEvent::Free::operator()(void* event) const noexcept { cudaEventDestroy(static_cast<cudaEvent_t>(event)); }
void DeviceEvent::record(Stream stream) { check(cudaEventRecord(static_cast<cudaEvent_t>(event_.get()), cuda_stream(stream.handle))); }
Seconds DeviceEvent::since(const DeviceEvent& start) const {
  check(cudaEventSynchronize(static_cast<cudaEvent_t>(event_.get())));
  float elapsed = 0;
  check(cudaEventElapsedTime(&elapsed, static_cast<cudaEvent_t>(start.event_.get()), static_cast<cudaEvent_t>(event_.get())));
  return static_cast<double>(elapsed) * milliseconds;
}

}  // namespace reckon
