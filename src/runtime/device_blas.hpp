// cuBLASLt, opened when the first stream is made.  Only for files that are built with CUDA.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cublasLt.h>

#include <string>
#include <vector>

#include "runtime/device_library.hpp"

namespace reckon {

/// The functions that products need, and the library's handle, which all threads may share.
struct BlasLibrary {
  /// Tries `names` in turn.  Never throws: absence says what went wrong.
  explicit BlasLibrary(const std::vector<std::string>& names = default_names());
  ~BlasLibrary();
  BlasLibrary(const BlasLibrary&) = delete;
  BlasLibrary& operator=(const BlasLibrary&) = delete;

  /// libcublasLt of the CUDA that this build was made with, from the loader's path, then from where the build found it.
  static std::vector<std::string> default_names();

  DeviceLibrary library;
  std::string absence;  ///< why there is no library; empty when there is one
  cublasLtHandle_t handle = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
  decltype(&cublasLtMatmulDescCreate) description_create = nullptr;
  decltype(&cublasLtMatmulDescDestroy) description_destroy = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) description_set = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) layout_create = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy = nullptr;
  decltype(&cublasLtMatrixLayoutSetAttribute) layout_set = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) preference_create = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic = nullptr;
};

/// Throws DeviceError with cuBLASLt's status and `doing` when it is not success.
void check_blas(cublasStatus_t status, const char* doing);

}  // namespace reckon
