// The table of cuBLASLt's functions.
// SPDX-License-Identifier: Apache-2.0
#include "runtime/device_blas.hpp"

#include <cuda_runtime_api.h>

#include "base/error.hpp"

namespace reckon {
namespace {

const std::string file_name = "libcublasLt.so." + std::to_string(CUDART_VERSION / 1000);

/// Fills one function of the table; notes the first that is missing.
template <class Function>
void bind(const DeviceLibrary& library, const char* symbol, Function& function, std::string& absence) {
  function = library.find<std::remove_pointer_t<Function>>(symbol);
  if (function == nullptr && absence.empty()) absence = file_name + " has no " + symbol;
}

}  // namespace

std::vector<std::string> BlasLibrary::default_names() { return {file_name, std::string(RECKON_CUDA_LIBRARY_DIR "/") + file_name}; }

BlasLibrary::BlasLibrary(const std::vector<std::string>& names) : library(names) {
  if (!library) {
    absence = "cuBLASLt is not on this machine: " + library.absence();
    return;
  }
  decltype(&cublasLtCreate) create = nullptr;
  bind(library, "cublasLtCreate", create, absence);
  bind(library, "cublasLtMatmul", matmul, absence);
  bind(library, "cublasLtMatmulDescCreate", description_create, absence);
  bind(library, "cublasLtMatmulDescDestroy", description_destroy, absence);
  bind(library, "cublasLtMatmulDescSetAttribute", description_set, absence);
  bind(library, "cublasLtMatrixLayoutCreate", layout_create, absence);
  bind(library, "cublasLtMatrixLayoutDestroy", layout_destroy, absence);
  bind(library, "cublasLtMatrixLayoutSetAttribute", layout_set, absence);
  bind(library, "cublasLtMatmulPreferenceCreate", preference_create, absence);
  bind(library, "cublasLtMatmulPreferenceDestroy", preference_destroy, absence);
  bind(library, "cublasLtMatmulPreferenceSetAttribute", preference_set, absence);
  bind(library, "cublasLtMatmulAlgoGetHeuristic", heuristic, absence);
  if (absence.empty() && create(&handle) != CUBLAS_STATUS_SUCCESS) absence = "cuBLASLt does not start on this machine";
}

BlasLibrary::~BlasLibrary() {
  if (handle == nullptr) return;
  if (auto* destroy = library.find<std::remove_pointer_t<decltype(&cublasLtDestroy)>>("cublasLtDestroy")) destroy(handle);
}

void check_blas(cublasStatus_t status, const char* doing) {
  if (status != CUBLAS_STATUS_SUCCESS) throw DeviceError(std::string("cuBLASLt: status ") + std::to_string(status) + " when " + doing);
}

}  // namespace reckon
