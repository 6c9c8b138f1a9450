// The memory-bound kernels of a training step, as names: what a measurement times and the cost model looks up.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace reckon {

enum class StreamKernel : std::uint8_t {
  copy,  ///< also stands for everything that has no kernel of its own
  residual,
  bias,
  bias_residual,
  bias_gradient,
  layer_norm,
  layer_norm_backward,
  rms_norm,
  rms_norm_backward,
  gelu,
  gelu_backward,
  swiglu,
  swiglu_backward,
  rotary,
  embedding,
  embedding_backward,
  loss,
  loss_backward,
  adamw,
  squares,
  widen,
  narrow
};

inline constexpr std::array<std::pair<StreamKernel, std::string_view>, 22> stream_kernel_names{
    {{StreamKernel::copy, "copy"},
     {StreamKernel::residual, "residual"},
     {StreamKernel::bias, "bias"},
     {StreamKernel::bias_residual, "bias_residual"},
     {StreamKernel::bias_gradient, "bias_gradient"},
     {StreamKernel::layer_norm, "layer_norm"},
     {StreamKernel::layer_norm_backward, "layer_norm_backward"},
     {StreamKernel::rms_norm, "rms_norm"},
     {StreamKernel::rms_norm_backward, "rms_norm_backward"},
     {StreamKernel::gelu, "gelu"},
     {StreamKernel::gelu_backward, "gelu_backward"},
     {StreamKernel::swiglu, "swiglu"},
     {StreamKernel::swiglu_backward, "swiglu_backward"},
     {StreamKernel::rotary, "rotary"},
     {StreamKernel::embedding, "embedding"},
     {StreamKernel::embedding_backward, "embedding_backward"},
     {StreamKernel::loss, "loss"},
     {StreamKernel::loss_backward, "loss_backward"},
     {StreamKernel::adamw, "adamw"},
     {StreamKernel::squares, "squares"},
     {StreamKernel::widen, "widen"},
     {StreamKernel::narrow, "narrow"}}};
inline constexpr std::size_t num_stream_kernels = stream_kernel_names.size();

constexpr std::string_view name_of(StreamKernel kernel) { return stream_kernel_names[static_cast<std::size_t>(kernel)].second; }
constexpr std::optional<StreamKernel> stream_kernel_of(std::string_view name) {
  for (const auto& [kernel, text] : stream_kernel_names)
    if (text == name) return kernel;
  return std::nullopt;
}

}  // namespace reckon
