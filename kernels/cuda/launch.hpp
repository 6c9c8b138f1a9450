// How the CUDA kernels are put in a stream.  Plain C++17: .cu files include it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace reckon {

/// Throws DeviceError, naming the kernel, when the last launch was refused.
void check_launch(const char* kernel);

/// Blocks that cover `pieces` pieces of work, at least 1 and at most `most`; the kernels stride over what is left.
inline unsigned grid_for(std::int64_t pieces, std::int64_t most) {
  const std::int64_t blocks = pieces < most ? pieces : most;
  return static_cast<unsigned>(blocks < 1 ? 1 : blocks);
}

/// Whether all pointers (null ones too) lie on a boundary of `boundary` bytes.
template <class... Pointers>
bool all_aligned(std::size_t boundary, const Pointers*... pointers) {
  return ((reinterpret_cast<std::uintptr_t>(pointers) % boundary == 0) && ...);
}

}  // namespace reckon

/// RECKON_LAUNCH((kernel<template, arguments>), grid, block, queue, arguments...).  The tests define it as a loop over threads of the host,
/// so that the kernels' logic is checked where there is no GPU (tests/kernels/emulated_cuda.hpp).
#ifndef RECKON_LAUNCH
#define RECKON_UNWRAP(...) __VA_ARGS__
#define RECKON_LAUNCH(kernel, grid, block, queue, ...) RECKON_UNWRAP kernel<<<grid, block, 0, queue>>>(__VA_ARGS__)
#endif
