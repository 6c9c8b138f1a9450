// The CUDA kernels against the reference, on a GPU.  Built always; without a device each test skips and says why.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "runtime/device.hpp"
#include "tests/kernels/check/check_narrow.hpp"
#include "tests/kernels/check/all.hpp"

namespace reckon::check {
namespace {

class CudaKernels : public testing::Test {
 protected:
  void SetUp() override {
    const DeviceInventory inventory = device_inventory();
    if (inventory.devices.empty()) GTEST_SKIP() << inventory.absence << "; " << inventory.cure;
    stream_ = std::make_unique<DeviceStream>();
    place_ = std::make_unique<DevicePlace>(stream_->stream());
  }
  template <class Op>
  void run(const Op& op) {
    launch<Backend::cuda>(op, stream_->stream());
    stream_->wait();
  }

  std::unique_ptr<DeviceStream> stream_;
  std::unique_ptr<DevicePlace> place_;
};

constexpr auto expect_passed = [](const std::string& name, const Report& report) { EXPECT_TRUE(report.passed()) << name << ": " << report.failure; };

TEST_F(CudaKernels, AgreeWithTheReferenceOnAwkwardShapes) {
  for (const std::uint64_t seed : {1, 2}) {
    check_all_but_products(*place_, seed, [this](const auto& op) { run(op); }, expect_passed);
    check_transformer_ops(*place_, seed, [this](const auto& op) { run(op); }, expect_passed);
  }
}

TEST_F(CudaKernels, ProductsAgreeWithTheReference) {
  const auto on_device = [this](const auto& op) { run(op); };
  check_products(*place_, 1, on_device, expect_passed, check_workspace);
  check_narrow_products(*place_, 1, on_device, expect_passed, check_workspace);
  check_matmuls<float, float>(*place_, 2, on_device, expect_passed);
  check_matmuls<float, float>(*place_, 3, on_device, expect_passed, check_workspace, true);
}

TEST_F(CudaKernels, EveryAlgorithmOfAProductAgrees) {
  const auto every = [this](const auto& op) {
    for (const MatmulAlgorithm& algorithm : matmul_algorithms(op, stream_->stream(), 8)) {
      auto chosen = op;
      chosen.algorithm = &algorithm;
      run(chosen);
    }
  };
  expect_passed("bf16 256", check_matmul<Bf16, Bf16>(*place_, {.m = 256, .n = 256, .k = 256}, {4, 0}, every, check_workspace));
  expect_passed("fp32 256", check_matmul<float, float>(*place_, {.m = 256, .n = 256, .k = 256}, {4, 0}, every, check_workspace));
}

TEST_F(CudaKernels, GiveTheSameBitsTwice) {
  std::map<std::string, std::uint64_t> digests;
  for (int i = 0; i < 2; ++i) {
    const auto visit = [&](const std::string& name, const Report& report) {
      EXPECT_EQ(digests.emplace(name, report.digest).first->second, report.digest) << name;
    };
    check_all_but_products(*place_, 5, [this](const auto& op) { run(op); }, visit);
    check_transformer_ops(*place_, 5, [this](const auto& op) { run(op); }, visit);
    check_products(*place_, 5, [this](const auto& op) { run(op); }, visit, check_workspace);
  }
}

}  // namespace
}  // namespace reckon::check
