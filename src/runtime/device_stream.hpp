// The queue that device work is put in, as a plain value that CUDA files (C++17) can read too.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace reckon {

/// Borrowed from a DeviceStream (runtime/device_memory.hpp).  Empty on the CPU, where work is finished when a launcher returns; on a GPU
/// an empty stream is the default stream, without matrix products through the vendor library.
struct Stream {
  void* handle = nullptr;  ///< cudaStream_t
  void* blas = nullptr;    ///< BlasLibrary (runtime/device_blas.hpp)
};

}  // namespace reckon
