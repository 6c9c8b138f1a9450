// The device query and its sentences; with and without a GPU both answers are normal.
// SPDX-License-Identifier: Apache-2.0
#include "runtime/device.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "io/device_json.hpp"
#include "kernels/op/activation.hpp"
#include "kernels/op/dispatch.hpp"
#include "kernels/op/matmul.hpp"
#include "runtime/device_memory.hpp"
#include "runtime/device_monitor.hpp"

namespace reckon {
namespace {

TEST(DeviceText, SaysWhyThereIsNoDevice) {
  EXPECT_EQ(absence_of({}), "this build of reckon has no GPU kernels: it was configured without CUDA");
  EXPECT_EQ(absence_of({.built_with_cuda = true, .error = 35, .driver = 0, .runtime = 13000}),
            "no NVIDIA driver on this machine (libcuda.so.1 is not there)");
  EXPECT_EQ(absence_of({.built_with_cuda = true, .error = 35, .driver = 12040, .runtime = 13000}),
            "the NVIDIA driver serves CUDA 12.4, this build needs 13.0");
  EXPECT_EQ(absence_of({.built_with_cuda = true, .error = 100, .driver = 13000, .runtime = 13000}), "an NVIDIA driver is here, but no GPU");
  EXPECT_EQ(absence_of({.built_with_cuda = true, .error = 100, .driver = 13000, .runtime = 13000, .visible_devices = "7"}),
            "no GPU is visible to this process: CUDA_VISIBLE_DEVICES is \"7\"");
  EXPECT_EQ(absence_of({.built_with_cuda = true, .error = 802, .error_text = "system not yet initialized", .driver = 13000, .runtime = 13000}),
            "the CUDA runtime cannot list the GPUs: system not yet initialized (error 802)");
}

TEST(DeviceText, SaysWhatToDoAboutIt) {
  EXPECT_NE(cure_of({}).find("-DRECKON_CUDA=ON"), std::string::npos);
  EXPECT_NE(cure_of({.built_with_cuda = true, .error = 35, .runtime = 13000}).find("--gpus=1"), std::string::npos);
  EXPECT_NE(cure_of({.built_with_cuda = true, .error = 35, .driver = 12040, .runtime = 13000}).find("build with CUDA 12.4"), std::string::npos);
  EXPECT_NE(cure_of({.built_with_cuda = true, .error = 100, .driver = 13000, .runtime = 13000, .visible_devices = ""}).find("CUDA_VISIBLE_DEVICES"), std::string::npos);
  EXPECT_NE(cure_of({.built_with_cuda = true, .error = 802, .driver = 13000, .runtime = 13000}).find("nvidia-smi"), std::string::npos);
}

TEST(DeviceText, WritesVersionsAsTheirVendorsDo) {
  EXPECT_EQ(cuda_version_text(13000), "13.0");
  EXPECT_EQ(cuda_version_text(12080), "12.8");
  EXPECT_EQ(nccl_version_text(22809), "2.28.9");
}

TEST(LocalDevice, BandwidthIsTwoTransfersAClock) {
  // H200: 3201 MHz, 6144 bits: 2 * 3.201e9 * 768 bytes/s = 4.917e12
  LocalDevice device;
  device.memory_clock = Hertz{3201e6};
  device.memory_bus_bits = 6144;
  EXPECT_DOUBLE_EQ(device.memory_bandwidth().base(), 4.916736e12);
}

TEST(DeviceInventory, HasDevicesOrASentence) {
  const DeviceInventory inventory = device_inventory();
  EXPECT_EQ(inventory.devices.empty(), !inventory.absence.empty());
  EXPECT_EQ(inventory.devices.empty(), !inventory.cure.empty());
  EXPECT_EQ(local_devices().size(), inventory.devices.size());
  EXPECT_EQ(inventory.built_with_cuda, inventory.runtime.has_value());
  for (const LocalDevice& device : inventory.devices) {
    EXPECT_FALSE(device.name.empty());
    EXPECT_GT(device.memory, Bytes{1e9});
    EXPECT_GT(device.multiprocessors, 0);
    EXPECT_GE(device.compute_major, 5);
    EXPECT_GT(device.memory_bandwidth(), gigabytes_per_second);
  }
}

TEST(DeviceJson, TellsOfDevicesAndOfNone) {
  DeviceInventory inventory;
  inventory.built_with_cuda = true;
  inventory.runtime = 13000;
  inventory.nccl = 22809;
  inventory.absence = "no \"GPU\"";
  inventory.cure = "get one";
  nlohmann::json read = nlohmann::json::parse(device_json(inventory));
  EXPECT_EQ(read["schema"], "reckon/device/1");
  EXPECT_TRUE(read["devices"].empty());
  EXPECT_EQ(read["absence"], "no \"GPU\"");
  EXPECT_EQ(read["cuda_runtime"], "13.0");
  EXPECT_EQ(read["nccl"], "2.28.9");
  EXPECT_TRUE(read["cuda_driver"].is_null());
  EXPECT_TRUE(read["driver"].is_null());

  LocalDevice device;
  device.name = "NVIDIA H200";
  device.memory = Bytes{150.0 * 1e9};
  device.compute_major = 9;
  inventory.devices = {device};
  inventory.absence = inventory.cure = "";
  read = nlohmann::json::parse(device_json(inventory));
  EXPECT_TRUE(read["absence"].is_null());
  ASSERT_EQ(read["devices"].size(), 1u);
  EXPECT_EQ(read["devices"][0]["memory_bytes"], 150e9);
  EXPECT_EQ(read["devices"][0]["compute_capability"], "9.0");
  EXPECT_TRUE(read["devices"][0]["nvlinks"].is_null());
}

TEST(DeviceOwners, AnswerWithTheSentenceWhereThereIsNoDevice) {
  const DeviceInventory inventory = device_inventory();
  if (!inventory.devices.empty()) GTEST_SKIP() << "this machine has a device: " << inventory.devices[0].name;
  const auto says_so = [&](const auto& use) {
    try {
      use();
      ADD_FAILURE() << "no error";
    } catch (const DeviceError& error) {
      EXPECT_EQ(error.exit_code(), 4);
      EXPECT_NE(std::string(error.what()).find(inventory.absence), std::string::npos) << error.what();
    }
  };
  says_so([] { require_device(); });
  says_so([] { DeviceBuffer buffer(16); });
  says_so([] { DeviceStream stream; });
  says_so([] { DeviceEvent event; });
}

TEST(CudaKernels, AreRefusedWithoutADevice) {
  const DeviceInventory inventory = device_inventory();
  if (!inventory.devices.empty()) GTEST_SKIP() << "this machine has a device: " << inventory.devices[0].name;
  float x = 1, out = 0;
  EXPECT_THROW(launch(Backend::cuda, GeluForward<float>{.count = 1, .x = &x, .out = &out}), DeviceError);
  if (!inventory.built_with_cuda) {
    const Matmul<float> product{.m = 1, .n = 1, .k = 1, .a = &x, .b = &x, .c = &out};
    EXPECT_THROW(launch(Backend::cuda, product), DeviceError);
    EXPECT_THROW(matmul_algorithms(product, {}, 1), DeviceError);
  }
}

TEST(Dispatch, ReachesTheBackendThatIsNamed) {
  const float x = 3;
  float out = 0;
  launch(Backend::reference, GeluForward<float>{.count = 1, .x = &x, .out = &out});
  EXPECT_NEAR(out, 2.99636f, 1e-5f);
  out = 0;
  launch(Backend::cpu, GeluForward<float>{.count = 1, .x = &x, .out = &out});
  EXPECT_NEAR(out, 2.99636f, 1e-5f);
  const double wide = 3;
  double wide_out = 0;
  launch(Backend::reference, GeluForward<double>{.count = 1, .x = &wide, .out = &wide_out});
  EXPECT_NEAR(wide_out, 2.99636, 1e-5);
  EXPECT_THROW(launch(Backend::cpu, GeluForward<double>{.count = 1, .x = &wide, .out = &wide_out}), InternalError);
}

TEST(DeviceMonitor, ReadsWhatTheManagementLibrarySays) {
  const DeviceMonitor monitor(RECKON_FAKE_NVML);

  EXPECT_EQ(monitor.absence(), "");
  EXPECT_EQ(monitor.driver_version(), "580.159.03");
  EXPECT_EQ(monitor.nvlinks("0000:65:00.0"), 4);
  EXPECT_EQ(monitor.nvlinks("0000:66:00.0"), std::nullopt);
  const DeviceReading reading = monitor.reading("0000:65:00.0");
  EXPECT_EQ(reading.clock, Hertz{1980e6});
  EXPECT_EQ(reading.memory_clock, Hertz{3201e6});
  ASSERT_TRUE(reading.power);
  EXPECT_DOUBLE_EQ(reading.power->base(), 612.5);
  EXPECT_EQ(reading.temperature_celsius, std::nullopt);  // the fake does not support it
  ASSERT_TRUE(reading.throttle_reasons);
  EXPECT_EQ(throttle_names(*reading.throttle_reasons), (std::vector<std::string>{"power cap", "hardware thermal slowdown"}));
  EXPECT_FALSE(monitor.reading("0000:66:00.0").clock);
}

TEST(DeviceMonitor, SaysWhyItHasNoAnswers) {
  const DeviceMonitor nowhere("libthere-is-no-such-library.so.1");
  EXPECT_NE(nowhere.absence().find("libthere-is-no-such-library.so.1"), std::string::npos);
  EXPECT_FALSE(nowhere.driver_version());
  EXPECT_FALSE(nowhere.reading("0000:65:00.0").power);
  EXPECT_FALSE(nowhere.nvlinks("0000:65:00.0"));

  ::setenv("FAKE_NVML_BROKEN", "1", 1);
  const DeviceMonitor broken(RECKON_FAKE_NVML);
  ::unsetenv("FAKE_NVML_BROKEN");
  EXPECT_NE(broken.absence().find("does not start"), std::string::npos);
  EXPECT_FALSE(broken.driver_version());
}

TEST(DeviceMonitor, KnowsWhichReasonsSlowADeviceDown) {
  EXPECT_FALSE(slows_down(0x1));   // idle
  EXPECT_FALSE(slows_down(0x2));   // application clocks
  EXPECT_TRUE(slows_down(0x4));    // power cap
  EXPECT_TRUE(slows_down(0x20));   // thermal
  EXPECT_TRUE(slows_down(0x80 | 0x1));
}

}  // namespace
}  // namespace reckon
