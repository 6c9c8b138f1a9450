// What the CUDA product asks of cuBLASLt, answered by a library of host loops: transposes, leading dimensions, batches, types.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "runtime/device_blas.hpp"
#include "tests/kernels/check/all.hpp"

namespace reckon::check {
namespace {

TEST(CublasLt, IsAskedForTheProductThatIsMeant) {
  BlasLibrary library({RECKON_FAKE_CUBLASLT});
  ASSERT_EQ(library.absence, "");
  HostPlace place;
  int products = 0;
  const auto through_library = [&](const auto& op) {
    if (op.k == 0) return launch<Backend::reference>(op, {});  // an own kernel's work, which needs a device
    launch<Backend::cuda>(op, {nullptr, &library});
    ++products;
  };
  check_products(place, 1, through_library, [](const std::string& name, const Report& report) { EXPECT_TRUE(report.passed()) << name << ": " << report.failure; });
  EXPECT_GT(products, 100);
}

TEST(CublasLt, EpiloguesAreTheLayersOwn) {
  // Shapes that the library takes as a whole: nothing is launched on a device.
  BlasLibrary library({RECKON_FAKE_CUBLASLT});
  HostPlace place;
  const auto through_library = [&](const auto& op) { launch<Backend::cuda>(op, {nullptr, &library}); };
  for (const LinearShape s : {LinearShape{3, 5, 16, Activation::gelu}, {17, 31, 64, Activation::gelu, false}, {7, 9, 13, Activation::none}}) {
    const Report wide = check_linear_forward<float>(place, s, {1, 0}, through_library), narrow = check_linear_forward<Bf16>(place, s, {1, 0}, through_library);
    EXPECT_TRUE(wide.passed()) << wide.failure;
    EXPECT_TRUE(narrow.passed()) << narrow.failure;
  }
  for (const LinearShape s : {LinearShape{3, 16, 5, Activation::gelu}, {17, 64, 31, Activation::gelu}}) {
    const Report wide = check_linear_backward<float>(place, s, {1, 0}, through_library), narrow = check_linear_backward<Bf16>(place, s, {1, 0}, through_library);
    EXPECT_TRUE(wide.passed()) << wide.failure;
    EXPECT_TRUE(narrow.passed()) << narrow.failure;
  }
}

TEST(CublasLt, AlgorithmsAreKeptAndUsed) {
  BlasLibrary library({RECKON_FAKE_CUBLASLT});
  const Stream stream{nullptr, &library};
  const float a[] = {1, 2}, b[] = {3, 4};
  float c = 0;
  char workspace[1000];
  Matmul<float> op{.m = 1, .n = 1, .k = 2, .a = a, .b = b, .c = &c};

  const std::vector<MatmulAlgorithm> algorithms = matmul_algorithms(op, stream, 8);

  ASSERT_EQ(algorithms.size(), 2u);
  EXPECT_EQ(matmul_algorithms(op, stream, 1).size(), 1u);
  EXPECT_EQ(algorithms[1].workspace_bytes, 1000u);
  op.algorithm = &algorithms[1];
  EXPECT_THROW(launch<Backend::cuda>(op, stream), InternalError);  // no room for it
  op.workspace = workspace;
  op.workspace_bytes = sizeof workspace;
  launch<Backend::cuda>(op, stream);
  EXPECT_EQ(c, 11);
}

TEST(CublasLt, SaysWhenItIsNotThere) {
  BlasLibrary library({"libthere-is-no-such-library.so.13"});
  const float a = 1;
  float c = 0;
  const Matmul<float> op{.m = 1, .n = 1, .k = 1, .a = &a, .b = &a, .c = &c};

  try {
    launch<Backend::cuda>(op, {nullptr, &library});
    ADD_FAILURE() << "no error";
  } catch (const DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("cuBLASLt is not on this machine"), std::string::npos) << error.what();
  }
  EXPECT_THROW(launch<Backend::cuda>(op, {}), InternalError);  // not a DeviceStream's stream
}

TEST(CublasLt, RealLibraryHasEveryFunction) {
  BlasLibrary library;
  if (!library.library) GTEST_SKIP() << library.absence;
  EXPECT_EQ(library.absence.find(" has no "), std::string::npos) << library.absence;
}

}  // namespace
}  // namespace reckon::check
