// cuBLASLt as its documentation describes it, for host memory: column-major products in plain loops.  Opened in place of the library, it
// shows whether kernels/cuda/matmul.cpp asks for the product that it means.
//
// Refuses what the library refuses: leading dimensions that are too short, sizes that do not fit together.
// SPDX-License-Identifier: Apache-2.0
#include <cublasLt.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/op/narrow_matmul.hpp"

namespace {

using reckon::Bf16;

struct Description {
  cublasOperation_t a = CUBLAS_OP_N, b = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
  void* kept = nullptr;
  std::int64_t kept_leading = 0;
};
struct Layout {
  cudaDataType type;
  std::uint64_t rows, columns;
  std::int64_t leading, stride = 0;
  std::int32_t batch = 1;
};

float read(const void* base, const Layout& layout, std::int64_t index) {
  if (layout.type == CUDA_R_16BF) return reckon::widen(static_cast<const Bf16*>(base)[index]);
  if (layout.type == CUDA_R_16F) return reckon::widen(static_cast<const reckon::F16*>(base)[index]);
  if (layout.type == CUDA_R_8F_E4M3) return reckon::widen(static_cast<const reckon::F8*>(base)[index]);
  return static_cast<const float*>(base)[index];
}
void write(void* base, const Layout& layout, std::int64_t index, float value) {
  if (layout.type == CUDA_R_16BF) static_cast<Bf16*>(base)[index] = reckon::narrow<Bf16>(value);
  else if (layout.type == CUDA_R_16F) static_cast<reckon::F16*>(base)[index] = reckon::narrow<reckon::F16>(value);
  else static_cast<float*>(base)[index] = value;
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

/// bias: one value a row of d; what GELU saw lies as d, its columns kept_leading apart.
float with_epilogue(const Description& description, const Layout& d, std::int64_t i, std::int64_t j, float value) {
  const cublasLtEpilogue_t kind = description.epilogue;
  const std::int64_t at = i + j * description.kept_leading;
  if (kind == CUBLASLT_EPILOGUE_BIAS || kind == CUBLASLT_EPILOGUE_GELU_AUX_BIAS) value += read(description.bias, d, i);
  if (kind == CUBLASLT_EPILOGUE_GELU_AUX || kind == CUBLASLT_EPILOGUE_GELU_AUX_BIAS) {
    write(description.kept, d, at, value);
    return value * sigmoid(1.5957691216f * (value + 0.044715f * value * value * value));
  }
  if (kind == CUBLASLT_EPILOGUE_DGELU) {
    const float x = read(description.kept, d, at), s = sigmoid(1.5957691216f * (x + 0.044715f * x * x * x));
    return value * (s + x * s * (1 - s) * 1.5957691216f * (1 + 0.134145f * x * x));
  }
  return value;
}

}  // namespace

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = reinterpret_cast<cublasLtHandle_t>(new int(0));
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete reinterpret_cast<int*>(handle);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* made, cublasComputeType_t, cudaDataType_t scale) {
  *made = reinterpret_cast<cublasLtMatmulDesc_t>(new Description);
  return scale == CUDA_R_32F ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t made) {
  delete reinterpret_cast<Description*>(made);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t made, cublasLtMatmulDescAttributes_t which, const void* value, size_t size) {
  auto* description = reinterpret_cast<Description*>(made);
  const auto set = [&](auto& field) {
    if (size != sizeof field) return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(&field, value, size);
    return CUBLAS_STATUS_SUCCESS;
  };
  switch (which) {
    case CUBLASLT_MATMUL_DESC_TRANSA: return set(description->a);
    case CUBLASLT_MATMUL_DESC_TRANSB: return set(description->b);
    case CUBLASLT_MATMUL_DESC_EPILOGUE: return set(description->epilogue);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER: return set(description->bias);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER: return set(description->kept);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD: return set(description->kept_leading);
    default: return CUBLAS_STATUS_INVALID_VALUE;
  }
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* made, cudaDataType type, uint64_t rows, uint64_t columns, int64_t leading) {
  *made = reinterpret_cast<cublasLtMatrixLayout_t>(new Layout{type, rows, columns, leading});
  return leading >= static_cast<int64_t>(rows) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t made) {
  delete reinterpret_cast<Layout*>(made);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t made, cublasLtMatrixLayoutAttribute_t which, const void* value, size_t size) {
  auto* layout = reinterpret_cast<Layout*>(made);
  if (which == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT && size == sizeof layout->batch) std::memcpy(&layout->batch, value, size);
  else if (which == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET && size == sizeof layout->stride) std::memcpy(&layout->stride, value, size);
  else return CUBLAS_STATUS_INVALID_VALUE;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* made) {
  *made = reinterpret_cast<cublasLtMatmulPreference_t>(new int(0));
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t made) {
  delete reinterpret_cast<int*>(made);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t, cublasLtMatmulPreferenceAttributes_t which, const void*, size_t size) {
  return size == (which == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES ? 8u : 4u) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

/// Two ways: the second needs 1000 bytes of workspace.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatmulPreference_t, int most, cublasLtMatmulHeuristicResult_t* found, int* count) {
  *count = most < 2 ? most : 2;
  for (int i = 0; i < *count; ++i) {
    found[i] = {};
    found[i].algo.data[0] = static_cast<uint64_t>(i) + 1;
    found[i].workspaceSize = i == 0 ? 0 : 1000;
    found[i].state = CUBLAS_STATUS_SUCCESS;
  }
  return CUBLAS_STATUS_SUCCESS;
}

/// d = alpha op(a) op(b) + beta c, column-major: element (i, j) at i + j leading.
cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t made, const void* alpha, const void* a, cublasLtMatrixLayout_t a_made, const void* b,
                              cublasLtMatrixLayout_t b_made, const void* beta, const void* c, cublasLtMatrixLayout_t c_made, void* d,
                              cublasLtMatrixLayout_t d_made, const cublasLtMatmulAlgo_t* algorithm, void*, size_t workspace_size, cudaStream_t) {
  const auto& description = *reinterpret_cast<Description*>(made);
  const auto &la = *reinterpret_cast<Layout*>(a_made), &lb = *reinterpret_cast<Layout*>(b_made), &lc = *reinterpret_cast<Layout*>(c_made),
             &ld = *reinterpret_cast<Layout*>(d_made);
  const bool ta = description.a == CUBLAS_OP_T, tb = description.b == CUBLAS_OP_T;
  const auto m = static_cast<int64_t>(ta ? la.columns : la.rows), k = static_cast<int64_t>(ta ? la.rows : la.columns),
             n = static_cast<int64_t>(tb ? lb.rows : lb.columns);
  if (static_cast<int64_t>(tb ? lb.columns : lb.rows) != k || ld.rows != static_cast<uint64_t>(m) || ld.columns != static_cast<uint64_t>(n)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  const bool eighth = la.type == CUDA_R_8F_E4M3;
  if (eighth && (!ta || tb || k % 16 != 0 || m % 16 != 0)) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (algorithm == nullptr || algorithm->data[0] == 0 || (algorithm->data[0] == 2 && workspace_size < 1000)) return CUBLAS_STATUS_INVALID_VALUE;
  const float x = *static_cast<const float*>(alpha), y = *static_cast<const float*>(beta);
  for (int64_t batch = 0; batch < ld.batch; ++batch) {
    for (int64_t j = 0; j < n; ++j) {
      for (int64_t i = 0; i < m; ++i) {
        float sum = 0;
        for (int64_t l = 0; l < k; ++l) {
          sum += read(a, la, batch * la.stride + (ta ? l + i * la.leading : i + l * la.leading)) *
                 read(b, lb, batch * lb.stride + (tb ? j + l * lb.leading : l + j * lb.leading));
        }
        const float old = y == 0 ? 0 : y * read(c, lc, batch * lc.stride + i + j * lc.leading);
        write(d, ld, batch * ld.stride + i + j * ld.leading, with_epilogue(description, ld, i, j, x * sum + old));
      }
    }
  }
  return CUBLAS_STATUS_SUCCESS;
}

}
