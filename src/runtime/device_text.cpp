// The sentences about devices that are not there.
// SPDX-License-Identifier: Apache-2.0
#include "runtime/device.hpp"

namespace reckon {
namespace {

// cudaError_t by number: this file is built without CUDA as well.  Source: CUDA runtime API, driver_types.h.
constexpr int insufficient_driver = 35, no_device = 100;

}  // namespace

std::string cuda_version_text(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

std::string nccl_version_text(int version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." + std::to_string(version % 100);
}

std::string absence_of(const DeviceAnswer& answer) {
  if (!answer.built_with_cuda) return "this build of reckon has no GPU kernels: it was configured without CUDA";
  if (answer.error == insufficient_driver && answer.driver == 0) return "no NVIDIA driver on this machine (libcuda.so.1 is not there)";
  if (answer.error == insufficient_driver || (answer.driver > 0 && answer.driver / 1000 < answer.runtime / 1000)) {
    return "the NVIDIA driver serves CUDA " + cuda_version_text(answer.driver) + ", this build needs " + cuda_version_text(answer.runtime);
  }
  if (answer.error == no_device || answer.error == 0) {
    if (answer.visible_devices) {
      return "no GPU is visible to this process: CUDA_VISIBLE_DEVICES is \"" + *answer.visible_devices + "\"";
    }
    return "an NVIDIA driver is here, but no GPU";
  }
  return "the CUDA runtime cannot list the GPUs: " + answer.error_text + " (error " + std::to_string(answer.error) + ")";
}

std::string cure_of(const DeviceAnswer& answer) {
  if (!answer.built_with_cuda) return "configure with -DRECKON_CUDA=ON on a machine with the CUDA toolkit (nvcc)";
  if (answer.error == insufficient_driver && answer.driver == 0) return "run on a machine with a GPU, or ask the batch system for one (sbatch --gpus=1)";
  if (answer.error == insufficient_driver || (answer.driver > 0 && answer.driver / 1000 < answer.runtime / 1000)) {
    return "update the driver, or build with CUDA " + cuda_version_text(answer.driver);
  }
  if ((answer.error == no_device || answer.error == 0) && answer.visible_devices) return "unset CUDA_VISIBLE_DEVICES or name a device that exists";
  return "run `nvidia-smi` to see what the driver sees";
}

std::vector<LocalDevice> local_devices() { return device_inventory().devices; }

}  // namespace reckon
