// The CUDA kernels' and launchers' own source as C++ over the emulated device.
// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/emulated_cuda.hpp"

#include "kernels/cuda/attention.cu"
#include "kernels/cuda/convolution.cu"
#include "kernels/cuda/elementwise.cu"
#include "kernels/cuda/linear.cu"
#include "kernels/cuda/norm.cu"
#include "kernels/cuda/tokens.cu"
#include "kernels/cuda/update.cu"
