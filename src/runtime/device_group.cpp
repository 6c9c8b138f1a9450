// Collectives through NCCL, or the answer that there are none.
// SPDX-License-Identifier: Apache-2.0
#include "runtime/device_group.hpp"

#ifdef RECKON_HAS_NCCL
#include <nccl.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "runtime/device_check.hpp"
#include "runtime/device_library.hpp"
#endif

namespace reckon {

#ifdef RECKON_HAS_NCCL

struct DeviceGroup::Library {
  Library() : library({"libnccl.so.2", RECKON_CUDA_LIBRARY_DIR "/libnccl.so.2"}) {
    make_id = library.find<ncclResult_t(ncclUniqueId*)>("ncclGetUniqueId");
    begin = library.find<ncclResult_t(ncclComm_t*, int, ncclUniqueId, int)>("ncclCommInitRank");
    end = library.find<ncclResult_t(ncclComm_t)>("ncclCommDestroy");
    error_text = library.find<const char*(ncclResult_t)>("ncclGetErrorString");
    all_reduce =
        library.find<ncclResult_t(const void*, void*, std::size_t, ncclDataType_t, ncclRedOp_t, ncclComm_t, cudaStream_t)>("ncclAllReduce");
    reduce_scatter = library.find<ncclResult_t(const void*, void*, std::size_t, ncclDataType_t, ncclRedOp_t, ncclComm_t, cudaStream_t)>(
        "ncclReduceScatter");
    all_gather = library.find<ncclResult_t(const void*, void*, std::size_t, ncclDataType_t, ncclComm_t, cudaStream_t)>("ncclAllGather");
    whole = make_id && begin && end && error_text && all_reduce && reduce_scatter && all_gather;
  }
  ~Library() {
    if (group != nullptr) end(group);
  }
  void check_nccl(ncclResult_t status, const char* doing) const {
    if (status != ncclSuccess) throw DeviceError(std::string("NCCL, ") + doing + ": " + error_text(status), "NCCL_DEBUG=WARN tells more");
  }

  DeviceLibrary library;
  bool whole = false;
  ncclComm_t group = nullptr;
  ncclResult_t (*make_id)(ncclUniqueId*) = nullptr;
  ncclResult_t (*begin)(ncclComm_t*, int, ncclUniqueId, int) = nullptr;
  ncclResult_t (*end)(ncclComm_t) = nullptr;
  const char* (*error_text)(ncclResult_t) = nullptr;
  ncclResult_t (*all_reduce)(const void*, void*, std::size_t, ncclDataType_t, ncclRedOp_t, ncclComm_t, cudaStream_t) = nullptr;
  ncclResult_t (*reduce_scatter)(const void*, void*, std::size_t, ncclDataType_t, ncclRedOp_t, ncclComm_t, cudaStream_t) = nullptr;
  ncclResult_t (*all_gather)(const void*, void*, std::size_t, ncclDataType_t, ncclComm_t, cudaStream_t) = nullptr;
};

int device_count() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

DeviceGroup::DeviceGroup(int rank, int size, const Gather& gather) : library_(std::make_unique<Library>()) {
  struct Introduction {
    ncclUniqueId id;
    cudaUUID_t device = {};
    bool has_library = false;
  } own;
  own.has_library = library_->whole;
  int index = 0;
  check(cudaGetDevice(&index));
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, index));
  own.device = properties.uuid;
  if (rank == 0 && own.has_library) library_->check_nccl(library_->make_id(&own.id), "making an id");
  std::vector<Introduction> all(static_cast<std::size_t>(size));
  gather(&own, all.data(), sizeof own);
  // A rank whose device another rank of the group has too, or which has no library: none of them uses it.
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].has_library) return;
    for (std::size_t j = 0; j < i; ++j) {
      if (std::equal(std::begin(all[i].device.bytes), std::end(all[i].device.bytes), all[j].device.bytes)) return;
    }
  }
  library_->check_nccl(library_->begin(&library_->group, size, all[0].id, rank), "joining a group");
}
DeviceGroup::~DeviceGroup() = default;

bool DeviceGroup::usable() const { return library_->group != nullptr; }

void DeviceGroup::all_reduce_sum(float* data, std::int64_t count, Stream stream) const {
  library_->check_nccl(
      library_->all_reduce(data, data, std::size_t(count), ncclFloat, ncclSum, library_->group, cuda_stream(stream.handle)), "all-reduce");
}
void DeviceGroup::reduce_scatter_sum(const float* whole, float* part, std::int64_t count, Stream stream) const {
  library_->check_nccl(
      library_->reduce_scatter(whole, part, std::size_t(count), ncclFloat, ncclSum, library_->group, cuda_stream(stream.handle)),
      "reduce-scatter");
}
void DeviceGroup::all_gather(const void* part, void* whole, std::size_t bytes, Stream stream) const {
  library_->check_nccl(library_->all_gather(part, whole, bytes, ncclChar, library_->group, cuda_stream(stream.handle)), "all-gather");
}

#else

struct DeviceGroup::Library {};
int device_count() { return 0; }
DeviceGroup::DeviceGroup(int, int, const Gather&) {}
DeviceGroup::~DeviceGroup() = default;
bool DeviceGroup::usable() const { return false; }
void DeviceGroup::all_reduce_sum(float*, std::int64_t, Stream) const {}
void DeviceGroup::reduce_scatter_sum(const float*, float*, std::int64_t, Stream) const {}
void DeviceGroup::all_gather(const void*, void*, std::size_t, Stream) const {}

#endif

}  // namespace reckon
