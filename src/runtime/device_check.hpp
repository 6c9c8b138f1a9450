// CUDA's status as an error.  Only for files that are built with CUDA.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <source_location>
#include <string>

#include "base/error.hpp"

namespace reckon {

/// Throws DeviceError with the runtime's words and the place of the call when `status` is not success.
inline void check(cudaError_t status, const std::source_location& place = std::source_location::current()) {
  if (status == cudaSuccess) return;
  throw DeviceError(std::string("CUDA: ") + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + ") in " + place.function_name());
}

inline cudaStream_t cuda_stream(void* handle) { return static_cast<cudaStream_t>(handle); }

}  // namespace reckon
