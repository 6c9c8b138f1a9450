// Names and sizes of the number formats.
// SPDX-License-Identifier: Apache-2.0
#include "catalog/precision.hpp"

#include "catalog/names.hpp"

namespace reckon {
namespace {

constexpr Names<Precision, 7> precision_names{{{
    {Precision::fp32, "fp32"},
    {Precision::tf32, "tf32"},
    {Precision::fp16, "fp16"},
    {Precision::bf16, "bf16"},
    {Precision::fp8, "fp8"},
    {Precision::mxfp8, "mxfp8"},
    {Precision::nvfp4, "nvfp4"},
}}};

}  // namespace

std::string_view name_of(Precision precision) { return precision_names.name(precision); }
std::optional<Precision> precision_of(std::string_view name) { return precision_names.value(name); }

double operand_bytes(Precision precision) {
  switch (precision) {
    case Precision::fp32:
    case Precision::tf32:
      return 4.0;
    case Precision::fp16:
    case Precision::bf16:
      return 2.0;
    case Precision::fp8:
      return 1.0;
    case Precision::mxfp8:
      return 1.0 + 1.0 / 32.0;  // one 8-bit scale for 32 values: OCP Microscaling Formats v1.0 (2023)
    case Precision::nvfp4:
      return 0.5 + 1.0 / 16.0;  // one 8-bit scale for 16 values: NVIDIA Transformer Engine, NVFP4BlockScaling
  }
  return 4.0;  // not reached: every enumerator returns above
}

double activation_bytes(Precision precision) { return precision == Precision::fp32 || precision == Precision::tf32 ? 4.0 : 2.0; }

}  // namespace reckon
