// Number formats of a training run: what the matrix units multiply, and how many bytes a value takes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace reckon {

/// The format in which the large matrix products run.  fp8 is per-tensor scaled, mxfp8 and nvfp4 are block scaled.
/// Weights, activations and messages of the low formats are kept in bf16 except where the cost says otherwise.
enum class Precision { fp32, tf32, fp16, bf16, fp8, mxfp8, nvfp4 };
inline constexpr std::array<Precision, 7> all_precisions{Precision::fp32, Precision::tf32,  Precision::fp16, Precision::bf16,
                                                         Precision::fp8,  Precision::mxfp8, Precision::nvfp4};

/// Formats that need casts of their operands: fp8 and below.
constexpr bool is_low_precision(Precision p) { return p == Precision::fp8 || p == Precision::mxfp8 || p == Precision::nvfp4; }

std::string_view name_of(Precision precision);
std::optional<Precision> precision_of(std::string_view name);

/// Bytes of a value as a matrix operand: 4, 4, 2, 2, 1, 1 + 1/32, 1/2 + 1/16; the fractions are the scales of the block formats.
double operand_bytes(Precision precision);
/// Bytes of an activation or a message between operators: 4 for fp32 and tf32, else 2.
double activation_bytes(Precision precision);

}  // namespace reckon
