// Matrix products on CUDA through cuBLASLt.
//
// The library thinks in column-major matrices.  A row-major (m, n) matrix is a column-major (n, m) one, so that we ask for
// c^T = op(b)^T op(a)^T: b first, then a, each transposed exactly when it is here.  Source: cuBLAS library documentation, cublasLtMatmul.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/narrow_matmul.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/matmul_epilogue.hpp"
#include "runtime/device_blas.hpp"
#include "runtime/device_check.hpp"

namespace reckon {
namespace {

static_assert(sizeof(cublasLtMatmulAlgo_t) == sizeof(MatmulAlgorithm::opaque));

template <class T>
constexpr cudaDataType_t data_type = CUDA_R_32F;
template <>
constexpr cudaDataType_t data_type<Bf16> = CUDA_R_16BF;
template <>
constexpr cudaDataType_t data_type<F16> = CUDA_R_16F;
template <>
constexpr cudaDataType_t data_type<F8> = CUDA_R_8F_E4M3;

/// A cuBLASLt object with its destroying function.
template <class Handle, class Destroy>
class Owned {
 public:
  explicit Owned(Destroy destroy) : destroy_(destroy) {}
  ~Owned() {
    if (handle != nullptr) destroy_(handle);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  Handle handle = nullptr;

 private:
  Destroy destroy_;
};

using Description = Owned<cublasLtMatmulDesc_t, decltype(&cublasLtMatmulDescDestroy)>;
using Layout = Owned<cublasLtMatrixLayout_t, decltype(&cublasLtMatrixLayoutDestroy)>;
using Preference = Owned<cublasLtMatmulPreference_t, decltype(&cublasLtMatmulPreferenceDestroy)>;

const BlasLibrary& library_of(Stream stream) {
  const auto* library = static_cast<const BlasLibrary*>(stream.blas);
  if (library == nullptr) throw InternalError("a matrix product on CUDA needs the stream of a DeviceStream");
  if (!library->absence.empty()) throw DeviceError(library->absence, "install the CUDA libraries, or add their folder to LD_LIBRARY_PATH");
  return *library;
}

/// Everything that cuBLASLt wants to know about a product.
template <class T, class R>
class Product {
 public:
  Product(const Matmul<T, R>& op, const BlasLibrary& library)
      : library_(library),
        description(library.description_destroy),
        first(library.layout_destroy),
        second(library.layout_destroy),
        result(library.layout_destroy) {
    const bool tf32 = std::is_same_v<T, float> && op.allow_tf32;
    check_blas(library.description_create(&description.handle, tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F), "describing a product");
    set_transpose(CUBLASLT_MATMUL_DESC_TRANSA, op.transpose_b);
    set_transpose(CUBLASLT_MATMUL_DESC_TRANSB, op.transpose_a);
    // As stored, column-major: the rows of memory are columns.
    set_layout(first, data_type<T>, op.transpose_b ? op.k : op.n, op.transpose_b ? op.n : op.k, op.row_b(), op.batch, op.stride_b);
    set_layout(second, data_type<T>, op.transpose_a ? op.m : op.k, op.transpose_a ? op.k : op.m, op.row_a(), op.batch, op.stride_a);
    set_layout(result, data_type<R>, op.n, op.m, op.row_c(), op.batch, op.step_c());
  }

  /// What the library does with the product before it stores it.
  void set_epilogue(MatmulEpilogue epilogue, const void* bias, void* hidden, std::int64_t row) {
    const bool biased = epilogue == MatmulEpilogue::bias || epilogue == MatmulEpilogue::gelu_bias;
    const cublasLtEpilogue_t kind = epilogue == MatmulEpilogue::bias        ? CUBLASLT_EPILOGUE_BIAS
                                    : epilogue == MatmulEpilogue::gelu      ? CUBLASLT_EPILOGUE_GELU_AUX
                                    : epilogue == MatmulEpilogue::gelu_bias ? CUBLASLT_EPILOGUE_GELU_AUX_BIAS
                                                                            : CUBLASLT_EPILOGUE_DGELU;
    const auto set = [&](cublasLtMatmulDescAttributes_t which, const auto& value) {
      check_blas(library_.description_set(description.handle, which, &value, sizeof value), "setting an epilogue");
    };
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, kind);
    if (biased) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    if (epilogue == MatmulEpilogue::bias) return;
    set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, hidden);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, row);
  }

 private:
  void set_transpose(cublasLtMatmulDescAttributes_t which, bool transpose) {
    const cublasOperation_t operation = transpose ? CUBLAS_OP_T : CUBLAS_OP_N;
    check_blas(library_.description_set(description.handle, which, &operation, sizeof operation), "setting a transpose");
  }

  void set_layout(Layout& layout, cudaDataType_t type, std::int64_t rows, std::int64_t columns, std::int64_t leading, std::int64_t batch,
                  std::int64_t stride) {
    check_blas(library_.layout_create(&layout.handle, type, std::uint64_t(rows), std::uint64_t(columns), leading), "describing a matrix");
    const auto members = static_cast<std::int32_t>(batch);
    check_blas(library_.layout_set(layout.handle, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &members, sizeof members), "setting a batch");
    check_blas(library_.layout_set(layout.handle, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride), "setting a batch's stride");
  }

  const BlasLibrary& library_;

 public:
  Description description;
  Layout first, second, result;  // b, a, c
};

/// The largest power of two up to 256 on which an address lies.
std::uint32_t alignment_of(const void* address) {
  std::uint32_t alignment = 256;
  while (reinterpret_cast<std::uintptr_t>(address) % alignment != 0) alignment /= 2;
  return alignment;
}

template <class T, class R>
std::vector<cublasLtMatmulHeuristicResult_t> choices(const Matmul<T, R>& op, const Product<T, R>& product, const BlasLibrary& library, int most) {
  Preference preference(library.preference_destroy);
  check_blas(library.preference_create(&preference.handle), "making a preference");
  const auto set = [&](cublasLtMatmulPreferenceAttributes_t which, const auto& value) {
    check_blas(library.preference_set(preference.handle, which, &value, sizeof value), "setting a preference");
  };
  set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t(op.workspace == nullptr ? 0 : op.workspace_bytes));
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of(op.b));
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(op.a));
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment_of(op.c));
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment_of(op.c));
  std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<std::size_t>(most));
  int count = 0;
  const cublasStatus_t status = library.heuristic(library.handle, product.description.handle, product.first.handle, product.second.handle,
                                                  product.result.handle, product.result.handle, preference.handle, most, found.data(), &count);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) count = 0;
  else check_blas(status, "looking for an algorithm");
  found.resize(static_cast<std::size_t>(count));
  std::erase_if(found, [](const auto& result) { return result.state != CUBLAS_STATUS_SUCCESS; });
  return found;
}

template <class T, class R>
void start(const Matmul<T, R>& op, const Product<T, R>& product, const BlasLibrary& library, const cublasLtMatmulAlgo_t& algorithm, Stream stream) {
  const float alpha = static_cast<float>(op.alpha), beta = static_cast<float>(op.beta);
  check_blas(library.matmul(library.handle, product.description.handle, &alpha, op.b, product.first.handle, op.a, product.second.handle, &beta, op.c,
                            product.result.handle, op.c, product.result.handle, &algorithm, op.workspace, op.workspace == nullptr ? 0 : op.workspace_bytes,
                            cuda_stream(stream.handle)),
             "starting a product");
}

template <class T, class R>
void matmul(const Matmul<T, R>& op, Stream stream) {
  if (op.m == 0 || op.n == 0 || op.batch == 0) return;
  if constexpr (sizeof(T) == 1) {
    require(!op.transpose_a && op.transpose_b && op.k % 16 == 0 && op.n % 16 == 0 && op.row_a() % 16 == 0 && op.row_b() % 16 == 0,
            "a product of fp8 that is not a b^T with rows of multiples of 16");
  }
  if constexpr (std::is_same_v<T, F16>) {
    require(op.k > 0, "a product of fp16 over nothing");
  } else if (op.k == 0) {
    const bool whole = op.row_c() == op.n;
    for (std::int64_t i = 0; i < op.batch; ++i) {
      for (std::int64_t row = 0; row < (whole ? 1 : op.m); ++row) {
        scale(op.c + i * op.step_c() + row * op.row_c(), whole ? op.m * op.n : op.n, float(op.beta), stream);
      }
    }
    return;
  }
  const BlasLibrary& library = library_of(stream);
  const Product<T, R> product(op, library);
  cublasLtMatmulAlgo_t algorithm;
  if (op.algorithm != nullptr) {
    require(op.algorithm->workspace_bytes <= op.workspace_bytes, "a product's workspace is smaller than its algorithm needs");
    std::memcpy(&algorithm, op.algorithm->opaque, sizeof algorithm);
  } else {
    const auto found = choices(op, product, library, 1);
    if (found.empty()) throw DeviceError("cuBLASLt has no algorithm for this product", "align the matrices to 16 bytes and their rows to 16 elements");
    algorithm = found.front().algo;
  }
  start(op, product, library, algorithm, stream);
}

}  // namespace

template <class T, class R>
std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<T, R>& op, Stream stream, int most) {
  op.check();
  std::vector<MatmulAlgorithm> algorithms;
  if (op.m == 0 || op.n == 0 || op.k == 0 || op.batch == 0 || most <= 0) return algorithms;
  const BlasLibrary& library = library_of(stream);
  for (const auto& found : choices(op, Product<T, R>(op, library), library, most)) {
    MatmulAlgorithm algorithm;
    std::memcpy(algorithm.opaque, &found.algo, sizeof found.algo);
    algorithm.workspace_bytes = found.workspaceSize;
    algorithms.push_back(algorithm);
  }
  return algorithms;
}
template std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<float, float>&, Stream, int);
template std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<Bf16, Bf16>&, Stream, int);
template std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<Bf16, float>&, Stream, int);

template <class T>
bool matmul_with_epilogue(const Matmul<T>& op, MatmulEpilogue epilogue, const T* bias, T* hidden, Stream stream) {
  op.check();
  // The library's own conditions on what GELU saw: rows of a multiple of 8 values, on 16 bytes.
  const bool keeps = epilogue != MatmulEpilogue::bias;
  if (op.batch != 1 || op.m == 0 || op.n == 0 || op.k == 0) return false;
  if (keeps && (op.row_c() % 8 != 0 || alignment_of(hidden) < 16)) return false;
  const BlasLibrary& library = library_of(stream);
  Product<T, T> product(op, library);
  product.set_epilogue(epilogue, bias, hidden, op.row_c());
  const auto found = choices(op, product, library, 1);
  if (found.empty()) return false;
  start(op, product, library, found.front().algo, stream);
  return true;
}
template bool matmul_with_epilogue(const Matmul<float>&, MatmulEpilogue, const float*, float*, Stream);
template bool matmul_with_epilogue(const Matmul<Bf16>&, MatmulEpilogue, const Bf16*, Bf16*, Stream);

RECKON_PAIR_LAUNCHERS(cuda, Matmul, matmul)
RECKON_LAUNCHER(cuda, Matmul<F16>) { op.check(); matmul(op, stream); }
RECKON_LAUNCHER(cuda, Matmul<F16, float>) { op.check(); matmul(op, stream); }
RECKON_LAUNCHER(cuda, Matmul<F8, Bf16>) { op.check(); matmul(op, stream); }
RECKON_LAUNCHER(cuda, Matmul<F8, float>) { op.check(); matmul(op, stream); }

}  // namespace reckon
